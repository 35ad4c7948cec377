//! Cardano addresses, of payment and of stake.

use bech32::{Bech32, primitives::decode::CheckedHrpstring};

use super::coin::Coin;
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static CARDANO_ADDRESS: Detector =
    COIN.detector("cardano_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    });

const COIN: Coin = Coin {
    begins: &[b"addr1", b"stake1"],
    lengths: (58, 108),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let text = std::str::from_utf8(value).ok()?;
    CheckedHrpstring::new::<Bech32>(text).ok().map(|_| High)
}
