//! Whether bytes were drawn by chance, as secrets are, or written by somebody.

use super::token::names;

/// Words that stand in for a secret in examples and templates.
const STAND_INS: [&str; 18] = [
    "example",
    "placeholder",
    "your",
    "xxxx",
    "dummy",
    "redacted",
    "changeme",
    "change-me",
    "change_me",
    "insert",
    "replace",
    "sample",
    "fakefake",
    "****",
    "....",
    "secret-here",
    "token-here",
    "key-here",
];

/// In what is longer, chance makes short words.
const SHORT: usize = 64;

/// A stand-in for a secret: a word such as `your-key`, or the same byte or the next one over and over.
pub(super) fn stand_in(bytes: &[u8]) -> bool {
    let stands = |word: &str| (bytes.len() <= SHORT || word.len() > 5) && names(bytes, word);
    monotonous(bytes) || STAND_INS.iter().any(|word| stands(word))
}

/// Seven times the same byte, or eight in the order of the alphabet.
fn monotonous(bytes: &[u8]) -> bool {
    let (mut same, mut rising) = (1, 1);
    for pair in bytes.windows(2) {
        same = if pair[0] == pair[1] { same + 1 } else { 1 };
        rising = if pair[0].checked_add(1) == Some(pair[1]) {
            rising + 1
        } else {
            1
        };
        if same >= 7 || rising >= 8 {
            return true;
        }
    }
    false
}

/// Not a stand-in, and with as many different bytes as a token of its length has.
pub(super) fn varied(bytes: &[u8]) -> bool {
    distinct(bytes) >= (bytes.len() / 3).min(8) && !stand_in(bytes)
}

/// Varied, and no words: what a prefix asks of letters that may be lower and upper case.
pub(super) fn drawn(bytes: &[u8]) -> bool {
    varied(bytes) && !worded(bytes)
}

/// Looks drawn by chance without anything beside it: long, of many bytes, with letters and digits or both cases mixed.
pub(super) fn random(bytes: &[u8]) -> bool {
    bytes.len() >= 16
        && entropy(bytes) >= 3.0
        && changes(bytes) * 5 >= bytes.len()
        && drawn(bytes)
        && !identifier(bytes)
}

/// Shannon's entropy, in bits a byte.
pub(super) fn entropy(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let total = bytes.len() as f64;
    let share = |count: &u32| f64::from(*count) / total;
    -counts
        .iter()
        .filter(|count| **count > 0)
        .map(share)
        .map(|share| share * share.log2())
        .sum::<f64>()
}

fn distinct(bytes: &[u8]) -> usize {
    let mut seen = [0_u64; 4];
    for byte in bytes {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|part| part.count_ones() as usize).sum()
}

/// How often a small letter, a capital and a digit take turns.
fn changes(bytes: &[u8]) -> usize {
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0_u8,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    bytes
        .windows(2)
        .filter(|pair| class(pair[0]) != class(pair[1]))
        .count()
}

/// Words with something between them: `prod-db-password-2`, `com.example.Thing`.
pub(super) fn worded(bytes: &[u8]) -> bool {
    let mut parts = bytes
        .split(|byte| !byte.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty());
    parts.all(|part| {
        let digits = part.iter().filter(|byte| byte.is_ascii_digit()).count();
        digits == part.len() && part.len() < 6 || digits <= 2 && word(&part[..part.len() - digits])
    })
}

/// Names with numbers in them, as code has: `x25519_private_key`, `D3D10_TYPE`, `Curve25519SeedBin`.
fn identifier(bytes: &[u8]) -> bool {
    let mut parts = bytes.split(|byte| !byte.is_ascii_alphanumeric());
    parts.all(|part| {
        let numbers = part.chunk_by(|one, other| one.is_ascii_digit() == other.is_ascii_digit());
        let words = part
            .split(u8::is_ascii_digit)
            .filter(|word| !word.is_empty());
        numbers.filter(|run| run[0].is_ascii_digit()).count() <= 2 && words.into_iter().all(word)
    })
}

/// Letters with at most one capital each three: a word, or several in camel case.
fn word(part: &[u8]) -> bool {
    let capitals = part.iter().filter(|byte| byte.is_ascii_uppercase()).count();
    part.iter().all(u8::is_ascii_alphabetic)
        && (capitals * 4 <= part.len() + 3 || capitals == part.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_drawn_is_told_from_what_was_written() {
        for drawn in [
            "q8Zt3LmX0vRb7NcK",
            "9f86d081884c7d659a2feaa0c55ad015",
            "mF_9.B5f-4.1JqM7xQ2",
            "k3jx82hsn1la90qpz7",
        ] {
            assert!(random(drawn.as_bytes()), "{drawn}");
        }
        for written in [
            "prod-database-password-2",
            "com.example.service.TokenProvider",
            "getSecretAccessKeyFromVault",
            "your-api-key-goes-here1",
            "xxxxxxxxxxxxxxxxxxxx",
            "12345678901234567890",
            "abcdefghijklmnop1234",
            "a1a1a1a1a1a1a1a1a1a1",
            "MY_SECRET_TOKEN_NAME",
            "eu-central-1-prod-01",
            "x25519_generate_private_key",
            "D3D10_SB_RESOURCE_RETURN_TYPE",
            "X509RequestInheritOptions",
        ] {
            assert!(!random(written.as_bytes()), "{written}");
        }
    }
}
