//! What only its name or its place tells.

use enforcer_recognize::Confidence::{High, Low, Medium};

use super::super::check::check;
use super::{ALNUM, HEX, lot};

#[test]
fn connection_string_password() {
    check(
        "connection_string_password",
        &[
            ("", "postgres://app:«s3cr3tP4ss»@db:5432/x", High),
            (
                "",
                "DATABASE_URL=postgresql://app:«q7Lm2Zx9»@db/x?sslmode=require",
                High,
            ),
            (
                "",
                "mysql://root:«Fall2024!»@h amqp://u:«kLm93zQp1»@h",
                High,
            ),
            ("", "jdbc:mongodb+srv://u:«kLm93zQp1»@c0.example.net", High),
            ("", "REDIS://:«kLm93zQp1»@h:6379/0", High),
            ("", "postgres://app:«blau42»@db", Medium),
            ("", "postgres://postgres:«postgres»@localhost/x", Low),
            (
                "",
                "Server=db;Database=x;User Id=app;Password=«Fall2024!x»;Encrypt=true",
                Medium,
            ),
            ("", "Data Source=db;uid=app;pwd=«blauwal7»", Medium),
        ],
        &[
            (
                "",
                "postgres://db/x postgres://db:5432/x postgres://user@db/x redis://h:6379",
            ),
            (
                "",
                "postgres://user:${PASSWORD}@h mysql://u:<password>@h redis://:$PASS@h amqp://u:{pw}@h amqp://u:%s@h",
            ),
            (
                "",
                "postgres://app:s3cr3t P4ss@db postgres://app:s3/cr@db https://u:kLm93zQp1@h",
            ),
            ("", "Password=Fall2024!x;"),
            ("", "Server=db;Password=<password>;Password={0};"),
        ],
    );
}

#[test]
fn basic_auth_url() {
    let token = lot(ALNUM, 30, 1);
    check(
        "basic_auth_url",
        &[
            ("", "curl https://app:«kLm93zQp1»@example.com/x", High),
            (
                "",
                "git clone https://oauth2:«kLm93zQp1»@git.example/a.git",
                High,
            ),
            ("", "ftp://u:«blau42»@h", Medium),
            ("", "http://admin:«admin»@h", Low),
            ("", &format!("https://«{token}»@git.example/a.git"), Medium),
        ],
        &[
            (
                "",
                "https://example.com:8080/a@b http://[::1]:80/ https://user@example.com mailto:a@b.c",
            ),
            (
                "",
                "https://user:password123@ https://x:${TOKEN}@h https://u:****@h https://u:PASSWORD@h",
            ),
            ("", "postgres://app:kLm93zQp1@db"),
        ],
    );
}

#[test]
fn authorization_header() {
    let token = lot(ALNUM, 40, 1);
    let basic = ["YXBwOmtMbTkz", "elFwMXg="].concat();
    check(
        "authorization_header",
        &[
            ("", &format!("Authorization: Bearer «{token}»\r\n"), Medium),
            (
                "",
                &format!("curl -H \"authorization: bearer «{token}»\" x"),
                Medium,
            ),
            (
                "",
                &format!("{{\"Authorization\": \"Token «{token}»\"}}"),
                Medium,
            ),
            ("", &format!("Proxy-Authorization: Basic «{basic}»"), High),
            ("authorization", &format!("Basic «{basic}»"), High),
            ("Authorization", &format!("Bearer «{token}»"), Medium),
        ],
        &[
            (
                "",
                "Authorization: Bearer <token>, Authorization: Bearer $TOKEN, Authorization: Basic Zm9v",
            ),
            (
                "",
                "authorization: required, Authorization: Bearer your-token-goes-here-please",
            ),
            ("", "Authorization:"),
        ],
    );
}

#[test]
fn generic_secret() {
    let (drawn, hex) = (lot(ALNUM, 24, 1), lot(HEX, 40, 2));
    check(
        "generic_secret",
        &[
            (
                "",
                &format!("MY_API_KEY={drawn}").replace(&drawn, &format!("«{drawn}»")),
                Medium,
            ),
            ("", &format!("api-key: «{drawn}»\n"), Medium),
            ("", &format!("const clientSecret = \"«{drawn}»\";"), Medium),
            (
                "",
                &format!("{{\\\"access_token\\\": \\\"«{drawn}»\\\"}}"),
                Medium,
            ),
            ("", &format!("cfg['secret'] => '«{hex}»'"), Medium),
            ("", &format!("token := \"«{drawn}»\""), Medium),
            (
                "",
                &format!("grant_type=x&client_secret=«{drawn}»&scope=y"),
                Medium,
            ),
            ("", "password: «Tr0ub4dor&3»\n", Medium),
            ("", "\"password\":\"«correct7Horse!»\"", Medium),
            ("", "the password: «Sommer2024!».", Medium),
            ("", "passwd=«hunter2»", Low),
            ("password", "«Tr0ub4dor&3»", Medium),
            ("x-api-key", &format!("«{drawn}»"), Medium),
        ],
        &[
            (
                "",
                "api_key=your-api-key api_key=xxxxxxxxxxxxxxxxxxxx token=${TOKEN} token=<token> secret=********",
            ),
            (
                "",
                "password=changeme password: null password: string password = input() password=$1 password=%s",
            ),
            (
                "",
                "secret: /run/secrets/db-password secret: ./key.pem api_key: process.env.OPENAI_API_KEY token: self.token",
            ),
            (
                "",
                "token: arn:aws:secretsmanager:eu-central-1:prod secret: op://vault/item/field",
            ),
            (
                "",
                &format!(
                    "next_page_token={drawn} csrf_token={drawn} id={drawn} key={drawn} etag: {hex}"
                ),
            ),
            (
                "",
                "token: 12345678901234567890 token: 550e8400-e29b-41d4-a716-446655440000",
            ),
            ("", "password:\npassword=\npassword: \"\""),
            ("content", &drawn),
            ("token", "Please send me the token by mail"),
        ],
    );
}
