//! Tokens that begin in a known way.

use enforcer_recognize::Confidence::{High, Low, Medium};

use super::super::check::check;
use super::{ALNUM, BASE64, DIGITS, HEX, URL, lot, summed, table, token};

/// Those that are a beginning and what was drawn.
#[test]
fn plain_tokens() {
    for (name, prefix, letters, length) in [
        ("google_api_key", "AIza", URL, 35),
        ("google_oauth_secret", "GOCSPX-", URL, 28),
        ("google_oauth_token", "ya29.", URL, 160),
        ("google_oauth_token", "1//0", URL, 99),
        ("gitlab_token", "glpat-", URL, 20),
        ("gitlab_token", "gldt-", URL, 20),
        ("gitlab_token", "glrt-", URL, 24),
        ("gitlab_token", "glcbt-", URL, 24),
        ("gitlab_token", "glptt-", HEX, 40),
        ("gitlab_token", "glft-", URL, 20),
        ("gitlab_token", "glsoat-", URL, 20),
        ("stripe_key", "sk_live_", ALNUM, 99),
        ("stripe_key", "rk_live_", ALNUM, 24),
        ("huggingface_token", "hf_", ALNUM, 34),
        ("databricks_token", "dapi", HEX, 32),
        ("digitalocean_token", "dop_v1_", HEX, 64),
        ("shopify_token", "shpat_", HEX, 32),
        ("vault_token", "hvs.", URL, 95),
        ("docker_hub_token", "dckr_pat_", URL, 27),
        ("linear_key", "lin_api_", ALNUM, 40),
        ("perplexity_key", "pplx-", ALNUM, 48),
        ("xai_key", "xai-", ALNUM, 80),
        ("replicate_token", "r8_", ALNUM, 37),
        ("openrouter_key", "sk-or-v1-", HEX, 64),
        ("supabase_token", "sbp_", HEX, 40),
        ("rubygems_key", "rubygems_", HEX, 48),
        ("pulumi_token", "pul-", HEX, 40),
        ("doppler_token", "dp.pt.", ALNUM, 43),
        ("langsmith_key", "lsv2_pt_", HEX, 43),
        ("pinecone_key", "pcsk_", ALNUM, 69),
        (
            "newrelic_key",
            "NRAK-",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            27,
        ),
        (
            "age_secret_key",
            "AGE-SECRET-KEY-1",
            "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
            58,
        ),
        ("planetscale_token", "pscale_tkn_", ALNUM, 43),
        ("figma_token", "figd_", URL, 40),
        ("crates_io_token", "cio", ALNUM, 32),
        ("notion_token", "ntn_", ALNUM, 46),
        ("heroku_api_key", "HRKU-", URL, 60),
    ] {
        for seed in 1..4 {
            token(name, prefix, &lot(letters, length, seed), High);
        }
    }
}

#[test]
fn openai_api_key() {
    let marked = |before, behind| format!("{}T3BlbkFJ{}", lot(URL, before, 1), lot(URL, behind, 2));
    token("openai_api_key", "sk-proj-", &marked(74, 74), High);
    token("openai_api_key", "sk-svcacct-", &marked(74, 74), High);
    token("openai_api_key", "sk-admin-", &marked(58, 58), High);
    token(
        "openai_api_key",
        "sk-",
        &format!("{}T3BlbkFJ{}", lot(ALNUM, 20, 3), lot(ALNUM, 20, 4)),
        High,
    );
    token("openai_api_key", "sk-proj-", &lot(URL, 120, 5), High);
    // Written alike by others.
    token("openai_api_key", "sk-", &lot(HEX, 32, 6), Medium);
    let others = [
        format!("sk-ant-api03-{}", lot(URL, 93, 7)),
        format!("sk-or-v1-{}", lot(HEX, 64, 8)),
    ];
    table("openai_api_key", &[], High, &others);
}

