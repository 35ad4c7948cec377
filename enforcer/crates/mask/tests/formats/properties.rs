//! Random documents and bytes.

use enforcer_mask::body::{Kind, Rewriter};
use enforcer_mask::head::Head;
use enforcer_mask::{Direction, Place};
use proptest::prelude::*;
use serde_json::Value;

use crate::case::{Run, told};
use crate::rules;

/// Texts in which something is found, or nearly.
const PIECES: &[&str] = &[
    "Ada Lovelace",
    "Ada ",
    "Ångström",
    "536-22-1234",
    "4111111111111111",
    "\"",
    "\\",
    "\n",
    "\u{1f600}",
    "{\"a\": 1}",
    "{\"secret\": \"x\\n\"}",
    "[\"",
    "{",
    "&amp;",
    "<b>",
    "%41",
    "a",
    "  ",
    "é",
    "\u{0}",
    "ü,;",
];

fn run(kind: Kind) -> Run {
    Run {
        rules: rules::ruleset(),
        session: rules::session(),
        kind,
        direction: Direction::Request,
    }
}

fn text() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(PIECES);
    proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn document() -> impl Strategy<Value = Value> {
    let name = proptest::sample::select(
        &[
            "a",
            "b",
            "secret",
            "user",
            "pin",
            "list",
            "id",
            "\"",
            "536-22-1234",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::from),
        Just(Value::from(4_111_111_111_111_111_u64)),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let name = name.clone().prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The same arrays, objects and kinds of values, where masking made no text of them.
fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let mut rest: Vec<_> = other.iter().collect();
            one.len() == other.len()
                && one.iter().all(|(name, value)| {
                    let found = rest
                        .iter()
                        .position(|(known, _)| *known == name)
                        .or_else(|| {
                            rest.iter()
                                .position(|(known, _)| known.starts_with("[SSN]"))
                        });
                    found.is_some_and(|found| alike(value, rest.remove(found).1))
                })
        }
        (Value::Bool(_) | Value::Number(_), Value::String(_)) => true,
        (Value::String(_), Value::String(_)) => true,
        (one, other) => one == other,
    }
}

/// As a document is written with blanks everywhere and every letter an escape.
fn escaped(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap();
    let mut within = false;
    let mut behind = false;
    let mut digits = 0;
    let mut out = String::new();
    for letter in text.chars() {
        let plain = behind || digits > 0 || letter == '\\' || letter == '"';
        digits = if behind && letter == 'u' {
            4
        } else {
            usize::saturating_sub(digits, 1)
        };
        if within && !plain {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(letter);
        }
        within ^= letter == '"' && !behind;
        behind = letter == '\\' && !behind;
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn a_document_stays_a_document(value in document(), pretty in any::<bool>(), size in 1_usize..40) {
        let body = if pretty { escaped(&value) } else { value.to_string() };
        let run = run(Kind::Json);
        let whole = run.over([body.as_bytes()]);
        prop_assert_eq!(&whole.stop, &None);
        let out: Value = serde_json::from_slice(&whole.out).unwrap();
        prop_assert!(alike(&value, &out), "{} became {}", value, out);
        if whole.findings.is_empty() {
            prop_assert_eq!(body.as_bytes(), &whole.out);
        }
        prop_assert_eq!(&whole, &run.over(body.as_bytes().chunks(size)));
    }

    #[test]
    fn bytes_of_any_kind_are_cut_anywhere(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        words in proptest::collection::vec(proptest::sample::select(FRAGMENTS), 0..24),
        kind in kind(),
        size in 1_usize..9,
    ) {
        for body in [bytes, words.concat().into_bytes()] {
            let run = run(kind.clone());
            let whole = run.over([&body[..]]);
            let pieces = run.over(body.chunks(size));
            prop_assert_eq!(whole.stop.is_some(), pieces.stop.is_some(), "{:?} and {:?}", whole.stop, pieces.stop);
            if whole.stop.is_none() {
                prop_assert_eq!(&whole, &pieces);
                if whole.findings.is_empty() {
                    prop_assert_eq!(&body, &whole.out);
                }
            }
        }
    }
}

/// What bodies of all formats are made of.
const FRAGMENTS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "\\",
    "\\u0041",
    "\\u00",
    "\n",
    "\r\n",
    " ",
    "a",
    "secret",
    "Ada Lovelace",
    "Ada ",
    "4111111111111111",
    "536-22-1234",
    "1.5",
    "-",
    "=",
    "&",
    "&amp;",
    "&#",
    "%41",
    "%",
    "+",
    "<a>",
    "</a>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<b c='",
    "'",
    "/>",
    "--XX",
    "--XX--",
    "\r\n\r\n",
    "Content-Disposition: form-data; name=\"n\"",
    "data: ",
    "data",
    "event: ",
    "secret: ",
    "- ",
    "|",
    "\0",
    "ü",
    ";",
    "\t",
    "true",
    "null",
    "{\"secret\": \"",
    "#",
];

