//! What rules look for and what is done where it is found.
#![expect(clippy::unwrap_used, reason = "tests state what must hold")]

use std::sync::Arc;

use enforcer_mask::{
    Action, Confidence, Direction, Finding, HOLD, Keys, Masker, Outcome, Place, Rule, Ruleset,
    Session, Settings, Stop, VaultLimits, What,
};

fn rule(what: What, action: Action) -> Rule {
    Rule {
        id: "r".to_owned(),
        what: vec![what],
        action,
        direction: None,
        least: Confidence::Medium,
    }
}

fn named(name: &str) -> What {
    What::Named(name.to_owned())
}

fn words(words: &[&str]) -> What {
    What::Dictionary {
        name: "customer".to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}

fn canary() -> What {
    What::Canary {
        name: "planted".to_owned(),
        values: vec!["zebra-7f3a9b2c1d".to_owned()],
    }
}

fn compile(rules: &[Rule]) -> Arc<Ruleset> {
    Arc::new(Ruleset::new(rules, Settings::default()).unwrap())
}

fn session(tenant: &str) -> Arc<Session> {
    Arc::new(Session::new(
        &Keys::new(&[7; 32]),
        tenant,
        VaultLimits::default(),
    ))
}

fn place(direction: Direction) -> Place<'static> {
    Place {
        direction,
        field: None,
        path: "$.text",
    }
}

fn request(rules: &[Rule], text: &str) -> Result<(String, Vec<Finding>), Stop> {
    let Outcome {
        text: masked,
        findings,
    } = compile(rules).mask(&session("t"), place(Direction::Request), text.as_bytes())?;
    let masked = masked.unwrap_or_else(|| text.as_bytes().to_vec());
    Ok((String::from_utf8(masked).unwrap(), findings))
}

fn masked(rules: &[Rule], text: &str) -> String {
    request(rules, text).unwrap().0
}

#[test]
fn each_action_does_what_it_says() {
    let text = "ssn 536-22-1234.";
    let with = |action| request(&[rule(named("us_ssn"), action)], text);
    assert_eq!(with(Action::Redact).unwrap().0, "ssn [US_SSN].");
    assert_eq!(with(Action::Partial).unwrap().0, "ssn ***-**-1234.");
    let hashed = with(Action::Hash).unwrap().0;
    assert!(hashed.starts_with("ssn [US_SSN#") && hashed.len() == "ssn [US_SSN#01234567].".len());
    assert_eq!(hashed, with(Action::Hash).unwrap().0);
    let token = with(Action::Tokenize).unwrap().0;
    assert!(token.starts_with("ssn [US_SSN_") && token.ends_with("]."));
    assert!(matches!(with(Action::Block), Err(Stop::Block(_))));
    assert!(matches!(with(Action::Terminate), Err(Stop::Terminate(_))));
    assert!(matches!(
        with(Action::RequireApproval),
        Err(Stop::Approval(_))
    ));
}

#[test]
fn the_strictest_of_several_rules_wins() {
    let of = |id: &str, what: &str, action| Rule {
        id: id.to_owned(),
        ..rule(named(what), action)
    };
    let rules = [
        of("one", "us_ssn", Action::Partial),
        of("two", "pii", Action::Redact),
        of("three", "all", Action::Tokenize),
    ];
    assert_eq!(masked(&rules, "ssn 536-22-1234."), "ssn [US_SSN].");
}

#[test]
fn one_name_may_mean_two_things_where_rules_of_two_policies_meet() {
    let of = |id: &str, word: &str| Rule {
        id: id.to_owned(),
        ..rule(words(&[word]), Action::Redact)
    };
    let rules = [of("one", "Ada Lovelace"), of("two", "Alan Turing")];
    let text = "by Ada Lovelace and Alan Turing.";
    assert_eq!(masked(&rules, text), "by [CUSTOMER] and [CUSTOMER].");
}

#[test]
fn a_hash_is_a_tenants_own() {
    let rules = compile(&[rule(named("us_ssn"), Action::Hash)]);
    let of = |tenant| {
        rules
            .mask(
                &session(tenant),
                place(Direction::Request),
                b"ssn 536-22-1234.",
            )
            .unwrap()
    };
    assert_eq!(of("one"), of("one"));
    assert_ne!(of("one").text, of("two").text);
    assert_ne!(
        of("one").findings[0].fingerprint,
        of("two").findings[0].fingerprint
    );
}

