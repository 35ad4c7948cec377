use std::time::Duration;

use enforcer_tls::Authority;

use super::*;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn args(state: PathBuf) -> ShowArgs {
    ShowArgs {
        config: None,
        state: Some(state),
        pem: false,
        json: false,
    }
}

fn text(facts: &Facts) -> String {
    let mut text = Vec::new();
    facts.write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn what_is_shown_is_what_the_authority_uses() {
    let state = tempfile::tempdir().unwrap();
    let authority = Authority::load_or_create(&state.path().join("ca")).unwrap();
    let shown = read(&args(state.path().to_owned())).unwrap();
    assert_eq!(shown.pem(), authority.certificate_pem());
    let facts = Facts::of(&shown, SystemTime::now()).unwrap();
    let text = text(&facts);
    assert!(text.contains("CN=Enforcer local CA "), "{text}");
    assert!(
        text.contains(&authority.fingerprint().to_string()),
        "{text}"
    );
    assert!(text.contains("/ca/ca.crt"), "{text}");
    assert!(!text.contains("before it"), "{text}");
    assert_eq!(facts.validity, Validity::Valid);
}

#[test]
fn both_are_shown_after_a_rotation() {
    let state = tempfile::tempdir().unwrap();
    let config = AuthorityConfig::kept_in(&state.path().join("ca"));
    let before = Authority::open(&config).unwrap();
    let after = Authority::rotate(&config).unwrap();
    let shown = read(&args(state.path().to_owned())).unwrap();
    let facts = Facts::of(&shown, SystemTime::now()).unwrap();
    assert_eq!(facts.fingerprint_sha256, after.fingerprint().to_string());
    let [one] = facts.previous.as_slice() else {
        panic!("{facts:?}");
    };
    assert_eq!(one.fingerprint_sha256, before.fingerprint().to_string());
    assert!(text(&facts).contains("before it"), "{facts:?}");
    assert!(shown.pem().contains(before.certificate_pem()));
}

#[test]
fn a_validity_that_is_over_is_said() {
    let state = tempfile::tempdir().unwrap();
    Authority::load_or_create(&state.path().join("ca")).unwrap();
    let shown = read(&args(state.path().to_owned())).unwrap();
    let at = |time| Facts::of(&shown, time).unwrap().validity;
    assert_eq!(at(SystemTime::now() + 11 * YEAR), Validity::Expired);
    assert_eq!(at(SystemTime::now() - YEAR), Validity::NotYetValid);
}

#[test]
fn showing_makes_nothing() {
    let state = tempfile::tempdir().unwrap();
    let error = read(&args(state.path().to_owned())).err().unwrap();
    assert!(error.to_string().contains("there is no CA"), "{error}");
    assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
}