fn kind() -> impl Strategy<Value = Kind> {
    proptest::sample::select(vec![
        Kind::Binary,
        Kind::Csv { tabs: false },
        Kind::Events,
        Kind::Form,
        Kind::Json,
        Kind::JsonLines,
        Kind::Multipart("XX".to_owned()),
        Kind::Text,
        Kind::Unknown,
        Kind::Xml,
        Kind::Yaml,
    ])
}

#[test]
fn a_text_in_something_else_is_read_with_its_field_and_place() {
    let (rules, session) = (rules::ruleset(), rules::session());
    let check = |field, path, text: &str, becomes: &str, found: &[&str]| {
        let place = Place {
            direction: Direction::Answer,
            field,
            path,
        };
        for size in 1..=text.len() {
            let mut rewriter = Rewriter::text(place, &rules, &session);
            let mut out = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                rewriter.push(piece, &mut out).unwrap();
                assert!(str::from_utf8(&out).is_ok());
            }
            rewriter.finish(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), becomes);
            assert_eq!(told(&rewriter.take_findings()), found);
        }
    };
    check(
        Some("secret"),
        "$.a",
        "x",
        "[SECRET]",
        &["field:secret $.a"],
    );
    check(
        None,
        "$.user",
        "{\"pin\": 12, \"a\": \"\u{e9}\"}",
        "{\"pin\": \"[PIN]\", \"a\": \"\u{e9}\"}",
        &["path:$.user.pin $.user.pin"],
    );
    check(
        Some("a"),
        "$.a",
        "{\"b\": \"Ada Lovelace",
        "{\"b\": \"[CUSTOMER]",
        &["customer $.a.b"],
    );
    check(
        None,
        "",
        "\u{e9} Ada Lovelace",
        "\u{e9} [CUSTOMER]",
        &["customer $"],
    );
}

#[test]
fn a_secret_in_pieces_is_blocked_in_every_format() {
    let key = "sk_live_q7Zt3LmW9xKc2VbN5rYp8HdJ4sGf";
    let (one, other) = key.split_at(14);
    let bodies = [
        (
            Kind::Json,
            format!("{{\"a\": \"{one}\", \"b\": [\"{other}\"]}}"),
        ),
        (
            Kind::Json,
            format!("{{\"a\": \"\\u0073{}\", \"b\": \"{other}\"}}", &one[1..]),
        ),
        (Kind::Form, format!("a={one}&b={other}")),
        (
            Kind::Csv { tabs: false },
            format!("a,b\n{one},\"{other}\"\n"),
        ),
        (Kind::Xml, format!("<a b='{one}'>{other}</a>")),
        (Kind::Yaml, format!("a: {one}\nb: '{other}'\n")),
        (
            Kind::Multipart("XX".to_owned()),
            format!("--XX\r\n\r\n{one}\r\n--XX\r\n\r\n{other}\r\n--XX--"),
        ),
    ];
    for (kind, body) in bodies {
        for size in [1, 7, body.len()] {
            let run = Run {
                rules: rules::doors(),
                session: rules::session(),
                kind: kind.clone(),
                direction: Direction::Request,
            };
            let stop = run.over(body.as_bytes().chunks(size)).stop;
            assert_eq!(
                stop.as_ref().map(crate::case::stop),
                Some("block"),
                "{body}: {stop:?}"
            );
        }
    }
    let mut head = Head::new(&rules::doors(), &rules::session(), Direction::Request);
    assert!(head.target(&format!("/{one}?x={other}")).is_err());
    let mut head = Head::new(&rules::doors(), &rules::session(), Direction::Request);
    head.header("x-one", one.as_bytes()).unwrap();
    assert!(head.header("x-two", other.as_bytes()).is_err());
}

