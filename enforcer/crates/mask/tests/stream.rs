//! What a stream gives is what the whole text would have given, wherever it was cut.
#![expect(clippy::unwrap_used, reason = "tests state what must hold")]

use std::sync::Arc;

use enforcer_mask::{
    Action, Confidence, Direction, Finding, Keys, Masker, Place, Rule, Ruleset, Session, Settings,
    Stop, VaultLimits, What,
};
use proptest::prelude::*;

/// Pieces of which texts are made: values, what looks like them, and what stands between.
const PIECES: &[&str] = &[
    "536-22-1234",
    "078-05-1120",
    "4111 1111 1111 1111",
    "4111111111111111",
    "5500-0000-0000-0004",
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "ada@example.org",
    "+49 30 901820",
    "(415) 555-2671",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "sk-ant-api03-AAAAAAAAAAAAAAAAAAAAAAAA",
    "https://user:hunter2pass@db.example.org/x",
    "postgres://app:s3cr3tpw@10.0.0.5:5432/db",
    "api_key = \"x9K2mQ7vL4pR8tW3zB6nY1cF5hJ0dG\"",
    "password: correcthorsebattery9!",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
    "legal winner thank year wave sausage worth useful legal winner thank yellow",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "192.168.17.4",
    "fe80::1ff:fe23:4567:890a",
    "00:1A:2b:3c:4D:5e",
    "born 12/03/1984",
    "date of birth: 1984-03-12",
    "Projekt Aurora",
    "projekt aurora",
    "ORD-123456",
    "CANARY-7f3a9b2c1d",
    "canary 7f3a 9b2c 1d",
    "Q0FOQVJZLTdmM2E5YjJjMWQ=",
    "[EMAIL]",
    "[CUSTOMER_AAAAAAAA]",
    " ",
    "\n",
    ".",
    ",",
    "=",
    ":",
    "\"",
    "é",
    "日本",
    "the quick brown fox",
    "0",
    "12",
    "x",
    "@",
    "://",
    "-----",
    "%",
    "\\n",
    "{\"a\":1,\"ssn\":\"",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
];

fn rules(actions: &[Action], direction: Option<Direction>) -> Arc<Ruleset> {
    let own = [
        What::Named("all".to_owned()),
        What::Dictionary {
            name: "project".to_owned(),
            words: vec!["Projekt Aurora".to_owned(), "aurora".to_owned()],
        },
        What::Regex {
            name: "order".to_owned(),
            pattern: r"\bORD-\d{3,6}\b|x{1,3}$".to_owned(),
            longest: None,
        },
        What::Canary {
            name: "planted".to_owned(),
            values: vec!["CANARY-7f3a9b2c1d".to_owned()],
        },
        What::Field("ssn".to_owned()),
    ];
    let rules: Vec<_> = actions
        .iter()
        .zip(own)
        .enumerate()
        .map(|(index, (action, what))| Rule {
            id: format!("r{index}"),
            what: vec![what],
            action: *action,
            direction,
            least: Confidence::Low,
        })
        .collect();
    Arc::new(Ruleset::new(&rules, Settings::default()).unwrap())
}

fn session() -> Arc<Session> {
    Arc::new(Session::new(
        &Keys::new(&[7; 32]),
        "tenant",
        VaultLimits::default(),
    ))
}

type Given = (Vec<u8>, Vec<Finding>, Result<(), Stop>);

fn stream(rules: &Arc<Ruleset>, place: Place<'_>, parts: &[&[u8]]) -> Given {
    let mut masker = Masker::new(rules, &session(), place);
    let mut out = Vec::new();
    let mut done = Ok(());
    for part in parts {
        let before = out.len();
        done = done.and_then(|()| masker.push(part, &mut out));
        if done.is_err() {
            out.truncate(before);
            break;
        }
        let taken: usize = parts.iter().map(|part| part.len()).sum();
        assert!(masker.held() <= taken);
    }
    let before = out.len();
    done = done.and_then(|()| masker.finish(&mut out));
    if done.is_err() {
        out.truncate(before);
    } else {
        assert_eq!(masker.held(), 0);
    }
    (out, masker.take_findings(), done)
}

