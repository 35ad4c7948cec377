//! How fast texts go through that hold nothing to be found.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use enforcer_mask::{Confidence, Direction, Masker, Place};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use crate::{events, everything, session};

const MEBIBYTE: usize = 1 << 20;

/// One figure.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    /// Bytes a second, in MiB.
    mebibytes_a_second: f64,
    /// For one text.
    microseconds: f64,
    bytes: usize,
}

impl Row {
    /// Of a text that takes so many microseconds.
    #[expect(clippy::cast_precision_loss, reason = "texts are short")]
    pub(crate) fn of(what: &'static str, microseconds: f64, bytes: usize) -> Self {
        Self {
            what,
            mebibytes_a_second: bytes as f64 / microseconds.max(f64::MIN_POSITIVE) * 1e6
                / MEBIBYTE as f64,
            microseconds,
            bytes,
        }
    }

    pub(crate) fn shown(&self) -> String {
        if self.bytes < MEBIBYTE / 2 {
            format!("{:.1} us", self.microseconds)
        } else {
            format!("{:.0} MiB/s", self.mebibytes_a_second)
        }
    }
}

pub(crate) fn rows(seconds: f64, only: Option<&str>) -> Result<Vec<Row>> {
    let (json, prose) = (json(MEBIBYTE), prose(MEBIBYTE));
    let encoded = encoded(MEBIBYTE);
    let chat = &json[..2048];
    let mut rows = Vec::new();
    for (what, decode, text) in [
        ("JSON, nothing decoded", false, json.as_str()),
        ("prose, nothing decoded", false, &prose),
        ("JSON", true, &json),
        ("prose", true, &prose),
        ("every layer of encodings", true, &encoded),
        ("a chat request of 2 KB", true, chat),
    ] {
        if only.is_none_or(|only| what.contains(only)) {
            rows.push(row(what, decode, text.as_bytes(), seconds)?);
        }
    }
    rows.extend(events::rows(&prose[..2048], seconds, only)?);
    Ok(rows)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are small")]
fn row(what: &'static str, decode: bool, text: &[u8], seconds: f64) -> Result<Row> {
    let rules = everything(Confidence::Medium, decode)?;
    let place = Place {
        direction: Direction::Request,
        field: None,
        path: "$.messages[0].content",
    };
    let mut masker = Masker::new(&rules, &session(), place);
    let mut out = Vec::with_capacity(text.len());
    let mut once = || {
        out.clear();
        masker.restart(place);
        masker.push(black_box(text), &mut out)?;
        masker.finish(&mut out)
    };
    let rounds = (MEBIBYTE / text.len()).clamp(1, 1000);
    let mut best = f64::MAX;
    if seconds == 0.0 {
        once()?;
    }
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < seconds {
        let one = spent();
        for _ in 0..rounds {
            once()?;
        }
        best = best.min((spent() - one) / rounds as f64);
    }
    for finding in masker.take_findings().iter().take(3) {
        crate::show(&format!(
            "in {what}: {} at {}",
            finding.detector, finding.offset
        ));
    }
    Ok(Row::of(what, best * 1e6, text.len()))
}

/// What this thread used of the processor, in seconds: others on it do not count.
#[expect(clippy::cast_precision_loss, reason = "a run takes seconds")]
fn spent() -> f64 {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    used.tv_sec as f64 + used.tv_nsec as f64 / 1e9
}

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let place = self.next(all.len() as u64);
        all.get(usize::try_from(place).unwrap_or(0))
            .copied()
            .unwrap_or("")
    }

    fn hex(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(b"0123456789abcdef"[usize::try_from(self.next(16)).unwrap_or(0)]))
            .collect()
    }
}

const WORDS: &[&str] = &[
    "the", "of", "and", "request", "which", "we", "changed", "in", "a", "test", "should", "return",
    "an", "empty", "list", "when", "user", "asks", "for", "it", "because", "function", "reads",
    "file", "twice", "Please", "explain", "what", "happens", "if", "network", "is", "slow",
    "answer", "takes", "longer", "than", "expected", "error", "handling",
];

fn sentence(chance: &mut Chance) -> String {
    let words = 6 + chance.next(12);
    let mut all: Vec<_> = (0..words).map(|_| chance.of(WORDS)).collect();
    all.push(chance.of(&[
        "today.",
        "again.",
        "(see below).",
        "so far,",
        "at last;",
        "by then.",
    ]));
    all.join(" ")
}

fn prose(length: usize) -> String {
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&sentence(&mut chance));
        text.push_str(chance.of(&[" ", " ", " ", "\n\n"]));
    }
    text.truncate(length);
    text
}

fn json(length: usize) -> String {
    let mut chance = Chance(0x2545_F491_4F6C_DD1D);
    let mut text = String::from("{\"model\":\"m-large\",\"stream\":true,\"messages\":[");
    while text.len() < length {
        let (id, sha) = (chance.hex(12), chance.hex(40));
        let (said, more) = (sentence(&mut chance), sentence(&mut chance));
        let (count, price) = (chance.next(5000), chance.next(90));
        text.push_str(&format!(
            "{{\"role\":\"user\",\"id\":\"msg-{id}\",\"content\":\"{said} {more}\",\"commit\":\"{sha}\",\"index\":{count},\"price\":{price}.5,\"tags\":[\"alpha\",\"beta\"],\"created\":\"2025-11-03T10:15:30Z\",\"done\":false}},"
        ));
    }
    text.truncate(length);
    text
}

/// Prose in which every few words something is encoded, in one way or another.
fn encoded(length: usize) -> String {
    let mut chance = Chance(0x1234_5678_9ABC_DEF1);
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&sentence(&mut chance));
        text.push_str(chance.of(&[
            " a%20path%2Fto%2Fit ",
            " dGhpcyBpcyBvbmx5IHNvbWUgdGV4dCB0byByZWFk ",
            " ORUGS4ZANFZSA33ONR4SA43PNVSSA5DFPB2A==== ",
            " 74686973206973206f6e6c7920736f6d652074657874 ",
            " fish &amp; chips &#39;here&#39; ",
            " caf\\u00e9 au lait ",
            " ｆｕｌｌ width ",
            " zero\u{200b}width ",
            " раssage ",
        ]));
    }
    let mut end = length;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
