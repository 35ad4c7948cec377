//! Keys of clouds.

use enforcer_recognize::Confidence::{High, Low, Medium};

use super::super::check::check;
use super::{ALNUM, BASE64, HEX, URL, lot, table, token};

const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[test]
fn aws_access_key_id() {
    // Behind a `Q`, the account's number is small enough; behind a `7` it is none.
    for prefix in ["AKIA", "ASIA", "ABIA", "ACCA"] {
        token(
            "aws_access_key_id",
            prefix,
            &format!("Q{}", lot(BASE32, 15, 2)),
            High,
        );
    }
    let (known, example) = (lot(BASE32, 14, 3), ["AKIA", "IOSFODNN7EXAMPLE"].concat());
    check(
        "aws_access_key_id",
        &[
            ("", &format!("«AKIA77{known}»"), Medium),
            ("", &format!("«{example}»"), Low),
        ],
        &[
            (
                "",
                &format!("AKIAQ0{known} AKIAQQ{known}Q AKIAq{known}Q akiaQQ{known}"),
            ),
            ("", "AKIAAAAAAAAAAAAAAAAA"),
        ],
    );
}

#[test]
fn aws_secret_access_key() {
    let (id, key) = (format!("AKIAQ{}", lot(BASE32, 15, 1)), lot(BASE64, 40, 2));
    check(
        "aws_secret_access_key",
        &[
            ("", &format!("AWS_SECRET_ACCESS_KEY=«{key}»"), High),
            ("", &format!("\"SecretAccessKey\": \"«{key}»\""), High),
            ("", &format!("aws_secret_key: «{key}»\n"), High),
            ("", &format!("secretKey='«{key}»'"), Medium),
            ("", &format!("{id},«{key}»\n"), High),
            ("", &format!("{id}\n«{key}»"), High),
            ("", &format!("\"{id}\", \"«{key}»\""), High),
            ("secret_access_key", &format!("«{key}»"), High),
            (
                "",
                &[
                    "aws_secret_access_key = «wJalrXUtnFEMI",
                    "/K7MDENG/",
                    "bPxRfiCYEXAMPLEKEY»",
                ]
                .concat(),
                Low,
            ),
        ],
        &[
            ("", &key),
            ("", &format!("other={key}")),
            ("", &format!("secret_key={}", lot(HEX, 40, 3))),
            (
                "",
                &format!("AWS_SECRET_ACCESS_KEY={key}a secret_access_key=${{KEY}}"),
            ),
            ("", &format!("{id} and then {key}, {id}, {}", &key[..39])),
            ("content", &format!("A{}", &key[1..])),
        ],
    );
}

#[test]
fn aws_session_token() {
    let token = format!("IQoJb3JpZ2lu{}", lot(BASE64, 400, 1));
    let other = format!("FwoGZXIvYXdz{}", lot(BASE64, 300, 2));
    let long = lot(BASE64, 200, 3);
    check(
        "aws_session_token",
        &[
            ("", &format!("«{token}»"), High),
            ("", &format!("AWS_SESSION_TOKEN=«{other}»"), High),
            ("session_token", &format!("«{other}»"), High),
            ("", &format!("x-amz-security-token: «{long}»"), Medium),
        ],
        &[
            (
                "",
                &format!("session_token={long} AWS_SESSION_TOKEN={}", &long[..60]),
            ),
            ("", "IQoJb3JpZ2luX2Vj"),
        ],
    );
}

#[test]
fn azure() {
    let key = format!("{}Q==", lot(BASE64, 85, 1));
    check(
        "azure_account_key",
        &[
            (
                "",
                &format!(
                    "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=«{key}»;EndpointSuffix=core.windows.net"
                ),
                High,
            ),
            ("", &format!("AZURE_STORAGE_KEY=\"«{key}»\""), High),
            ("account_key", &format!("«{key}»"), High),
        ],
        &[
            ("", &format!("AccountKey={}R==", lot(BASE64, 85, 1))),
            ("", &format!("AccountKey={}", &key[1..])),
            ("", &format!("sha512={key}")),
        ],
    );
    let shared = format!("{}=", lot(BASE64, 43, 2));
    check(
        "azure_shared_access_key",
        &[(
            "",
            &format!("Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=«{shared}»"),
            High,
        )],
        &[(
            "",
            &format!("SharedAccessKey={} key={shared}", &shared[1..]),
        )],
    );
    let signature = format!("{}%2F{}%3D", lot(ALNUM, 20, 3), lot(ALNUM, 22, 4));
    check(
        "azure_sas_signature",
        &[
            (
                "",
                &format!(
                    "https://x.blob.core.windows.net/c?sv=2022-11-02&sr=c&sp=r&sig=«{signature}»&x=1"
                ),
                High,
            ),
            ("", &format!("?sig=«{signature}»"), Low),
        ],
        &[("", &format!("&se=1&sig={}&se=2&sig=1", &signature[1..]))],
    );
    let secret = format!("aB38Q~{}", lot(URL, 34, 5));
    check(
        "azure_client_secret",
        &[
            ("", &format!("AZURE_CLIENT_SECRET=«{secret}»"), High),
            ("", &format!("\"password\": \"«{secret}»\""), High),
            ("client_secret", &format!("«{secret}»"), High),
        ],
        &[
            ("", &format!("client_secret=aB3xQ~{}", lot(URL, 34, 5))),
            ("", &format!("client_secret={}", lot(URL, 40, 6))),
        ],
    );
}

#[test]
fn datadog_key() {
    let (key, app) = (lot(HEX, 32, 1), lot(HEX, 40, 2));
    check(
        "datadog_key",
        &[
            ("", &format!("DD_API_KEY=«{key}»"), High),
            ("", &format!("DD-APPLICATION-KEY: «{app}»"), High),
            ("", &format!("datadog:\n  api_key: «{key}»\n"), High),
            ("dd_app_key", &format!("«{app}»"), High),
        ],
        &[(
            "",
            &format!("api_key={key} DD_API_KEY={} DD_API_KEY=x", &key[1..]),
        )],
    );
}

#[test]
fn heroku_api_key() {
    let uuid = format!(
        "{}-{}-4{}-a{}-{}",
        lot(HEX, 8, 1),
        lot(HEX, 4, 2),
        lot(HEX, 3, 3),
        lot(HEX, 3, 4),
        lot(HEX, 12, 5)
    );
    check(
        "heroku_api_key",
        &[
            ("", &format!("HEROKU_API_KEY=«{uuid}»"), High),
            ("heroku_api_key", &format!("«{uuid}»"), High),
        ],
        &[(
            "",
            &format!("API_KEY={uuid} heroku id {uuid} HEROKU_API_KEY=x"),
        )],
    );
}

#[test]
fn no_checks_are_passed_by_tables_of_nothing() {
    // A key of another length, in the same words, is none.
    table(
        "azure_account_key",
        &[],
        High,
        &[format!("AccountKey={}", lot(BASE64, 60, 1))],
    );
}
