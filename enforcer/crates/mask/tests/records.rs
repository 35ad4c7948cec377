//! Keys in records of bytes, behind a length that is a letter or a digit.

use std::sync::Arc;

use enforcer_mask::body::{Kind, Rewriter};
use enforcer_mask::{
    Action, Confidence, Direction, Keys, Rule, Ruleset, Session, Settings, Stop, VaultLimits, What,
};

const KEY: &str = concat!("sk-", "AERtTWYZlt21tEvHSzfcT3BlbkFJuQ5TPxA6Dxgi3YJOySpp");
const WEATHER: &str = "the-weather-in-oslo-is-fine-and-warm-today-they-say";

/// Whether it is blocked, in two pieces.
fn is_blocked(rules: &Arc<Ruleset>, (before, behind): (&[u8], &[u8])) -> bool {
    let session = Session::new(&Keys::new(&[7; 32]), "tenant", VaultLimits::default());
    let kind = Kind::of(Some("application/x-protobuf"));
    let mut rewriter = Rewriter::new(kind, rules, &Arc::new(session), Direction::Request);
    let mut out = Vec::new();
    let done = rewriter
        .push(before, &mut out)
        .and_then(|()| rewriter.push(behind, &mut out))
        .and_then(|()| rewriter.finish(&mut out));
    match done {
        Ok(()) => assert_eq!(out, [before, behind].concat()),
        Err(stop) => assert!(matches!(stop, Stop::Block(_)), "{stop}"),
    }
    out.len() < before.len() + behind.len()
}

#[test]
fn keys_behind_lengths_do_not_leave_in_records_wherever_they_are_cut() {
    let rule = Rule {
        id: "secrets".to_owned(),
        what: vec![What::Named("secret".to_owned())],
        action: Action::Redact,
        direction: None,
        least: Confidence::Medium,
    };
    let rules = Arc::new(Ruleset::new(&[rule], Settings::default()).unwrap());
    for (value, blocked) in [(KEY, true), (WEATHER, false)] {
        let length = u8::try_from(value.len()).unwrap();
        let of =
            |before: &[u8], behind: &[u8]| [before, &[length], value.as_bytes(), behind].concat();
        // Fields of protobuf behind nothing, a number, another text; texts of MessagePack and CBOR.
        let records = [
            of(b"\n", b"\x10\x96\x01"),
            of(b"\x08\x01\x12", b"2\x05hello"),
            of(b"\n\x05hello\"", b"*\x03abc"),
            of(b"some words and then \"", b""),
            of(b"\x81\xa1a\xd9", b"\xa1b\x01"),
            of(b"\xa1aax", b"aby"),
        ];
        for record in records {
            for cut in 0..=record.len() {
                let found = is_blocked(&rules, record.split_at(cut));
                assert_eq!(found, blocked, "{record:?} cut at {cut}");
            }
        }
    }
}
