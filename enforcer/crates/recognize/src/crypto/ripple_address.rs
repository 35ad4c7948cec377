//! Addresses of the XRP ledger, whose Base58 has an alphabet of its own.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Family, Look, Wake,
};

pub(crate) static RIPPLE_ADDRESS: Detector = Detector {
    name: "ripple_address",
    family: Family::Crypto,
    wake: &[Wake::Solid(COIN.wakes())],
    longest: COIN.lengths.1,
    recognise: |look| COIN.judge(look),
    examples: &[
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "rrrrrrrrrrrrrrrrrrrrrhoLvTp",
    ],
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
