//! Cardano addresses, of payment and of stake.

use bech32::{Bech32, primitives::decode::CheckedHrpstring};

use super::coin::Coin;
use crate::{
    Confidence::{self, High},
    Detector, Family, Look, Wake,
};

pub(crate) static CARDANO_ADDRESS: Detector = Detector {
    name: "cardano_address",
    family: Family::Crypto,
    wake: &[Wake::Solid(COIN.wakes())],
    longest: COIN.lengths.1,
    recognise: |look| COIN.judge(look),
    examples: &[],
};

const COIN: Coin = Coin {
    begins: &[b"addr1", b"stake1"],
    lengths: (58, 108),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let text = std::str::from_utf8(value).ok()?;
    CheckedHrpstring::new::<Bech32>(text).ok().map(|_| High)
}