#[test]
fn anthropic_api_key() {
    token(
        "anthropic_api_key",
        "sk-ant-api03-",
        &format!("{}AA", lot(URL, 93, 1)),
        High,
    );
    token(
        "anthropic_api_key",
        "sk-ant-admin01-",
        &format!("{}AA", lot(URL, 93, 2)),
        High,
    );
    token("anthropic_api_key", "sk-ant-oat01-", &lot(URL, 95, 3), High);
}

#[test]
fn github_token() {
    for (seed, prefix) in (1..).zip(["ghp_", "gho_", "ghu_", "ghs_"]) {
        let body = summed(&lot(ALNUM, 30, seed));
        token("github_token", prefix, &body, High);
        // The checksum holds, so what follows does not matter; none that is wrong is a token that works.
        check(
            "github_token",
            &[("", &format!("«{prefix}{body}»AND_MORE"), High)],
            &[],
        );
        let made_up = format!("«{prefix}{}»", lot(ALNUM, 36, seed));
        check("github_token", &[("", &made_up, Low)], &[]);
    }
    token("github_token", "ghr_", &summed(&lot(ALNUM, 70, 9)), High);
    let fine = format!("{}_{}", lot(ALNUM, 22, 1), lot(ALNUM, 59, 2));
    token("github_fine_grained_token", "github_pat_", &fine, High);
    table(
        "github_fine_grained_token",
        &[],
        High,
        &[format!("github_pat_{}", lot(ALNUM, 82, 3))],
    );
}

#[test]
fn npm_token() {
    token("npm_token", "npm_", &summed(&lot(ALNUM, 30, 1)), High);
    check(
        "npm_token",
        &[("", &format!("«npm_{}»", lot(ALNUM, 36, 2)), Low)],
        &[],
    );
}

#[test]
fn pypi_token() {
    token(
        "pypi_token",
        "pypi-",
        &format!("AgEIcHlwaS5vcmc{}", lot(URL, 120, 1)),
        High,
    );
    token(
        "pypi_token",
        "pypi-",
        &format!("AgENdGVzdC5weXBpLm9yZ{}", lot(URL, 120, 2)),
        High,
    );
    table(
        "pypi_token",
        &[],
        High,
        &[format!("pypi-{}", lot(URL, 120, 3))],
    );
}

#[test]
fn slack() {
    let drawn = lot(ALNUM, 24, 1);
    let numbers = format!("{}-{}", lot(DIGITS, 12, 2), lot(DIGITS, 13, 3));
    for prefix in ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-"] {
        token("slack_token", prefix, &format!("{numbers}-{drawn}"), High);
    }
    token(
        "slack_token",
        "xapp-1-",
        &format!(
            "A{}-{}-{}",
            lot(DIGITS, 9, 4),
            lot(DIGITS, 13, 5),
            lot(HEX, 64, 6)
        ),
        High,
    );
    table(
        "slack_token",
        &[format!("k=«xoxe.xoxp-1-{numbers}-{drawn}»")],
        High,
        &[],
    );
    let path = format!(
        "T04{}/B07{}/{drawn}",
        lot("ABCDEFGH0123", 6, 7),
        lot("ABCDEFGH0123", 6, 8)
    );
    let found = [
        format!("curl https://hooks.slack.com/«services/{path}» -d x"),
        format!("/«services/{path}»"),
    ];
    let not = [
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX".to_owned(),
        "src/services/TokenProvider/BaseImplementation/createAuthorizationToken".to_owned(),
        "https://hooks.slack.com/services/".to_owned(),
    ];
    table("slack_webhook", &found, High, &not);
}

/// A slash may be part of these.
#[test]
fn tokens_in_base64() {
    for (name, prefix, body) in [
        ("stripe_webhook_secret", "whsec_", lot(ALNUM, 32, 1)),
        ("stripe_webhook_secret", "whsec_", lot(BASE64, 43, 2) + "="),
        ("sentry_token", "sntryu_", lot(HEX, 64, 3)),
        (
            "sentry_token",
            "sntrys_",
            format!("eyJ{}_{}", lot(ALNUM, 100, 4), lot(BASE64, 43, 5)),
        ),
    ] {
        let found = [
            format!("«{prefix}{body}»"),
            format!("k=\"«{prefix}{body}»\" x «{prefix}{body}»"),
        ];
        let not = [
            format!("x{prefix}{body}"),
            format!("{prefix}{}", &body[..12]),
            format!("{prefix}{}", "x".repeat(60)),
        ];
        table(name, &found, High, &not);
    }
}