#[test]
fn a_finding_never_holds_the_value() {
    let (_, findings) =
        request(&[rule(named("us_ssn"), Action::Redact)], "ssn 536-22-1234.").unwrap();
    let shown = format!("{findings:?} {}", findings[0]);
    assert!(!shown.contains("1234") && shown.contains("us_ssn"));
}

#[test]
fn a_token_becomes_its_value_again_wherever_the_answer_is_cut() {
    let rules = compile(&[rule(words(&["Ada Lovelace"]), Action::Tokenize)]);
    let session = session("t");
    let sent = rules
        .mask(
            &session,
            place(Direction::Request),
            b"Write to Ada Lovelace",
        )
        .unwrap();
    let sent = String::from_utf8(sent.text.unwrap()).unwrap();
    assert!(sent.starts_with("Write to [CUSTOMER_") && session.remembered() == 1);
    let answer = format!(
        "Dear {}, [x] [CUSTOMER_AAAAAAAA]!",
        sent.strip_prefix("Write to ").unwrap()
    );
    for size in 1..answer.len() {
        let mut masker = Masker::new(&rules, &session, place(Direction::Answer));
        let mut out = Vec::new();
        for part in answer.as_bytes().chunks(size) {
            masker.push(part, &mut out).unwrap();
        }
        masker.finish(&mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(
            out, "Dear Ada Lovelace, [x] [CUSTOMER_AAAAAAAA]!",
            "in parts of {size}"
        );
        assert!(
            masker.take_findings().is_empty(),
            "what was restored is not masked again"
        );
    }
    let other = self::session("t");
    let kept = rules
        .mask(&other, place(Direction::Answer), answer.as_bytes())
        .unwrap();
    assert_eq!(kept.text, None, "another workload's token is only text");
}

#[test]
fn a_token_that_comes_back_is_not_masked_again() {
    let rules = compile(&[rule(named("all"), Action::Tokenize)]);
    let session = session("t");
    let once = rules
        .mask(
            &session,
            place(Direction::Request),
            b"password: hunter2hunter2!x",
        )
        .unwrap();
    let once = once.text.unwrap();
    let twice = rules
        .mask(&session, place(Direction::Request), &once)
        .unwrap();
    assert_eq!(twice.text, None);
}

#[test]
fn a_canary_is_found_encoded_and_spread() {
    let hex: String = b"zebra-7f3a9b2c1d"
        .iter()
        .map(|byte| format!("{byte:02X} "))
        .collect();
    for text in [
        "zebra-7f3a9b2c1d",
        "ZEBRA-7F3A9B2C1D",
        "emVicmEtN2YzYTliMmMxZA==",
        "eHplYnJhLTdmM2E5YjJjMWR4",
        "z.e.b.r.a 7f3a 9b2c 1d",
        "d1c2b9a3f7-arbez",
        "%7A%65%62%72%61%2D%37%66%33%61%39%62%32%63%31%64",
        &hex,
    ] {
        let text = format!("a {text} b");
        assert!(
            matches!(
                request(&[rule(canary(), Action::Block)], &text),
                Err(Stop::Block(_))
            ),
            "{text}"
        );
    }
    assert_eq!(
        masked(&[rule(canary(), Action::Block)], "zebra-7f3a9b2c1e"),
        "zebra-7f3a9b2c1e"
    );
}

#[test]
fn what_comes_in_pieces_is_blocked() {
    let rules = compile(&[
        rule(canary(), Action::Redact),
        rule(named("secret"), Action::Redact),
    ]);
    for pieces in [
        &["user", "zebra-7f", "3a9b2c1d"][..],
        &[
            "a1",
            concat!("gh", "p_YEqn80RUbkMDB2qF"),
            "o6qVhqQCHO4oVZ3jw0bJ",
        ],
        &["zebra", "-7f3a", "9b2c1d"],
    ] {
        let session = session("t");
        let (last, before) = pieces.split_last().unwrap();
        for piece in before {
            assert_eq!(
                rules.joined(&session, place(Direction::Request), piece.as_bytes()),
                Ok(Vec::new())
            );
        }
        let joined = rules.joined(&session, place(Direction::Request), last.as_bytes());
        assert!(
            matches!(joined, Err(Stop::Block(_))),
            "{pieces:?}: {joined:?}"
        );
        let other = self::session("t");
        assert_eq!(
            rules.joined(&other, place(Direction::Request), last.as_bytes()),
            Ok(Vec::new())
        );
    }
}

#[test]
fn a_rule_that_names_a_detector_means_that_whatever_it_says_of_the_family() {
    let text = "it is 536-22-8721";
    let of = |rules: &[Rule]| request(rules, text).map(|(masked, _)| masked);
    let other = Rule {
        id: "other".to_owned(),
        ..rule(named("pii"), Action::Redact)
    };
    let family = rule(named("pii"), Action::Block);
    let own = rule(named("us_ssn"), Action::Partial);
    assert_eq!(
        of(&[family.clone(), own.clone()]).unwrap(),
        "it is ***-**-8721"
    );
    assert_eq!(of(&[own.clone(), other]).unwrap(), "it is [US_SSN]");
    let surer = Rule {
        least: Confidence::High,
        ..own
    };
    // It does not say what to do with one that is less sure.
    assert!(of(&[family, surer]).is_err());
}

#[test]
fn pieces_are_joined_over_what_comes_with_every_request_and_blocked_each_time() {
    let rules = compile(&[rule(canary(), Action::Redact)]);
    let session = session("t");
    let send = |path: &'static str, piece: &str| {
        let place = Place {
            path,
            ..place(Direction::Request)
        };
        rules.joined(&session, place, piece.as_bytes())
    };
    let request = |query: &str, trace: &str| {
        let before = [("path", "v1"), ("query:q", query)];
        let behind = [("header:user-agent", "curl/8"), ("header:trace", trace)];
        before
            .into_iter()
            .chain(behind)
            .try_for_each(|(path, piece)| send(path, piece).map(drop))
    };
    request("nothing", "a-0").unwrap();
    request("zebra-7f", "a-1").unwrap();
    for again in ["a-2", "a-3"] {
        let blocked = request("3a9b2c1d", again);
        assert!(
            matches!(blocked, Err(Stop::Block(_))),
            "{again}: {blocked:?}"
        );
    }
    request("nothing else", "a-4").unwrap();
    // Over places of several kinds, where nothing new stands between.
    send("query:a", "zebra-7").unwrap();
    send("header:user-agent", "curl/8").unwrap();
    send("header:x", "f3a9b").unwrap();
    let blocked = send("$.a", "2c1d");
    assert!(matches!(blocked, Err(Stop::Block(_))), "{blocked:?}");
}

