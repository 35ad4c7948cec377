use super::*;

fn signed(scheme: Scheme, secret: &str, delivery: &Delivery<'_>) -> Vec<(&'static str, String)> {
    scheme
        .sign(&Secret::new(secret.as_bytes().to_vec()), delivery)
        .unwrap()
}

fn value<'a>(headers: &'a [(&'static str, String)], name: &str) -> &'a str {
    &headers.iter().find(|(key, _)| *key == name).unwrap().1
}

/// The example of the Standard Webhooks specification's own libraries.
#[test]
fn standard_webhooks_sign_id_time_and_body() {
    let delivery = Delivery {
        id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
        seconds: 1_614_265_330,
        body: br#"{"test": 2432232314}"#,
    };
    for secret in [
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ] {
        let headers = signed(Scheme::Standard, secret, &delivery);
        assert_eq!(value(&headers, "webhook-id"), delivery.id);
        assert_eq!(value(&headers, "webhook-timestamp"), "1614265330");
        assert_eq!(
            value(&headers, "webhook-signature"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}

/// The example of GitHub's documentation.
#[test]
fn github_signs_the_body() {
    let delivery = Delivery {
        id: "",
        seconds: 0,
        body: b"Hello, World!",
    };
    let headers = signed(Scheme::Github, "It's a Secret to Everybody", &delivery);
    assert_eq!(
        value(&headers, "x-hub-signature-256"),
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
}

/// The example of Slack's documentation.
#[test]
fn slack_signs_version_time_and_body() {
    let delivery = Delivery {
        id: "",
        seconds: 1_531_420_618,
        body: b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
    };
    let headers = signed(Scheme::Slack, "8f742231b10e8888abcd99yyyzzz85a5", &delivery);
    assert_eq!(value(&headers, "x-slack-request-timestamp"), "1531420618");
    assert_eq!(
        value(&headers, "x-slack-signature"),
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    );
}

#[test]
fn a_secret_that_is_no_standard_key_signs_nothing() {
    let delivery = Delivery {
        id: "m",
        seconds: 1,
        body: b"",
    };
    for secret in ["whsec_not base64!", "whsec_c2hvcnQ=", ""] {
        let secret = Secret::new(secret.as_bytes().to_vec());
        assert_eq!(
            Scheme::Standard.sign(&secret, &delivery),
            Err(SignError::Key)
        );
    }
}

#[test]
fn what_a_scheme_writes_is_among_what_it_takes_off() {
    let delivery = Delivery {
        id: "m",
        seconds: 1,
        body: b"x",
    };
    for scheme in Scheme::ALL {
        for (name, _) in signed(scheme, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &delivery) {
            assert!(scheme.headers().contains(&name), "{name}");
        }
    }
}
