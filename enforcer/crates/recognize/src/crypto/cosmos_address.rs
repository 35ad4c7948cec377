//! Addresses of Cosmos and chains that are made like it.

use bech32::{Bech32, primitives::decode::CheckedHrpstring};

use super::coin::Coin;
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static COSMOS_ADDRESS: Detector =
    COIN.detector("cosmos_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    });

const COIN: Coin = Coin {
    begins: &[
        b"cosmos1",
        b"osmo1",
        b"celestia1",
        b"inj1",
        b"juno1",
        b"terra1",
        b"akash1",
        b"kava1",
        b"sei1",
    ],
    lengths: (42, 66),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let text = std::str::from_utf8(value).ok()?;
    CheckedHrpstring::new::<Bech32>(text).ok().map(|_| High)
}