#[test]
fn stripe_keys_of_tests_weigh_little() {
    check(
        "stripe_key",
        &[("", &format!("«sk_test_{}»", lot(ALNUM, 24, 1)), Low)],
        &[],
    );
}

#[test]
fn twilio() {
    let (key, secret) = (lot(HEX, 32, 1), lot(HEX, 32, 2));
    check(
        "twilio_key",
        &[
            ("", &format!("TWILIO_API_KEY=«SK{key}»"), Medium),
            ("", &format!("twilio account «AC{key}» here"), Medium),
            ("", &format!("«SK{key}»"), Low),
        ],
        &[
            ("", &format!("twilio xSK{key} SK{key}0 SK{}", &key[..31])),
            ("", "twilio SKU AC"),
        ],
    );
    check(
        "twilio_auth_token",
        &[
            ("", &format!("TWILIO_AUTH_TOKEN=«{secret}»"), High),
            (
                "",
                &format!("twilio.Client(sid, auth_token='«{secret}»')"),
                High,
            ),
            ("twilio_auth_token", &format!("«{secret}»"), High),
        ],
        &[
            ("", &format!("auth_token={secret}")),
            ("", &format!("TWILIO_AUTH_TOKEN={secret}0")),
        ],
    );
}

#[test]
fn sendgrid_key() {
    token(
        "sendgrid_key",
        "SG.",
        &format!("{}.{}", lot(URL, 22, 1), lot(URL, 43, 2)),
        High,
    );
    table(
        "sendgrid_key",
        &[],
        High,
        &[format!("SG.{}.{}", lot(URL, 21, 1), lot(URL, 44, 2))],
    );
}

#[test]
fn telegram_bot_token() {
    let body = lot(URL, 33, 3);
    let found = [
        format!(
            "https://api.telegram.org/bot7{}:«AA{body}»/getMe",
            lot(DIGITS, 9, 1)
        ),
        format!("TOKEN=123456789:«AA{body}»"),
    ];
    let not = [
        format!("AA{body}"),
        format!("12:AA{body}"),
        format!("123456789:AA{body}0"),
        format!("123456789:AA{}", &body[1..]),
    ];
    table("telegram_bot_token", &found, High, &not);
}

#[test]
fn discord() {
    // 18 digits in base64, without the padding that they need not.
    let number = "MTk4NjIyNDgzNDcxOTI1MjQ4";
    let token_body = format!("{number}.{}.{}", lot(ALNUM, 6, 1), lot(URL, 38, 2));
    let found = [
        format!("DISCORD_TOKEN=«{token_body}»"),
        format!("Bot «{token_body}» logged in"),
    ];
    let not = [
        format!(
            "{}.{}.{}",
            lot(ALNUM, 24, 9),
            lot(ALNUM, 6, 1),
            lot(URL, 38, 2)
        ),
        format!("MTIzNDU2.{}.{}", lot(ALNUM, 6, 1), lot(URL, 38, 2)),
        format!("{number}.{}", lot(URL, 38, 2)),
        "NTP.server.example MTU.1500 ODT.document".to_owned(),
    ];
    table("discord_bot_token", &found, High, &not);
    let path = format!("{}/{}", lot("123456789", 19, 3), lot(URL, 68, 4));
    let found = [
        format!("https://discord.com/api/«webhooks/{path}»"),
        format!("POST /api/v10/«webhooks/{path}» HTTP/1.1"),
    ];
    let not = [
        "docs/webhooks/stripe/handling-events-in-production-and-everything-else-that-comes-along-the-way-of-it".to_owned(),
        format!("webhooks/{}/{}", lot(DIGITS, 12, 3), lot(URL, 68, 4)),
    ];
    table("discord_webhook", &found, High, &not);
}

