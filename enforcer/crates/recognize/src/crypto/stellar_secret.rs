//! Seeds of Stellar keys.

use super::coin::Coin;
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static STELLAR_SECRET: Detector =
    COIN.detector("stellar_secret", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    });

const COIN: Coin = Coin {
    begins: &[b"S"],
    lengths: (56, 56),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    super::stellar_address::is_checked(value).then_some(High)
}
