//! How fast bodies go through their rewriters in which nothing is to be found, with every detector awake.
//!
//! `bodies [SECONDS] [ONLY]`

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use enforcer_mask::body::{Kind, Rewriter};
use enforcer_mask::{
    Action, Confidence, Direction, Keys, Rule, Ruleset, Session, Settings, VaultLimits, What,
};

const MEBIBYTE: usize = 1 << 20;

/// Short enough that a round is not disturbed on a busy machine.
const BODY: usize = 128 * 1024;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments
        .next()
        .map_or(Ok(1.0), |seconds| seconds.parse())?;
    let only = arguments.next();
    let multipart = Kind::Multipart("XX".to_owned());
    let part = format!("--XX\r\n\r\n{}\r\n--XX--", prose(BODY));
    for (what, kind, body) in [
        ("json, records", Kind::Json, records(BODY)),
        ("json, a chat", Kind::Json, chat(BODY)),
        ("json, a chat of 2 KB", Kind::Json, chat(2048)),
        ("json, escapes", Kind::Json, escapes(BODY)),
        ("json in json", Kind::Json, nested(BODY)),
        ("text", Kind::Text, prose(BODY)),
        ("form", Kind::Form, form(BODY)),
        ("csv", Kind::Csv { tabs: false }, csv(BODY)),
        ("multipart", multipart, part),
    ] {
        if only
            .as_ref()
            .is_none_or(|only| what.contains(only.as_str()))
        {
            measure(what, &kind, body.as_bytes(), seconds)?;
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are small")]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn measure(what: &str, kind: &Kind, body: &[u8], seconds: f64) -> Result<()> {
    let rule = Rule {
        id: "all".to_owned(),
        what: vec![What::Named("all".to_owned())],
        action: Action::Redact,
        direction: None,
        least: Confidence::Medium,
    };
    let rules = Ruleset::new(&[rule], Settings::default());
    let rules = Arc::new(rules.map_err(|_| anyhow::anyhow!("the rules are wrong"))?);
    let session = Session::new(&Keys::new(&[7; 32]), "tenant", VaultLimits::default());
    let session = Arc::new(session);
    let mut out = Vec::with_capacity(body.len());
    let mut best = f64::MAX;
    let mut found = 0;
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < seconds {
        let rounds = (MEBIBYTE / body.len()).clamp(1, 500);
        let one = Instant::now();
        for _ in 0..rounds {
            out.clear();
            let mut rewriter = Rewriter::new(kind.clone(), &rules, &session, Direction::Request);
            for chunk in body.chunks(16 * 1024) {
                rewriter.push(black_box(chunk), &mut out)?;
            }
            rewriter.finish(&mut out)?;
            found = rewriter.take_findings().len();
        }
        best = best.min(one.elapsed().as_secs_f64() / rounds as f64);
    }
    let speed = body.len() as f64 / best / MEBIBYTE as f64;
    let micros = best * 1e6;
    println!("{what:24} {speed:7.0} MiB/s {micros:9.1} us {found:4} found");
    Ok(())
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

    fn word(&mut self) -> &'static str {
        const WORDS: &[&str] = &[
            "the", "of", "request", "which", "we", "changed", "in", "a", "test", "should",
            "return", "an", "empty", "list", "when", "user", "asks", "because", "function",
            "reads", "file", "twice", "please", "explain", "network", "slow",
        ];
        let place = self.next(WORDS.len() as u64);
        usize::try_from(place)
            .ok()
            .and_then(|place| WORDS.get(place))
            .copied()
            .unwrap_or_default()
    }
}

fn until(length: usize, mut add: impl FnMut(&mut Chance, &mut String)) -> String {
    let mut chance = Chance(0x2545_F491_4F6C_DD1D);
    let mut text = String::new();
    while text.len() < length {
        add(&mut chance, &mut text);
    }
    text
}

fn prose(length: usize) -> String {
    until(length, |chance, text| {
        text.push_str(chance.word());
        text.push_str(if chance.next(12) == 0 { ".\n" } else { " " });
    })
}

fn records(length: usize) -> String {
    let all = until(length, |chance, text| {
        let (id, count, price) = (chance.next(1 << 40), chance.next(5000), chance.next(90));
        let (one, other, third) = (chance.word(), chance.word(), chance.word());
        let _ = write!(
            text,
            "{{\"role\":\"user\",\"id\":\"msg-{id:012x}\",\"title\":\"{one} {other} {third}\",\"index\":{count},\"price\":{price}.5,\"tags\":[\"{one}\",\"{other}\"],\"done\":false}},"
        );
    });
    format!("{{\"records\":[{all}0]}}")
}

fn chat(length: usize) -> String {
    let all = until(length, |_, text| {
        let said = prose(700).replace('\n', " ");
        let _ = write!(text, "{{\"role\":\"user\",\"content\":\"{said}\"}},");
    });
    format!("{{\"model\":\"m-large\",\"stream\":true,\"messages\":[{all}{{}}]}}")
}

fn escapes(length: usize) -> String {
    let all = prose(length)
        .replace('\n', "\\n")
        .replace("the", "\\u0074he");
    format!("{{\"text\":\"{all}\"}}")
}

fn nested(length: usize) -> String {
    let inner = records(length).replace('"', "\\\"");
    format!("{{\"arguments\":\"{inner}\"}}")
}

fn form(length: usize) -> String {
    let all = until(length, |chance, text| {
        let (one, other) = (chance.word(), chance.word());
        let _ = write!(text, "{one}={other}+{one}%20{other}&");
    });
    format!("{all}z=1")
}

fn csv(length: usize) -> String {
    let all = until(length, |chance, text| {
        let (one, other, number) = (chance.word(), chance.word(), chance.next(1000));
        let _ = writeln!(text, "{one},{number},\"{other} {one}\",{other}");
    });
    format!("a,b,c,d\n{all}")
}
