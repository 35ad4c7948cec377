//! Monero addresses, with and without a payment's id.

use sha3::{Digest as _, Keccak256};

use super::coin::Coin;
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static MONERO_ADDRESS: Detector = Detector {
    examples: &[
        "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
    ],
    ..COIN.detector("monero_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    })
};

const COIN: Coin = Coin {
    begins: &[b"4", b"8"],
    lengths: (95, 106),
    weigh,
};

/// Base58 in blocks of eight bytes, and a digest of four bytes over all before it.
fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    let mut bytes = [0u8; 77];
    let mut length = 0;
    for block in value.chunks(11) {
        let size = match block.len() {
            11 => 8,
            7 => 5,
            _ => return None,
        };
        let number = block.iter().try_fold(0u64, |sum, byte| {
            sum.checked_mul(58)?.checked_add(digit(*byte)?)
        })?;
        let whole = number.to_be_bytes();
        let (over, own) = whole.split_at(8 - size);
        if over.iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.get_mut(length..length + size)?.copy_from_slice(own);
        length += size;
    }
    let (carried, check) = bytes[..length].split_at_checked(length.checked_sub(4)?)?;
    (matches!(length, 69 | 77) && Keccak256::digest(carried)[..4] == *check).then_some(High)
}

fn digit(byte: u8) -> Option<u64> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    ALPHABET
        .iter()
        .position(|known| *known == byte)
        .map(|place| place as u64)
}
