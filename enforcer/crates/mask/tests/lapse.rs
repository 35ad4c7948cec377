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
