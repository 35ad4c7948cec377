//! What waited too long in a stream that pauses goes on, and what it was the beginning of does not.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be prepared has failed"
)]

use std::sync::Arc;

use enforcer_mask::body::{Kind, Rewriter};
use enforcer_mask::{
    Action, Confidence, Direction, Keys, Masker, Place, Rule, Ruleset, Session, Settings, Stop,
    What,
};

/// Values that are long enough to be cut, of every way in which something is found.
const VALUES: &[&str] = &[
    "Ada Lovelace",
    "E-123456789012",
    "4111 1111 1111 1111",
    "536-22-1234",
    "ada.lovelace@mail.example.org",
    concat!("sk-", "AERtTWYZlt21tEvHSzfcT3BlbkFJuQ5TPxA6Dxgi3YJOySpp"),
];

fn rules(action: Action) -> Arc<Ruleset> {
    let rule = Rule {
        id: "all".to_owned(),
        what: vec![
            What::Named("pii".to_owned()),
            What::Named("secret".to_owned()),
            What::Dictionary {
                name: "name".to_owned(),
                words: vec!["Ada Lovelace".to_owned()],
            },
            What::Regex {
                name: "number".to_owned(),
                pattern: "E-[0-9]{12}".to_owned(),
                longest: None,
            },
        ],
        action,
        direction: None,
        least: Confidence::Medium,
    };
    Arc::new(Ruleset::new(&[rule], Settings::default()).unwrap())
}

fn session() -> Arc<Session> {
    let keys = Keys::new(&[7; 32]);
    Arc::new(Session::new(&keys, "tenant", Default::default()))
}

const PLACE: Place<'_> = Place {
    direction: Direction::Answer,
    field: None,
    path: "$",
};

