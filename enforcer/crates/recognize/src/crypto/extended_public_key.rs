//! Extended public keys (BIP-32, SLIP-132): all addresses of a wallet.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static EXTENDED_PUBLIC_KEY: Detector = Detector {
    examples: &[
        "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8",
    ],
    ..COIN.detector(
        "extended_public_key",
        &[Wake::Solid(COIN.wakes())],
        |look| COIN.judge(look),
    )
};

const COIN: Coin = Coin {
    begins: &[
        b"xpub", b"ypub", b"zpub", b"Ypub", b"Zpub", b"tpub", b"upub", b"vpub", b"Ltub", b"dgub",
    ],
    lengths: (107, 112),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let carried = Carried::of(value)?;
    (carried.bytes().len() == 78 && matches!(carried.bytes()[45], 2 | 3)).then_some(High)
}
