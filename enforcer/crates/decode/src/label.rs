//! Host names that carry data in their labels: encoded text, or what no person and no service would call a host.

use crate::decoder::{Decoder, Limits};
use crate::layers::Layers;

/// Shorter labels carry too little.
const SHORTEST: usize = 12;

/// What is odd about a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Oddity {
    /// It is text under an encoding.
    Encoded(Layers),
    /// Several labels are as chance would have them, as data cut into labels is.
    Many,
    /// It is as chance would have it.
    Random,
}

/// How much a name looks like it carries data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suspicion {
    /// Between 0 and 1.
    pub score: f32,
    /// The label that tells most, counted from the left, and what is odd about it.
    pub label: Option<(usize, Oddity)>,
}

/// Judges `host`, whose last two labels are its owner's and not looked at.
#[must_use]
pub fn labels(host: &str) -> Suspicion {
    let all: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let own = &all[..all.len().saturating_sub(2)];
    let mut worst = Suspicion::default();
    let (mut random, mut bytes) = (0, 0);
    for (i, label) in own.iter().enumerate() {
        let found = judge(label);
        if found.score >= 0.3 {
            (random, bytes) = (random + 1, bytes + label.len());
        }
        if found.score > worst.score {
            worst = Suspicion {
                score: found.score,
                label: found.label.map(|(_, oddity)| (i, oddity)),
            };
        }
    }
    if random >= 2 && bytes >= 48 && worst.score < 0.8 {
        worst.score = 0.8;
        worst.label = worst.label.map(|(i, _)| (i, Oddity::Many));
    }
    // The same encoded text cut into labels says nothing until it is put together.
    let joined: String = own.concat();
    if own.len() > 1
        && worst.score < 0.9
        && let Some(layers) = encoded(&joined)
    {
        worst = Suspicion {
            score: 0.9,
            label: Some((0, Oddity::Encoded(layers))),
        };
    }
    worst
}

fn judge(label: &str) -> Suspicion {
    let odd = |score, oddity| Suspicion {
        score,
        label: Some((0, oddity)),
    };
    if label.len() < SHORTEST || label.starts_with("xn--") {
        return Suspicion::default();
    }
    if let Some(layers) = encoded(label) {
        return odd(0.9, Oddity::Encoded(layers));
    }
    // Parts between hyphens are words or numbers of services; data has none, or is cut at the same lengths.
    let part = label
        .split('-')
        .max_by_key(|part| part.len())
        .unwrap_or(label);
    let digest = part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let random = randomness(part);
    let score = match part.len() {
        // Services name things by digests of these lengths.
        32 | 40 if digest => 0.2,
        24.. if digest && random > 0.5 => 0.3,
        48.. if random > 0.5 => 0.8,
        32.. if random > 0.5 => 0.6,
        20.. if random > 0.6 => 0.3,
        _ => 0.0,
    };
    if score == 0.0 {
        return Suspicion::default();
    }
    odd(score, Oddity::Random)
}

/// What has to be taken off a label for text, if all of it is text.
fn encoded(label: &str) -> Option<Layers> {
    let limits = Limits {
        depth: 1,
        layers: Layers::BASE32 | Layers::BASE64 | Layers::HEX,
        ..Limits::default()
    };
    let label: String = label.split('-').collect();
    let mut found = None;
    Decoder::new(&limits).push(label.as_bytes(), true, &mut |view| {
        let text = view.text();
        let source = view.source(0..text.len()).unwrap_or_default();
        let words = text
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric() || **byte == b' ')
            .count();
        // All of it but a rest that makes no byte, and rather words than signs.
        if source.end + 3 >= label.len() as u64 && source.start < 16 && words * 4 >= text.len() * 3
        {
            found = Some(view.layers());
        }
    });
    found
}

/// How far from words: by digits among letters, by runs of consonants, by letters that differ; between 0 and 1.
fn randomness(part: &str) -> f32 {
    let bytes = part.as_bytes();
    let len = bytes.len().max(1) as f32;
    let kinds = |byte: &u8| match byte.to_ascii_lowercase() {
        b'a' | b'e' | b'i' | b'o' | b'u' | b'y' => 0,
        b'0'..=b'9' => 2,
        _ => 1,
    };
    let changes = bytes
        .windows(2)
        .filter(|pair| (kinds(&pair[0]) == 2) != (kinds(&pair[1]) == 2))
        .count() as f32;
    let vowels = bytes.iter().filter(|byte| kinds(byte) == 0).count() as f32;
    let letters = bytes.iter().filter(|byte| kinds(byte) != 2).count().max(1) as f32;
    let mut seen = [0_u32; 256];
    for byte in bytes {
        seen[usize::from(*byte)] += 1;
    }
    let entropy: f32 = seen
        .iter()
        .filter(|count| **count > 0)
        .map(|count| *count as f32 / len)
        .map(|share| -share * share.log2())
        .sum();
    let mixed = (changes / len * 3.0).min(1.0);
    let mute = (1.0 - vowels / letters / 0.35).clamp(0.0, 1.0);
    let spread = ((entropy - 3.0) / 1.5).clamp(0.0, 1.0);
    (mixed * 0.5 + mute * 0.25 + spread * 0.35).min(1.0)
}