/// The parts of a text, each of them followed by a pause.
fn paused(rules: &Arc<Ruleset>, parts: &[&str]) -> Result<String, Stop> {
    let mut masker = Masker::new(rules, &session(), PLACE);
    let mut out = Vec::new();
    for part in parts {
        masker.push(part.as_bytes(), &mut out)?;
        masker.lapse_to(&mut out)?;
        assert_eq!(masker.held(), 0, "it waits on");
    }
    masker.finish(&mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_pause_lets_no_value_through_wherever_it_comes() {
    let rules = rules(Action::Redact);
    for value in VALUES {
        let text = format!("It is {value}, they say.");
        for cut in 0..=text.len() {
            let (before, behind) = text.split_at(cut);
            let said = paused(&rules, &[before, behind]).unwrap();
            assert!(!said.contains(value), "{value} cut at {cut}: {said}");
            assert!(
                said.ends_with(", they say."),
                "{value} cut at {cut}: {said}"
            );
            let begun = cut.saturating_sub("It is ".len()).min(value.len());
            if begun == 0 || begun == value.len() {
                assert!(said.starts_with("It is ["), "{value} cut at {cut}: {said}");
            }
        }
    }
}

#[test]
fn a_value_that_goes_on_behind_a_pause_is_blocked_there() {
    let rules = rules(Action::Block);
    for value in VALUES {
        for cut in 0..=value.len() {
            let (before, behind) = value.split_at(cut);
            let parts = [before, behind, ", they say"];
            let stop = paused(&rules, &parts).unwrap_err();
            assert!(matches!(stop, Stop::Block(_)), "{value} cut at {cut}");
        }
    }
}

#[test]
fn a_pause_changes_nothing_where_nothing_is_found() {
    let rules = rules(Action::Redact);
    let text = "Let me look: the order 4111-22, 10.50 EUR, sk, ghp_, über 078-05 and 🙂 then. E-12";
    for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let (before, behind) = text.split_at(cut);
        assert_eq!(paused(&rules, &[before, behind]).unwrap(), text);
    }
    let letters: Vec<_> = text.split_inclusive(|_| true).collect();
    assert_eq!(paused(&rules, &letters).unwrap(), text);
}

#[test]
fn a_document_stays_a_document_over_pauses() {
    let (rules, session) = (rules(Action::Redact), session());
    let body = r#"{"m": "by Ada \u004covelace, \"E-123456789012\"", "n": 12, "l": ["{\"x\": \"Ada Lovelace\"}"]}"#;
    for cut in 0..=body.len() {
        let mut rewriter = Rewriter::new(Kind::Json, &rules, &session, Direction::Answer);
        let mut out = Vec::new();
        let (before, behind) = body.as_bytes().split_at(cut);
        rewriter.push(before, &mut out).unwrap();
        rewriter.lapse(&mut out).unwrap();
        let held = rewriter.held();
        assert!(held <= 11, "{held} held at {cut}");
        rewriter.push(behind, &mut out).unwrap();
        rewriter.finish(&mut out).unwrap();
        assert_eq!(rewriter.held(), 0, "cut at {cut}");
        let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
        let text = document.to_string();
        for value in ["Ada Lovelace", "E-123456789012"] {
            assert!(!text.contains(value), "cut at {cut}: {text}");
        }
        assert_eq!(document["n"], 12);
    }
}

/// What comes of a body that pauses at `cut`, and how much was still held then.
fn rewritten(
    rules: &Arc<Ruleset>,
    kind: &Kind,
    (body, cut): (&str, usize),
) -> (usize, Result<String, Stop>) {
    let mut rewriter = Rewriter::new(kind.clone(), rules, &session(), Direction::Answer);
    let mut out = Vec::new();
    let (before, behind) = body.as_bytes().split_at(cut);
    let mut held = 0;
    let mut read = || {
        rewriter.push(before, &mut out)?;
        rewriter.lapse(&mut out)?;
        held = rewriter.held();
        rewriter.push(behind, &mut out)?;
        rewriter.finish(&mut out)
    };
    let done = read().map(|()| assert_eq!(rewriter.held(), 0, "{kind:?} cut at {cut}"));
    (held, done.map(|()| String::from_utf8(out).unwrap()))
}

/// Every format, with a value where something is read when it is whole, and how much of it says nothing yet.
fn formats() -> Vec<(Kind, String, usize)> {
    let card = "4111111111111111";
    let csv = format!("a,\"ada.lovelace@mail.example.org\",c\n{card},x,\"E-123456789012\"");
    let json = format!("{{\"{card}\":1,\"n\":{card},\"t\":[{card},\"{{\\\"k\\\":{card}}}\"]}}");
    let multipart = format!(
        "--X\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nby {card}, so\r\n--X--\r\n"
    );
    let xml = format!("<a>by {card}<b who=\"Ada Lovelace\">x</b><!-- {card} --></a>");
    let head = "--X\r\ncontent-disposition: form-data; name=\"a\"\r\n\r".len();
    vec![
        (Kind::Csv { tabs: false }, csv, 1),
        (Kind::Events, format!("event: x\ndata: by {card}\n\n"), 6),
        (Kind::Form, format!("a=by+{card}&{card}=1&b=2"), 2),
        (Kind::Json, json, 5),
        (Kind::Multipart("X".to_owned()), multipart, head),
        (Kind::Text, format!("by {card}, so"), 0),
        (Kind::Xml, xml, 4),
        (Kind::Yaml, format!("a: by\n  {card}\nb: {card}\n"), 20),
    ]
}

#[test]
fn a_pause_in_any_format_holds_what_says_nothing_yet_and_lets_no_value_through() {
    let rules = rules(Action::Redact);
    for (kind, body, most) in formats() {
        let values = [
            "4111111111111111",
            "Ada Lovelace",
            "E-123456789012",
            "ada.lovelace@mail",
        ];
        let mut stopped = 0;
        for cut in 0..=body.len() {
            let (held, done) = rewritten(&rules, &kind, (&body, cut));
            assert!(held <= most, "{kind:?} cut at {cut}: {held} held");
            match done {
                Ok(out) => assert!(
                    !values.iter().any(|value| out.contains(value)),
                    "{kind:?} cut at {cut}: {out}"
                ),
                // A part of a name, a number or a tag went on.
                Err(stop) => {
                    assert!(
                        matches!(stop, Stop::Block(_)),
                        "{kind:?} cut at {cut}: {stop}"
                    );
                    stopped += 1;
                }
            }
        }
        assert!(
            stopped < body.len() * 3 / 4,
            "{kind:?}: {stopped} pauses stop it"
        );
    }
}

#[test]
fn a_pause_changes_nothing_in_any_format_where_nothing_is_found() {
    let rules = rules(Action::Redact);
    for (kind, body, _) in formats() {
        let plain = body
            .replace("4111111111111111", "4111111111111112")
            .replace("Ada", "Bea")
            .replace("E-1234", "F-1234")
            .replace('@', " at ");
        for cut in 0..=plain.len() {
            let (_, done) = rewritten(&rules, &kind, (&plain, cut));
            assert_eq!(done.unwrap(), plain, "{kind:?} cut at {cut}");
        }
    }
}

#[test]
fn a_pause_within_bytes_holds_nothing_and_lets_no_value_through() {
    let rules = rules(Action::Redact);
    let key = concat!("sk-", "AERtTWYZlt21tEvHSzfcT3BlbkFJuQ5TPxA6Dxgi3YJOySpp");
    let length = char::from(u8::try_from(key.len()).unwrap());
    let wide = |text: &str| -> String { text.chars().flat_map(|c| [c, '\0']).collect() };
    let bodies = |card: &str, key: &str| {
        [
            format!("\0\u{1}by {card}\u{2}\0"),
            format!("\0\n{length}{key}\u{12}\0"),
            format!("\u{1}\u{1}{}\u{1}\u{1}", wide(&format!("by {card}"))),
        ]
    };
    let plain = bodies("4111111111111112", &key.replace("sk-", "by "));
    for (body, plain) in bodies("4111111111111111", key).into_iter().zip(plain) {
        for cut in 0..body.len() {
            let (held, done) = rewritten(&rules, &Kind::Binary, (&body, cut));
            assert_eq!(held, 0, "cut at {cut}");
            assert!(
                matches!(done, Err(Stop::Block(_))),
                "cut at {cut}: {body:?}"
            );
        }
        for cut in 0..plain.len() {
            let (_, done) = rewritten(&rules, &Kind::Binary, (&plain, cut));
            assert_eq!(done.unwrap(), plain, "cut at {cut}");
        }
    }
}
