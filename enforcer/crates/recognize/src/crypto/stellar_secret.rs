//! Seeds of Stellar keys.

use super::coin::Coin;
use crate::{
    Confidence::{self, High},
    Detector, Family, Look, Wake,
};

pub(crate) static STELLAR_SECRET: Detector = Detector {
    name: "stellar_secret",
    family: Family::Crypto,
    wake: &[Wake::Solid(COIN.wakes())],
    longest: COIN.lengths.1,
    recognise: |look| COIN.judge(look),
    examples: &[],
};

const COIN: Coin = Coin {
    begins: &[b"S"],
    lengths: (56, 56),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    super::stellar_address::is_checked(value).then_some(High)
}
