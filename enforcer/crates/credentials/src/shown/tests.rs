use super::*;

#[test]
fn secrets_in_paths_are_not_shown() {
    let table = [
        (
            "hooks.slack.com",
            "/services/T0/B0/s3cret",
            Some("/services/T0/B0/***"),
        ),
        (
            "hooks.slack.com",
            "/triggers/T0/1/s3cret",
            Some("/triggers/T0/1/***"),
        ),
        ("hooks.slack.com", "/services/T0/B0", None),
        (
            "discord.com",
            "/api/webhooks/1/s3cret",
            Some("/api/webhooks/1/***"),
        ),
        (
            "canary.discord.com",
            "/api/v10/webhooks/1/s3cret/messages/2",
            Some("/api/v10/webhooks/1/***"),
        ),
        ("discord.com", "/api/v10/channels/1/messages", None),
        (
            "acme.webhook.office.com",
            "/webhookb2/s3cret@x/IncomingWebhook/s3cret/y",
            Some("/webhookb2/***"),
        ),
        ("api.telegram.org", "/bot1:s3cret/sendMessage", Some("/***")),
        ("hook.eu1.make.com", "/s3cret", Some("/***")),
        (
            "maker.ifttt.com",
            "/trigger/x/with/key/s3cret",
            Some("/trigger/x/with/key/***"),
        ),
        ("hooks.slack.com", "/services//T0/B0/s3cret", Some("/***")),
        ("discord.com", "/api/%77ebhooks/1/s3cret", Some("/***")),
        ("hooks.slack.com.evil.example", "/services/T0/B0/x", None),
        ("api.openai.com", "/v1/responses", None),
    ];
    for (host, path, expected) in table {
        let shown = shown_path(host, path);
        assert_eq!(shown.as_deref(), expected, "{host}{path}");
        assert!(
            !shown.unwrap_or_default().contains("s3cret"),
            "{host}{path}"
        );
        assert_eq!(hides_paths(host), find(host).is_some());
    }
}
