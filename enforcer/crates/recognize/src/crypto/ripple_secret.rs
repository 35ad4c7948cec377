//! Seeds of keys of the XRP ledger.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static RIPPLE_SECRET: Detector = Detector {
    examples: &[
        "snoPBrXtMeMyMHUVTgbuqAfg1SUTb",
        "sn259rEFXrQrWyx3Q7XneWcwV6dfL",
    ],
    ..COIN.detector("ripple_secret", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    })
};

const COIN: Coin = Coin {
    begins: &[b"s"],
    lengths: (25, 31),
    weigh,
};

/// Sixteen bytes behind the version of a family of keys, or behind that of Ed25519.
fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let carried = Carried::in_alphabet(value, bs58::Alphabet::RIPPLE)?;
    match carried.bytes() {
        [0x21, rest @ ..] | [0x01, 0xe1, 0x4b, rest @ ..] if rest.len() == 16 => Some(High),
        _ => None,
    }
}
