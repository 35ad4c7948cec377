//! Private keys as 64 hexadecimal digits, which only words before them tell from a digest.

use super::coin::Coin;
use crate::context::Words;
use crate::{
    Confidence::{self, Medium},
    Detector, Family, Look, Sight, Wake, context,
};

pub(crate) static PRIVATE_KEY_HEX: Detector = Detector {
    name: "private_key_hex",
    family: Family::Crypto,
    wake: &[Wake::Solid(COIN.wakes())],
    longest: COIN.lengths.1,
    recognise,
    examples: &[],
};

const COIN: Coin = Coin {
    begins: &[
        b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9", b"a", b"b", b"c", b"d", b"e",
        b"f", b"A", b"B", b"C", b"D", b"E", b"F",
    ],
    lengths: (64, 66),
    weigh,
};

const WORDS: Words = Words::new(&[
    "private key",
    "priv key",
    "privkey",
    "secret key",
    "wallet key",
    "signing key",
    "eth key",
    "deployer key",
    "validator key",
    "sk",
]);

fn recognise(look: &Look<'_>) -> Sight {
    match COIN.judge(look) {
        // Digests are many, and no text is kept back for them.
        Sight::Open { start }
            if !could_be(&look.text[start..]) || !context::told(look, start, &WORDS) =>
        {
            Sight::Nothing
        }
        sight => sight,
    }
}

fn could_be(value: &[u8]) -> bool {
    value
        .strip_prefix(b"0x")
        .unwrap_or(value)
        .iter()
        .all(u8::is_ascii_hexdigit)
}

fn weigh(look: &Look<'_>, start: usize, value: &[u8]) -> Option<Confidence> {
    let hex = value.strip_prefix(b"0x").unwrap_or(value);
    let varied = hex.iter().any(|byte| *byte != hex[0]);
    (hex.len() == 64 && varied && could_be(hex) && context::told(look, start, &WORDS))
        .then_some(Medium)
}
