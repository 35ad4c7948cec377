//! Texts that nobody would write: sets that come with the enforcer, cut up and put together again with what parsers stumble
//! over. Each is compiled or refused with a reason, and what was compiled answers whatever is asked.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use enforcer_flow::{Host, Protocol};
use enforcer_policy::{Body, PolicySet, Question, Request, Source};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::workload;

/// What is put in.
const ODD: [&str; 52] = [
    "",
    " ",
    "\t",
    "\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "ß",
    "İ",
    "-",
    "- ",
    "? ",
    ": ",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "!tag ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "\\",
    "\"\\ud800\"",
    "%",
    "#",
    "---\n",
    "...\n",
    "{",
    "}",
    "[",
    "]",
    "[[[[[[[[[[[[[[[[",
    "~",
    "null",
    "true",
    ".inf",
    "-0",
    "0x7fffffffffffffff",
    "18446744073709551616",
    "1e400",
    "9999999999999999 TiB",
    "(((((((((((((((((((((((((((((((((((((((((((((((((",
    "(a{999}){999}",
    "[a-\\x{10ffff}]{1000}",
    "a.b.c.d(e, f)[g] ? h : i",
    "lists.x.exists(y, y.all(z, z == y))",
    "0.0.0.0/0",
    "*.*",
    "/**/**/**/**/**/a",
];
/// Longest that one text may take here, without optimisation and beside other tests.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Debug)]
enum Edit {
    /// Leaves out so many characters.
    Cut(Index, usize),
    /// Puts something odd in.
    Put(Index, Index),
    /// Says some lines once more somewhere else.
    Repeat(Index, Index, usize),
    /// Puts one word in the place of another.
    Swap(Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 1usize..40).prop_map(|(at, many)| Edit::Cut(at, many)),
        (at(), at()).prop_map(|(at, what)| Edit::Put(at, what)),
        (at(), at(), 1usize..6).prop_map(|(from, to, many)| Edit::Repeat(from, to, many)),
        (at(), at()).prop_map(|(one, other)| Edit::Swap(one, other)),
    ]
}

impl Edit {
    fn make(&self, text: &str) -> String {
        match self {
            Self::Cut(at, many) => {
                let mut left: Vec<char> = text.chars().collect();
                let start = at.index(left.len() + 1);
                left.drain(start..(start + many).min(left.len()));
                left.into_iter().collect()
            }
            Self::Put(at, what) => {
                let mut put: Vec<char> = text.chars().collect();
                let start = at.index(put.len() + 1);
                put.splice(start..start, ODD[what.index(ODD.len())].chars());
                put.into_iter().collect()
            }
            Self::Repeat(from, to, many) => {
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                let from = from.index(lines.len() + 1);
                let said = lines[from..(from + many).min(lines.len())].to_vec();
                let to = to.index(lines.len() + 1);
                lines.splice(to..to, said);
                lines.concat()
            }
            Self::Swap(one, other) => {
                let mut words: Vec<&str> = text.split_inclusive([' ', '\n', ',']).collect();
                if !words.is_empty() {
                    let (one, other) = (one.index(words.len()), other.index(words.len()));
                    words.swap(one, other);
                }
                words.concat()
            }
        }
    }
}

/// Every policy that comes with the enforcer.
fn shipped() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../policies/examples");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut texts: Vec<PathBuf> = files
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".yaml") && !name.ends_with(".cases.yaml")
        })
        .collect();
    texts.sort();
    texts
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

fn answers(set: &PolicySet) {
    let headers: HeaderMap = [(http::header::UPGRADE, HeaderValue::from_static("websocket"))]
        .into_iter()
        .collect();
    for (protocol, host) in [
        (Protocol::Https, "api.openai.com"),
        (Protocol::Http, "10.0.0.1"),
        (Protocol::Tls, "x.example"),
        (Protocol::Dns, "a.b.example"),
    ] {
        let (workload, host) = (workload("agent", None), Host::parse(host).unwrap());
        for body in [Body::None, Body::Later, Body::Unread] {
            let request = Request {
                headers: Some(&headers),
                body,
                ..Request::new("GET", "/v1/realtime")
            };
            let question = Question::new(&workload, protocol, &host, 443).with_request(request);
            let explanation = set.explain(&question);
            assert_eq!(explanation.decision, set.evaluate(&question));
        }
    }
}

/// How many to try; more of them find more.
fn cases() -> ProptestConfig {
    let asked = std::env::var("ODD_CASES").ok();
    let cases = asked.and_then(|cases| cases.parse().ok()).unwrap_or(48);
    ProptestConfig::with_cases(cases)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_text_is_too_odd(
        which in any::<Index>(),
        edits in prop::collection::vec(edit(), 1..7),
    ) {
        let shipped = shipped();
        let text = &shipped[which.index(shipped.len())];
        let text = edits.iter().fold(text.clone(), |text, edit| edit.make(&text));
        let started = Instant::now();
        let source = Source { name: "odd.yaml", text: &text };
        match PolicySet::compile(&[source]) {
            Ok((set, _)) => answers(&set),
            Err(found) => prop_assert!(found.iter().any(|own| own.is_error()), "refused without a reason"),
        }
        prop_assert!(started.elapsed() < PATIENCE, "took {:?}", started.elapsed());
    }
}

/// What would take a parser that calls itself past its stack, or for a walk without an end.
#[test]
fn what_is_nested_or_repeated_without_end_is_refused_or_bounded() {
    let when = |text: String| format!("  when: {text:?}\n");
    let many = |text: &str| text.repeat(20_000);
    for more in [
        when(format!("{}true{}", many("("), many(")"))),
        when(format!("{}true", many("!"))),
        when(format!("{}1 == 1", many("-"))),
        when(format!("1{} > 0", many(" + 1"))),
        when(format!("true{}", many(" && true"))),
        when(format!("model{}", many(".a"))),
        when(format!("model{}", many("[0]"))),
        when(format!("{}1{} == []", many("["), many("]"))),
        when(format!("true{}", many(" ? true : false"))),
        when(many("size(")),
        format!("  header: {}x{}\n", many("["), many("]")),
        format!("  header: {}x{}\n", many("{a: "), many("}")),
        format!(
            "  x:\n{}",
            (0..2_000)
                .map(|n| format!("{}a:\n", " ".repeat(n + 4)))
                .collect::<String>()
        ),
        format!("  model: {{ not: {} }}\n", many("{ not: ")),
    ] {
        let text = format!(
            "version: 1\nname: p\nrules:\n- id: a\n  effect: allow\n  match: {{ host: x.example }}\n{more}"
        );
        let started = Instant::now();
        let source = Source {
            name: "odd.yaml",
            text: &text,
        };
        let shown: String = more.chars().take(40).collect();
        if let Err(found) = PolicySet::compile(&[source]) {
            assert!(found.iter().any(|own| own.is_error()), "{shown}");
        }
        assert!(
            started.elapsed() < PATIENCE,
            "{shown}: {:?}",
            started.elapsed()
        );
    }
}