#[test]
fn all_that_stands_at_a_named_place_is_masked() {
    let rules = compile(&[
        rule(What::Field("credit_card".to_owned()), Action::Redact),
        rule(What::Header("X-User".to_owned()), Action::Partial),
        rule(What::Path("$.a[*].b".to_owned()), Action::Redact),
    ]);
    let at = |field, path, text: &str| {
        let place = Place {
            direction: Direction::Request,
            field,
            path,
        };
        let masked = rules.mask(&session("t"), place, text.as_bytes()).unwrap();
        masked.text.map(|text| String::from_utf8(text).unwrap())
    };
    assert_eq!(
        at(Some("creditCard"), "$.x", "what ever").as_deref(),
        Some("[CREDIT_CARD]")
    );
    assert_eq!(
        at(Some("x-user"), "header:X-User", "alexandra").as_deref(),
        Some("*****ndra")
    );
    assert_eq!(at(Some("b"), "$.a[3].b", "text").as_deref(), Some("[B]"));
    assert_eq!(at(Some("b"), "$.a.b", "text"), None);
    assert_eq!(at(Some("credit_limit"), "$.x", "text"), None);
    assert_eq!(at(Some("credit_card"), "$.x", ""), None);
}

#[test]
fn what_is_wrong_with_rules_is_said_at_once() {
    let regex = |pattern: &str| What::Regex {
        name: "own".to_owned(),
        pattern: pattern.to_owned(),
        longest: None,
    };
    let wrong = [
        (named("us_snn"), "did you mean `us_ssn`?"),
        (regex("a("), "cannot be used"),
        (regex("a+"), "bound its repetitions"),
        (regex("a?"), "matches where there is nothing"),
        (What::Path("a.b".to_owned()), "does not begin with `$`"),
        (words(&[" "]), "is empty"),
        (
            What::Canary {
                name: "c".to_owned(),
                values: vec!["short".to_owned()],
            },
            "by chance",
        ),
        (
            What::Dictionary {
                name: "us_ssn".to_owned(),
                words: vec!["x".to_owned()],
            },
            "exists already",
        ),
    ];
    let rules: Vec<_> = wrong
        .iter()
        .map(|(what, _)| rule(what.clone(), Action::Redact))
        .collect();
    let problems = Ruleset::new(&rules, Settings::default()).unwrap_err();
    assert_eq!(problems.len(), wrong.len());
    for (problem, (_, says)) in problems.iter().zip(&wrong) {
        assert!(problem.to_string().contains(says), "{problem}");
    }
}