#[test]
fn grafana_token() {
    token(
        "grafana_token",
        "glsa_",
        &format!("{}_{}", lot(ALNUM, 32, 1), lot(HEX, 8, 2)),
        High,
    );
    token("grafana_token", "glc_eyJ", &lot(ALNUM, 120, 3), High);
    table(
        "grafana_token",
        &[],
        High,
        &[format!("glsa_{}", lot(ALNUM, 41, 4))],
    );
}

#[test]
fn terraform_cloud_token() {
    let body = lot(URL, 67, 1);
    let found = [format!(
        "token = \"{}.«atlasv1.{body}»\"",
        lot(ALNUM, 14, 2)
    )];
    let not = [
        format!("atlasv1.{body}"),
        format!("abc.atlasv1.{body}"),
        format!("{}.atlasv1.x", lot(ALNUM, 14, 2)),
    ];
    table("terraform_cloud_token", &found, High, &not);
}

#[test]
fn atlassian_token() {
    token(
        "atlassian_token",
        "ATATT3",
        &format!(
            "xFfGF0{}={}",
            lot(URL, 170, 1),
            lot("0123456789ABCDEF", 8, 2)
        ),
        High,
    );
    token("atlassian_token", "ATATT3", &lot(URL, 180, 3), Medium);
}

#[test]
fn groq_key() {
    token(
        "groq_key",
        "gsk_",
        &format!("{}WGdyb3FY{}", lot(ALNUM, 20, 1), lot(ALNUM, 24, 2)),
        High,
    );
    token("groq_key", "gsk_", &lot(ALNUM, 52, 3), Medium);
}

#[test]
fn notion_tokens_of_before() {
    token("notion_token", "secret_", &lot(ALNUM, 43, 1), Medium);
    let words = "secret_".to_owned() + &"manager_name_of_the_thing".repeat(2);
    table("notion_token", &[], High, &[words]);
}

#[test]
fn mailgun_key() {
    let key = lot(HEX, 32, 1);
    let parts = format!("{key}-{}-{}", lot(HEX, 8, 2), lot(HEX, 8, 3));
    check(
        "mailgun_key",
        &[
            ("", &format!("MAILGUN_KEY: «key-{key}»"), High),
            ("", &format!("--user 'api:«key-{key}»'"), Medium),
            ("", &format!("MAILGUN_API_KEY=«{parts}»"), High),
            ("api_key", &format!("«{parts}»"), Medium),
        ],
        &[(
            "",
            &format!("monkey-{key} key-{key}0 id={parts} MAILGUN_API_KEY={key}-1-2"),
        )],
    );
}

#[test]
fn postman_key() {
    token(
        "postman_key",
        "PMAK-",
        &format!("{}-{}", lot(HEX, 24, 1), lot(HEX, 34, 2)),
        High,
    );
}

#[test]
fn jwt() {
    let value = [
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.",
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
    ]
    .concat();
    // {"alg":"none"}, {"alg":"dir","enc":"A128GCM"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", lot(URL, 40, 1));
    let encrypted = format!(
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..{}.{}.{}",
        lot(URL, 16, 2),
        lot(URL, 60, 3),
        lot(URL, 22, 4)
    );
    let found = [
        format!("«{value}»"),
        format!("Authorization: Bearer «{value}»."),
        format!("https://x.example/cb#id_token=«{value}»&state=1"),
        format!("\"«{unsigned}»\""),
        format!("t=«{encrypted}» end"),
    ];
    let (header, claims) = ("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0");
    let not = [
        format!("{header}.{claims}"),
        header.to_owned(),
        format!("{header}.."),
        format!("{claims}.{claims}.{}", lot(URL, 43, 5)),
        format!(
            "eyJ{}.{}.{}",
            lot(URL, 30, 6),
            lot(URL, 30, 7),
            lot(URL, 30, 8)
        ),
        "eyJ. eyJust.some.words".to_owned(),
    ];
    table("jwt", &found, High, &not);
}
