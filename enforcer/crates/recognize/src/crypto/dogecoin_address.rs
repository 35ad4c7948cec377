//! Dogecoin addresses.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Family, Look, Wake,
};

pub(crate) static DOGECOIN_ADDRESS: Detector = Detector {
    name: "dogecoin_address",
    family: Family::Crypto,
    wake: &[Wake::Solid(COIN.wakes())],
    longest: COIN.lengths.1,
    recognise: |look| COIN.judge(look),
    examples: &[],
};

const COIN: Coin = Coin {
    begins: &[b"D", b"A", b"9"],
    lengths: (33, 34),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    Carried::of(value)?.is_hash(&[0x1e, 0x16]).then_some(High)
}
