//! Ethereum addresses, and those of chains that are made like it.

use sha3::{Digest as _, Keccak256};

use super::coin::Coin;
use crate::context::Words;
use crate::{
    Confidence::{self, High, Low, Medium},
    Detector, Look, Wake, context,
};

pub(crate) static ETHEREUM_ADDRESS: Detector = Detector {
    examples: &[
        "0xdAC17F958D2ee523a2206206994597C13D831ec7",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    ],
    ..COIN.detector("ethereum_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    })
};

const COIN: Coin = Coin {
    begins: &[b"0x", b"0X"],
    lengths: (42, 42),
    weigh,
};

/// Twenty bytes that tell of a wallet only by their check, or by words before them.
const WORDS: Words = Words::new(&[
    "wallet",
    "wallet address",
    "eth",
    "ethereum",
    "evm",
    "polygon",
    "metamask",
    "erc20",
    "contract",
    "deposit address",
    "crypto",
    "send to",
    "0x address",
    "usdt",
    "usdc",
]);

fn weigh(look: &Look<'_>, start: usize, value: &[u8]) -> Option<Confidence> {
    let hex = value
        .get(2..)
        .filter(|hex| hex.len() == 40 && hex.iter().all(u8::is_ascii_hexdigit))?;
    let zeros = hex.iter().all(|byte| *byte == hex[0]);
    if zeros {
        return None;
    }
    let (small, large) = (
        hex.iter().any(u8::is_ascii_lowercase),
        hex.iter().any(u8::is_ascii_uppercase),
    );
    if small && large && is_checked(hex) {
        return Some(High);
    }
    Some(if context::told(look, start, &WORDS) {
        Medium
    } else {
        Low
    })
}

/// ERC-55: a letter is a capital where the digest of the small letters has a digit of 8 or more.
fn is_checked(hex: &[u8]) -> bool {
    let mut small = [0; 40];
    for (to, from) in small.iter_mut().zip(hex) {
        *to = from.to_ascii_lowercase();
    }
    let digest = Keccak256::digest(small);
    hex.iter().enumerate().all(|(place, byte)| {
        let pair = digest[place / 2];
        let digit = if place % 2 == 0 { pair >> 4 } else { pair & 15 };
        byte.is_ascii_digit() || byte.is_ascii_uppercase() == (digit > 7)
    })
}
