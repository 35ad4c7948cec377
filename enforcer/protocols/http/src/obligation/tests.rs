use std::time::Duration;

use enforcer_credentials::{Registered, Source};
use enforcer_flow::Host;
use http::Request;

use super::*;

const HEAD: [(&str, &str); 3] = [
    ("authorization", "Bearer the agent's own"),
    ("x-slack-signature", "v0=forged"),
    ("x-slack-request-timestamp", "1"),
];

fn secrets() -> Secrets {
    let variable = |name: &str| Source::Environment(name.to_owned());
    let sources = [
        ("key", variable("KEY")),
        ("hook", variable("HOOK")),
        ("broken", variable("BROKEN")),
    ];
    Secrets::load(
        sources.iter().map(|(name, source)| (*name, source)),
        |name| {
            let value = match name {
                "KEY" => "8f742231b10e8888abcd99yyyzzz85a5",
                "HOOK" => "/services/T0/B0/s3cret?x=1",
                _ => "two\nlines",
            };
            Some(value.into())
        },
    )
    .unwrap()
}

fn parts(path: &str) -> Parts {
    let mut request = Request::post(path);
    for (name, value) in HEAD {
        request = request.header(name, value);
    }
    request.body(()).unwrap().into_parts().0
}

fn delivery(body: &[u8]) -> Delivery<'_> {
    Delivery {
        exchange: ExchangeId::new(),
        time: UNIX_EPOCH + Duration::from_secs(1_531_420_618),
        body: Some(body),
    }
}

fn destination() -> Destination {
    Destination {
        host: Host::parse("hooks.slack.com").unwrap(),
        port: 443,
    }
}

#[test]
fn a_header_is_filled_and_the_agents_own_is_taken_off() {
    let mut parts = parts("/v1/x");
    parts
        .headers
        .append("authorization", "another".parse().unwrap());
    fill(
        &mut parts.headers,
        ("Authorization", "Bearer ", "key"),
        &secrets(),
    )
    .unwrap();
    let all: Vec<_> = parts.headers.get_all("authorization").iter().collect();
    assert_eq!(all, ["Bearer 8f742231b10e8888abcd99yyyzzz85a5"]);
    assert!(!format!("{:?}", parts.headers).contains("8f742231"));
}

#[test]
fn what_cannot_be_filled_is_refused() {
    let table = [
        (("authorization", "", "nobody"), Unmet::NoSecret),
        (("authorization", "", "broken"), Unmet::Secret),
        (("host", "", "key"), Unmet::Header),
        (("content-length", "", "key"), Unmet::Header),
        (("not a header", "", "key"), Unmet::Header),
    ];
    for (inject, expected) in table {
        let mut parts = parts("/");
        let found = fill(&mut parts.headers, inject, &secrets());
        assert_eq!(found, Err(expected), "{inject:?}");
    }
}

#[test]
fn a_signature_is_over_the_body_and_replaces_the_agents() {
    let mut parts = parts("/");
    let scheme = SignStyle::Slack;
    sign(
        &mut parts.headers,
        (scheme, "key"),
        &secrets(),
        &delivery(b"x=1"),
    )
    .unwrap();
    assert_eq!(parts.headers["x-slack-request-timestamp"], "1531420618");
    let signature = parts.headers["x-slack-signature"].to_str().unwrap();
    // `printf 'v0:1531420618:x=1' | openssl dgst -sha256 -hmac 8f742231b10e8888abcd99yyyzzz85a5`
    let expected = "v0=e9f77be07db062464f8e88c1a97afc6c5c08ee612bffd3e270d5b83527a03eb2";
    assert_eq!(signature, expected);
    let unread = Delivery {
        body: None,
        ..delivery(b"")
    };
    let found = sign(&mut parts.headers, (scheme, "key"), &secrets(), &unread);
    assert_eq!(found, Err(Unmet::Terms));
}

#[test]
fn a_registered_webhook_gets_its_real_path() {
    let registered = Registered {
        host: destination().host,
        path: "/alerts".into(),
        secret: "hook".into(),
    };
    let hooks = Hooks::new(&[registered], &secrets()).unwrap();
    for (uri, expected) in [
        ("/alerts?mine=1", "/services/T0/B0/s3cret?x=1"),
        (
            "https://hooks.slack.com/alerts",
            "/services/T0/B0/s3cret?x=1",
        ),
        ("/other", "/other"),
    ] {
        let mut parts = parts(uri);
        unhide(&mut parts, &hooks, &destination()).unwrap();
        assert_eq!(parts.uri.path_and_query().unwrap(), expected, "{uri}");
    }
}