#[test]
fn no_body_is_held_as_a_whole() {
    let text = "lorem ipsum 12 dolor, sit \\u0041 amet\n";
    let bodies = [
        (Kind::Binary, "", "\u{1}some text 12\0\0".to_owned(), ""),
        (
            Kind::Csv { tabs: false },
            "a,b\n",
            "x y,12\n".to_owned(),
            "",
        ),
        (
            Kind::Csv { tabs: false },
            "a,b\n\"",
            "x y \"\"12\"\",\n".to_owned(),
            "\"\n",
        ),
        (Kind::Events, "", "data: {\"a\": 12}\n\n".to_owned(), ""),
        (Kind::Events, "data: ", "x y 12 ".to_owned(), "\n\n"),
        (Kind::Form, "a=", "x+y%20".to_owned(), "&b=c"),
        (Kind::Json, "{\"a\": \"", text.replace('\n', "\\n"), "\"}"),
        (Kind::Json, "[0", ", {\"a\": [12, \"x\"]}".to_owned(), "]"),
        (
            Kind::Json,
            "{\"a\": \"[\\\"\\\"",
            ", {\\\"a\\\": 12}".to_owned(),
            "]\"}",
        ),
        (Kind::JsonLines, "", "{\"a\": 12}\n".to_owned(), ""),
        (
            Kind::Multipart("XX".to_owned()),
            "--XX\r\n\r\n",
            "x y\r\n-".to_owned(),
            "\r\n--XX--",
        ),
        (Kind::Text, "", text.to_owned(), ""),
        (Kind::Unknown, "", "\u{fc} x ".to_owned(), ""),
        (
            Kind::Xml,
            "<a>",
            "<b c='12'>x &amp; y</b>".to_owned(),
            "</a>",
        ),
        (Kind::Xml, "<a><!--", "x - y 12 ".to_owned(), "--></a>"),
        (Kind::Yaml, "", "a: x y 12\n".to_owned(), ""),
        (Kind::Yaml, "a: |\n", "  x y 12\n".to_owned(), ""),
        (Kind::Yaml, "a: ", "x y 12 ".to_owned(), "\n"),
    ];
    for (kind, start, middle, end) in bodies {
        let (rules, session) = (rules::ruleset(), rules::session());
        let mut rewriter = Rewriter::new(kind.clone(), &rules, &session, Direction::Request);
        let mut out = Vec::new();
        rewriter.push(start.as_bytes(), &mut out).unwrap();
        let chunk = middle.repeat(8 * 1024 / middle.len());
        for _ in 0..128 {
            out.clear();
            rewriter.push(chunk.as_bytes(), &mut out).unwrap();
            assert!(
                rewriter.held() <= 8 * 1024,
                "{kind:?}: {} are held",
                rewriter.held()
            );
        }
        rewriter.push(end.as_bytes(), &mut out).unwrap();
        rewriter.finish(&mut out).unwrap();
        assert_eq!(rewriter.held(), 0);
    }
}

#[test]
fn what_is_nested_too_deep_is_not_read() {
    let run = |kind: Kind, body: String| {
        let run = run(kind);
        run.over([body.as_bytes()])
            .stop
            .as_ref()
            .map(crate::case::stop)
    };
    assert_eq!(
        run(
            Kind::Json,
            format!("{}{}", "[".repeat(100), "]".repeat(100))
        ),
        None
    );
    assert_eq!(run(Kind::Json, "[".repeat(200)), Some("undecidable"));
    assert_eq!(run(Kind::Xml, "<a>".repeat(200)), Some("undecidable"));
    let names: String = (0..40_000).map(|name| format!("\"{name}\": 1, ")).collect();
    assert_eq!(
        run(Kind::Json, format!("{{{names}\"x\": 1}}")),
        Some("undecidable")
    );
    let nested = (0..9).fold("\"Ada Lovelace\"".to_owned(), |inner, _| {
        serde_json::to_string(&serde_json::json!({ "a": inner })).unwrap()
    });
    let whole = self::run(Kind::Json).over([nested.as_bytes()]);
    assert_eq!(whole.stop, None);
    assert!(!String::from_utf8_lossy(&whole.out).contains("Lovelace"));
}
