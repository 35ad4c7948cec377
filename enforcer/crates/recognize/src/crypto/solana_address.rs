//! Solana addresses: 32 bytes in Base58 without a check, which only words before them tell.

use crate::context::Words;
use crate::{Confidence::Medium, Detector, Family, Look, Sight, Solid, Wake, context, solid};

pub(crate) static SOLANA_ADDRESS: Detector = Detector {
    name: "solana_address",
    family: Family::Crypto,
    wake: &[Wake::Solid(Solid::any(LENGTHS))],
    longest: LENGTHS.1,
    recognise,
    examples: &[
        "So11111111111111111111111111111111111111112",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "11111111111111111111111111111111",
    ],
};

/// The fewest and the most bytes.
const LENGTHS: (usize, usize) = (32, 44);

const WORDS: Words = Words::new(&[
    "solana",
    "sol",
    "spl",
    "phantom",
    "sol wallet",
    "solana address",
    "solana wallet",
    "mint",
    "lamports",
    "pubkey",
]);

/// A letter or digit of Base58.
static BASE58: [bool; 256] = {
    let mut all = [false; 256];
    let mut byte = 0;
    while byte < 0x80 {
        let own = byte as u8;
        all[byte] = own.is_ascii_alphanumeric() && !matches!(own, b'0' | b'O' | b'I' | b'l');
        byte += 1;
    }
    all
};

/// Any letter or digit begins one; so the words come first.
fn recognise(look: &Look<'_>) -> Sight {
    let (start, (least, most)) = (solid::begin(look.text, look.at), LENGTHS);
    let rest = &look.text[start..];
    let length = rest
        .iter()
        .take(most + 1)
        .take_while(|byte| BASE58[usize::from(**byte)])
        .count();
    let open = length == rest.len() && !look.last;
    let foreign = rest.get(length).is_some_and(u8::is_ascii_alphanumeric);
    if length > most || foreign || (length < least && !open) || !context::told(look, start, &WORDS)
    {
        return Sight::Nothing;
    }
    if open {
        return Sight::Open { start };
    }
    let mut bytes = [0; 33];
    match bs58::decode(&rest[..length]).onto(&mut bytes[..]) {
        Ok(32) => Sight::Found {
            span: start..start + length,
            confidence: Medium,
        },
        Ok(_) | Err(_) => Sight::Nothing,
    }
}
