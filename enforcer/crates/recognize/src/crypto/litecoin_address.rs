//! Litecoin addresses; those of old scripts that begin with a 3 are Bitcoin's too and reported as such.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static LITECOIN_ADDRESS: Detector =
    COIN.detector("litecoin_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    });

const COIN: Coin = Coin {
    begins: &[b"L", b"M", b"ltc1", b"LTC1"],
    lengths: (26, 63),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let right = if value[1..].starts_with(b"tc1") || value[1..].starts_with(b"TC1") {
        super::bitcoin_address::is_segwit(value)
    } else {
        value.len() < 36 && Carried::of(value)?.is_hash(&[0x30, 0x32])
    };
    right.then_some(High)
}
