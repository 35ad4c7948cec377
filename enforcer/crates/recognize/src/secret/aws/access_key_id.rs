//! The names of keys: `AKIA` and its like, and base32 that tells the account.

use crate::secret::alphabet::Alphabet;
use crate::secret::chance::varied;
use crate::secret::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Names of long-lived and of passing keys.
pub(in crate::secret) static DETECTOR: Detector = Detector {
    name: "aws_access_key_id",
    family: Family::Secret,
    wake: &[
        Wake::Prefix("AKIA"),
        Wake::Prefix("ASIA"),
        Wake::Prefix("ABIA"),
        Wake::Prefix("ACCA"),
    ],
    longest: 20,
    recognise,
    examples: &[
        concat!("AKIA", "IOSFODNN7EXAMPLE"),
        concat!("AKIA", "I44QH8DHBEXAMPLE"),
        concat!("ASIA", "IOSFODNN7EXAMPLE"),
    ],
};

const TOKEN: Token = Token {
    prefixes: &["AKIA", "ASIA", "ABIA", "ACCA"],
    body: Alphabet::ALNUM,
    length: (16, 16),
};

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// No account has a greater number.
const LAST_ACCOUNT: u64 = 999_999_999_999;

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, |body| {
        if body.ends_with(b"EXAMPLE") {
            return Some(Confidence::Low);
        }
        let account = account(body)?;
        let known = account <= LAST_ACCOUNT || body.starts_with(b"I") || body.starts_with(b"J");
        varied(body).then_some(if known {
            Confidence::High
        } else {
            Confidence::Medium
        })
    })
}

/// The number of the account, which stands in 40 bits behind the first; those that begin with `I` or `J` are of before and
/// tell none. None where it is no base32.
fn account(body: &[u8]) -> Option<u64> {
    let digit = |byte: &u8| BASE32.iter().position(|letter| letter == byte);
    let value = body.iter().try_fold(0_u128, |value, byte| {
        Some(value << 5 | u128::try_from(digit(byte)?).ok()?)
    })?;
    u64::try_from(value >> 39 & 0xff_ffff_ffff).ok()
}
