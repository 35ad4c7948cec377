//! Extended private keys (BIP-32, SLIP-132): all keys of a wallet.

use super::coin::{Carried, Coin};
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static EXTENDED_PRIVATE_KEY: Detector = Detector {
    examples: &[
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    ],
    ..COIN.detector(
        "extended_private_key",
        &[Wake::Solid(COIN.wakes())],
        |look| COIN.judge(look),
    )
};

const COIN: Coin = Coin {
    begins: &[
        b"xprv", b"yprv", b"zprv", b"Yprv", b"Zprv", b"tprv", b"uprv", b"vprv", b"Ltpv", b"dgpv",
    ],
    lengths: (107, 112),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let carried = Carried::of(value)?;
    // Depth, fingerprint, child and chain code are before the key, which a zero precedes.
    (carried.bytes().len() == 78 && carried.bytes()[45] == 0).then_some(High)
}
