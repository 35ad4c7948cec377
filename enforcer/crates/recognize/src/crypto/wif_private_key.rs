//! Private keys in the form that wallets import.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static WIF_PRIVATE_KEY: Detector = Detector {
    examples: &[
        "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
        "KwdMAjGmerYanjeui5SHS7JkmpZvVipYvB2LJGU1ZxJwYvP98617",
    ],
    ..COIN.detector("wif_private_key", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    })
};

const COIN: Coin = Coin {
    begins: &[b"5", b"K", b"L", b"9", b"c"],
    lengths: (51, 52),
    weigh,
};

/// The main network and the test network; keys of compressed points end with a 1.
fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let carried = Carried::of(value)?;
    match carried.bytes() {
        [0x80 | 0xef, key @ ..] if key.len() == 32 => Some(High),
        [0x80 | 0xef, key @ .., 1] if key.len() == 32 => Some(High),
        _ => None,
    }
}
