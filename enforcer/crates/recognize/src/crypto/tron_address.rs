//! Tron addresses.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static TRON_ADDRESS: Detector = Detector {
    examples: &["TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"],
    ..COIN.detector("tron_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    })
};

const COIN: Coin = Coin {
    begins: &[b"T"],
    lengths: (34, 34),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    Carried::of(value)?.is_hash(&[0x41]).then_some(High)
}
