//! Addresses of the XRP ledger, whose Base58 has an alphabet of its own.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static RIPPLE_ADDRESS: Detector = Detector {
    examples: &[
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "rrrrrrrrrrrrrrrrrrrrrhoLvTp",
    ],
    ..COIN.detector("ripple_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    })
};

const COIN: Coin = Coin {
    begins: &[b"r"],
    lengths: (25, 35),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    Carried::in_alphabet(value, bs58::Alphabet::RIPPLE)?
        .is_hash(&[0])
        .then_some(High)
}
