//! Stellar addresses.

use super::coin::Coin;
use crate::{
    Confidence::{self, High},
    Detector, Look, Wake,
};

pub(crate) static STELLAR_ADDRESS: Detector =
    COIN.detector("stellar_address", &[Wake::Solid(COIN.wakes())], |look| {
        COIN.judge(look)
    });

const COIN: Coin = Coin {
    begins: &[b"G"],
    lengths: (56, 56),
    weigh,
};

fn weigh(_: &Look<'_>, _: usize, value: &[u8]) -> Option<Confidence> {
    is_checked(value).then_some(High)
}

/// Base32 of a version, 32 bytes, and a CRC-16 (XMODEM) over both, its low byte first.
pub(super) fn is_checked(value: &[u8]) -> bool {
    let mut bytes = [0u8; 35];
    let (mut bits, mut held, mut next) = (0u16, 0, bytes.iter_mut());
    for byte in value {
        let five = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return false,
        };
        bits = bits << 5 | u16::from(five);
        held += 5;
        if held >= 8 {
            held -= 8;
            if let Some(place) = next.next() {
                *place = (bits >> held) as u8;
            }
        }
    }
    let (carried, check) = bytes.split_at(33);
    value.len() == 56 && crc(carried).to_le_bytes() == *check
}

fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                crc << 1 ^ 0x1021
            }
        })
    })
}
