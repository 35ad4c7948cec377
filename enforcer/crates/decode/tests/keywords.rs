//! Keywords in disguise.

use enforcer_decode::keyword;

#[test]
fn keywords_are_known_in_any_disguise() {
    for word in [
        "password",
        "PASSWORD",
        "p4ssw0rd",
        "P@$$w0rd",
        "pass_word",
        "pass-word",
        "p\u{430}ssword",
        "pas\u{200b}sword",
        "\u{ff50}assword",
        "\u{1d429}assword",
    ] {
        assert!(keyword::is(word.as_bytes(), "password"), "{word}");
    }
    for word in ["passwort", "pass", "passwords", "", "word"] {
        assert!(!keyword::is(word.as_bytes(), "password"), "{word}");
    }
    assert!(keyword::is(b"API-K3Y", "api_key"));
}
