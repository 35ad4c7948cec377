//! Documents with more than one meaning, or none: a table of causes and places.

use enforcer_prompt::json::Document;
use enforcer_prompt::{Cause, Limits};
use proptest::prelude::*;

fn wrong(text: &[u8]) -> Option<(Cause, String)> {
    Document::parse(text, &Limits::default())
        .err()
        .map(|undecidable| (undecidable.cause, undecidable.place))
}

#[test]
fn documents_with_two_meanings_are_refused_with_cause_and_place() {
    for (text, cause, place) in [
        (&b""[..], Cause::Empty, ""),
        (b" \n", Cause::Empty, ""),
        (b"\xef\xbb\xbf{}", Cause::Malformed, ""),
        (br#"{"a":1,"a":2}"#, Cause::DuplicateKey, "/a"),
        (
            br#"{"x":[{"b/c":1,"b\/c":2}]}"#,
            Cause::DuplicateKey,
            "/x/0/b~1c",
        ),
        (br#"{"a":1,"\u0061":2}"#, Cause::DuplicateKey, "/a"),
        (b"{\"a\":\"\xff\"}", Cause::InvalidUnicode, ""),
        (b"{\"a\":\"\xed\xa0\x80\"}", Cause::InvalidUnicode, ""),
        (br#"{"a":"\ud800"}"#, Cause::InvalidUnicode, "/a"),
        (br#"{"a":"\udc00"}"#, Cause::InvalidUnicode, "/a"),
        (br#"{"a":"\ud800\u0041"}"#, Cause::InvalidUnicode, "/a"),
        (br#"{"a":NaN}"#, Cause::Malformed, "/a"),
        (br#"{"a":Infinity}"#, Cause::Malformed, "/a"),
        (br#"{"a":1e400}"#, Cause::Number, "/a"),
        (br#"{"a":1e-400}"#, Cause::Number, "/a"),
        (br#"{"a":18446744073709551616}"#, Cause::Number, "/a"),
        (br#"[-9223372036854775809]"#, Cause::Number, "/0"),
        (br#"{"a":01}"#, Cause::Malformed, ""),
        (br#"{"a":1.}"#, Cause::Malformed, "/a"),
        (br#"{"a":+1}"#, Cause::Malformed, "/a"),
        (br#"{"a":'x'}"#, Cause::Malformed, "/a"),
        (br#"{a:1}"#, Cause::Malformed, ""),
        (br#"{"a":1,}"#, Cause::Malformed, ""),
        (br#"[1,]"#, Cause::Malformed, "/1"),
        (br#"{"a":1} // x"#, Cause::TrailingBytes, ""),
        (br#"{}{}"#, Cause::TrailingBytes, ""),
        (b"{}\0", Cause::TrailingBytes, ""),
        (br#"{"a":"#, Cause::Truncated, "/a"),
        (br#"{"a":["x"#, Cause::Truncated, "/a/0"),
        (b"{\"a\":\"\n\"}", Cause::Malformed, "/a"),
        (br#"{"a":"\x41"}"#, Cause::Malformed, "/a"),
        (br#"{"a" 1}"#, Cause::Malformed, ""),
        (br#"nul"#, Cause::Malformed, ""),
    ] {
        let text_shown = text.escape_ascii().to_string();
        assert_eq!(wrong(text), Some((cause, place.to_owned())), "{text_shown}");
    }
}

#[test]
fn depth_and_number_of_values_are_bounded() {
    let limits = Limits {
        depth: 3,
        values: 5,
        ..Limits::default()
    };
    let parse = |text: &str| {
        Document::parse(text.as_bytes(), &limits)
            .err()
            .map(|undecidable| undecidable.cause)
    };
    assert_eq!(parse("[[[1]]]"), None);
    assert_eq!(parse("[[[[1]]]]"), Some(Cause::TooDeep));
    assert_eq!(parse(r#"{"a":{"b":{"c":[]}}}"#), Some(Cause::TooDeep));
    assert_eq!(parse("[1,2,3,4]"), None);
    assert_eq!(parse("[1,2,3,4,5]"), Some(Cause::TooMany));
}

/// Depth costs memory, never the thread's stack, whatever the limit says.
#[test]
fn a_million_brackets_are_refused_without_recursion() {
    let limits = Limits {
        depth: usize::MAX,
        values: usize::MAX,
        ..Limits::default()
    };
    let text = "[".repeat(1_000_000);
    let undecidable = Document::parse(text.as_bytes(), &limits).unwrap_err();
    assert_eq!(undecidable.cause, Cause::TooDeep);
}

#[test]
fn many_keys_are_compared_as_strictly_as_few() {
    let keys: Vec<_> = (0..5_000).map(|n| format!("\"k{n}\":{n}")).collect();
    let sound = format!("{{{}}}", keys.join(","));
    assert_eq!(wrong(sound.as_bytes()), None);
    let twice = format!("{{{},\"k17\":0}}", keys.join(","));
    assert_eq!(
        wrong(twice.as_bytes()),
        Some((Cause::DuplicateKey, "/k17".to_owned()))
    );
}

#[test]
fn values_are_what_they_say_and_know_where_they_stand() {
    let text = r#" {"a": [1, -2.5e3, true, null, "x\n\u00e9\ud83d\ude00"], "b": {"c": 18446744073709551615}} "#;
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let root = document.root();
    let list = root.get("a").unwrap().elements();
    assert_eq!(list[0].as_u64(), Some(1));
    assert_eq!(list[1].as_f64(), Some(-2500.0));
    assert_eq!(list[2].as_bool(), Some(true));
    assert!(list[3].is_null());
    assert_eq!(list[4].as_str(), Some("x\n\u{e9}\u{1f600}"));
    assert_eq!(document.raw(&list[1]), "-2.5e3");
    assert_eq!(root.at(&["b", "c"]).unwrap().as_u64(), Some(u64::MAX));
    assert_eq!(document.raw(root), text.trim());
}

fn same(ours: &enforcer_prompt::json::Value<'_>, theirs: &serde_json::Value) -> bool {
    use enforcer_prompt::json::Data;
    match (ours.data(), theirs) {
        (Data::Null, serde_json::Value::Null) => true,
        (Data::Bool(a), serde_json::Value::Bool(b)) => a == b,
        (Data::String(a), serde_json::Value::String(b)) => a == b,
        (Data::Number(a), serde_json::Value::Number(b)) => {
            let close = (a.as_f64() - b.as_f64().unwrap()).abs() <= a.as_f64().abs() * 1e-15;
            a.as_u64() == b.as_u64() || close
        }
        (Data::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Data::Object(a), serde_json::Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|member| b.get(member.key()).is_some_and(|b| same(member.value(), b)))
        }
        (_, _) => false,
    }
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        (-1e9..1e9).prop_map(|number: f64| number.into()),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::btree_map(any::<String>(), inner, 0..16)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// What another writer writes is read as it was meant.
    #[test]
    fn documents_are_read_as_another_reader_reads_them(meant in value()) {
        for text in [meant.to_string(), serde_json::to_string_pretty(&meant).unwrap()] {
            let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
            prop_assert!(same(document.root(), &meant), "{text}");
        }
    }

    /// Whatever is read here, a strict reader of others reads too, as the same.
    #[test]
    fn nothing_is_read_that_others_do_not_read(text in r#"[\[\]{}",:0-9a-e\\u. -]{0,24}"#) {
        if let Ok(document) = Document::parse(text.as_bytes(), &Limits::default()) {
            let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!(same(document.root(), &theirs), "{text}");
        }
    }
}