fn agree(rules: &Arc<Ruleset>, place: Place<'_>, text: &[u8], parts: &[&[u8]]) {
    let (whole, findings, ended) = stream(rules, place, &[text]);
    let (out, found, stopped) = stream(rules, place, parts);
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(ended, stopped, "{:?}", shown(text));
    assert_eq!(
        findings,
        found,
        "{:?} as {:?}",
        shown(text),
        parts.iter().map(|part| shown(part)).collect::<Vec<_>>()
    );
    if ended.is_ok() {
        assert_eq!(
            shown(&whole),
            shown(&out),
            "{:?} as {:?}",
            shown(text),
            parts.iter().map(|part| shown(part)).collect::<Vec<_>>()
        );
        let at_once = rules.mask(&session(), place, text).unwrap();
        assert_eq!(
            shown(&at_once.text.unwrap_or_else(|| text.to_vec())),
            shown(&whole)
        );
        assert_eq!(at_once.findings, findings);
    }
}

fn place(field: Option<&str>) -> Place<'_> {
    Place {
        direction: Direction::Request,
        field,
        path: "$.x",
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => "[ -~é日]{0,12}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    proptest::collection::vec(proptest::sample::select(&Action::ALL[..5]), 5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_gives_what_the_whole_gives(
        text in text(),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..6),
        actions in actions(),
        field in proptest::sample::select(vec![None, Some("note"), Some("Password"), Some("full_name"), Some("api_key"), Some("ssn")]),
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let parts: Vec<_> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        agree(&rules(&actions, None), place(field), &text, &parts);
    }

    #[test]
    fn a_stream_that_comes_byte_by_byte_gives_what_the_whole_gives(text in text()) {
        let parts: Vec<_> = text.chunks(1).collect();
        agree(&rules(&[Action::Redact; 4], None), place(None), &text, &parts);
    }

    #[test]
    fn text_goes_on_as_text_whenever_it_is_text(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..8), size in 1usize..7) {
        let text = pieces.concat();
        let mut masker = Masker::new(&rules(&[Action::Redact; 4], None), &session(), place(None));
        for part in text.as_bytes().chunks(size) {
            let mut out = Vec::new();
            masker.push(part, &mut out).unwrap();
            prop_assert!(str::from_utf8(&out).is_ok());
        }
    }
}

#[test]
fn every_piece_gives_the_same_at_every_cut() {
    let rules = rules(
        &[
            Action::Redact,
            Action::Partial,
            Action::Hash,
            Action::Tokenize,
        ],
        None,
    );
    for piece in PIECES {
        for (before, behind) in [
            ("", ""),
            ("My value is ", " and so on."),
            ("\"", "\","),
            ("(", ") 7"),
        ] {
            let text = format!("{before}{piece}{behind}");
            let text = text.as_bytes();
            for cut in 0..=text.len() {
                agree(&rules, place(None), text, &[&text[..cut], &text[cut..]]);
            }
        }
    }
}

#[test]
fn a_phrase_does_not_begin_within_a_word_whose_first_letter_came_alone() {
    let text = format!("x{}about:", "abandon ".repeat(11));
    let parts: Vec<_> = text.as_bytes().chunks(1).collect();
    let rules = rules(&[Action::Redact], None);
    agree(&rules, place(None), text.as_bytes(), &parts);
}

#[test]
fn a_word_of_a_dictionary_ends_where_a_character_is_no_letter_wherever_it_is_cut() {
    let rules = rules(&[Action::Redact; 4], None);
    for (text, found) in [
        ("Projekt Aurora\u{2019}s plan", true),
        ("\u{201c}Projekt Aurora\u{201d}", true),
        ("see\u{2014}Projekt Aurora\u{2014}today", true),
        ("Projekt Aurora\u{a0}", true),
        ("Projekt Aurora\u{2bc}", false),
        ("Projekt Aurora\u{e9}", false),
        ("\u{e9}Projekt Aurora\u{e9}", false),
        ("Projekt Aurora\u{10400}", false),
    ] {
        let bytes = text.as_bytes();
        let (_, findings, _) = stream(&rules, place(None), &[bytes]);
        let whole = findings
            .iter()
            .any(|finding| &*finding.detector == "project");
        assert_eq!(whole, found, "{text}");
        let single: Vec<_> = bytes.chunks(1).collect();
        agree(&rules, place(None), bytes, &single);
        for cut in 1..bytes.len() {
            agree(&rules, place(None), bytes, &[&bytes[..cut], &bytes[cut..]]);
        }
    }
}
