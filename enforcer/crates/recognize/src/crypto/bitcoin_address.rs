//! Bitcoin addresses: of a key, of a script, and of witness programs.

use bech32::primitives::decode::SegwitHrpstring;

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static BITCOIN_ADDRESS: Detector = Detector {
    examples: &[
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    ],
    ..COIN.detector("bitcoin_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    })
};

const COIN: Coin = Coin {
    begins: &[b"1", b"3", b"bc1", b"BC1"],
    lengths: (26, 62),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let right = match value[0] {
        b'1' | b'3' => value.len() < 36 && Carried::of(value)?.is_hash(&[0, 5]),
        _ => is_segwit(value),
    };
    right.then_some(High)
}

/// Bech32 for the first version of witness programs, Bech32m for those after it.
pub(super) fn is_segwit(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| SegwitHrpstring::new(text).is_ok())
}
