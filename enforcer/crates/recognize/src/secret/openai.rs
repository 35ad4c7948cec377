//! OpenAI: `sk-`, and within it the mark `T3BlbkFJ`.

use super::alphabet::Alphabet;
use super::chance::{drawn, random};
use super::token::Token;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Keys of the API, of projects, service accounts and for administration; also those that others write alike.
pub(super) static DETECTOR: Detector = Detector {
    name: "openai_api_key",
    family: Family::Secret,
    wake: &[Wake::Prefix("sk-")],
    longest: 223,
    recognise,
    examples: &[],
};

const TOKEN: Token = Token {
    prefixes: &["sk-"],
    body: Alphabet::URL,
    length: (20, 220),
};

fn recognise(look: &Look<'_>) -> Sight {
    TOKEN.see(look, judge)
}

fn judge(body: &[u8]) -> Option<Confidence> {
    // Anthropic's and OpenRouter's have detectors of their own.
    if body.starts_with(b"ant-") || body.starts_with(b"or-v1-") || !drawn(body) {
        return None;
    }
    let marked = body.windows(8).any(|part| part == b"T3BlbkFJ");
    let kind = KINDS
        .iter()
        .find_map(|kind| body.strip_prefix(kind.as_bytes()));
    match kind {
        _ if marked => Some(Confidence::High),
        Some(rest) => (rest.len() >= 40 && random(rest)).then_some(Confidence::High),
        None => (body.len() >= 32 && random(body)).then_some(Confidence::Medium),
    }
}

/// What stands behind `sk-` in keys of other kinds than the first.
const KINDS: [&str; 4] = ["proj-", "svcacct-", "admin-", "None-"];
