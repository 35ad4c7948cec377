use super::*;
use crate::Source;

fn hooks(value: &str) -> Result<Hooks, HookError> {
    let source = Source::Environment("HOOK".into());
    let secrets = Secrets::load([("slack", &source)], |_| Some(value.into())).unwrap();
    let registered = Registered {
        host: Host::parse("hooks.slack.com").unwrap(),
        path: "/alerts".into(),
        secret: "slack".into(),
    };
    Hooks::new(&[registered], &secrets)
}

#[test]
fn an_agent_posts_to_a_path_that_is_no_secret() {
    let host = Host::parse("hooks.slack.com").unwrap();
    for value in [
        "/services/T0/B0/s3cret",
        "https://hooks.slack.com/services/T0/B0/s3cret",
        "https://HOOKS.slack.com:443/services/T0/B0/s3cret",
    ] {
        let hooks = hooks(value).unwrap();
        assert!(hooks.has(&host));
        let real = hooks.real(&host, "/alerts").unwrap();
        assert_eq!(real.expose(), "/services/T0/B0/s3cret");
        assert!(hooks.real(&host, "/alerts/").is_none());
        assert!(!format!("{hooks:?}").contains("s3cret"));
        let other = Host::parse("example.com").unwrap();
        assert!(!hooks.has(&other) && hooks.real(&other, "/alerts").is_none());
    }
}

#[test]
fn what_is_not_the_hosts_url_is_refused_without_being_shown() {
    for value in [
        "https://evil.example/services/s3cret",
        "https://hooks.slack.com@evil.example/s3cret",
        "https://hooks.slack.com",
        "http://hooks.slack.com/s3cret",
        "services/s3cret",
        "/s3cret with space",
        "/s3cret\r\nhost: evil.example",
        "/s3cret#x",
    ] {
        let error = hooks(value).unwrap_err();
        assert!(matches!(error, HookError::NotItsUrl { .. }), "{value}");
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{value}");
    }
}
