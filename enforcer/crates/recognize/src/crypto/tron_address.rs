//! Tron addresses.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Family, Look, Wake,
};

pub(crate) static TRON_ADDRESS: Detector = Detector {
    name: "tron_address",
    family: Family::Crypto,
    wake: &[Wake::Solid(COIN.wakes())],
    longest: COIN.lengths.1,
    recognise: |look| COIN.judge(look),
    examples: &["TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"],
};

const COIN: Coin = Coin {
    begins: &[b"T"],
    lengths: (34, 34),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    Carried::of(value)?.is_hash(&[0x41]).then_some(High)
}