#[test]
fn an_example_of_documentation_passes_only_where_that_is_switched_on() {
    let rules = [Rule {
        least: Confidence::Low,
        ..rule(named("aws_access_key_id"), Action::Redact)
    }];
    let text = b"key AKIAIOSFODNN7EXAMPLE";
    let with = |allow_examples| {
        let settings = Settings {
            allow_examples,
            ..Settings::default()
        };
        let rules = Arc::new(Ruleset::new(&rules, settings).unwrap());
        rules
            .mask(&session("t"), place(Direction::Request), text)
            .unwrap()
            .text
    };
    assert_eq!(with(true), None);
    assert_eq!(
        with(false).as_deref(),
        Some(&b"key [AWS_ACCESS_KEY_ID]"[..])
    );
}

#[test]
fn a_direction_that_no_rule_names_is_left_alone() {
    let one = Rule {
        direction: Some(Direction::Answer),
        ..rule(named("us_ssn"), Action::Block)
    };
    let rules = compile(std::slice::from_ref(&one));
    assert!(rules.is_empty(Direction::Request) && !rules.is_empty(Direction::Answer));
    assert_eq!(masked(&[one], "ssn 536-22-1234"), "ssn 536-22-1234");
}

#[test]
fn who_only_watches_changes_nothing() {
    let settings = Settings {
        watch: true,
        ..Settings::default()
    };
    let rules = Arc::new(Ruleset::new(&[rule(named("us_ssn"), Action::Block)], settings).unwrap());
    let watched = rules
        .mask(&session("t"), place(Direction::Request), b"ssn 536-22-1234")
        .unwrap();
    assert_eq!((watched.text, watched.findings.len()), (None, 1));
}

#[test]
fn what_cannot_be_held_is_not_passed() {
    let endless = rule(What::Field("note".to_owned()), Action::Partial);
    let at = Place {
        field: Some("note"),
        ..place(Direction::Request)
    };
    let mut masker = Masker::new(&compile(&[endless]), &session("t"), at);
    let mut out = Vec::new();
    let done = (0..3).try_for_each(|_| masker.push(&[b'a'; HOLD / 2], &mut out));
    assert!(matches!(done, Err(Stop::TooLong { .. })) && out.is_empty());
    assert_eq!(masker.push(b"b", &mut out), done);
}

#[test]
fn what_is_long_and_opaque_is_not_held() {
    let rules = compile(&[rule(named("all"), Action::Redact)]);
    let mut chance = 1u64;
    let mut image = b"iVBORw0KGgoAAAANSUhEUgAA".to_vec();
    while image.len() < 4 * HOLD {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        image.push(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                [usize::try_from(chance % 64).unwrap()],
        );
    }
    let mut masker = Masker::new(&rules, &session("t"), place(Direction::Request));
    let mut out = Vec::new();
    for part in image.chunks(1000) {
        masker.push(part, &mut out).unwrap();
        assert!(masker.held() < 8 * 1024, "{} held", masker.held());
    }
    masker.finish(&mut out).unwrap();
    assert_eq!(out, image);
}
