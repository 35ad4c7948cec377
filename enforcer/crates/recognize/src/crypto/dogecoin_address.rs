//! Dogecoin addresses.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static DOGECOIN_ADDRESS: Detector =
    COIN.detector("dogecoin_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    });

const COIN: Coin = Coin {
    begins: &[b"D", b"A", b"9"],
    lengths: (33, 34),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    Carried::of(value)?.is_hash(&[0x1e, 0x16]).then_some(High)
}
