//! What opens a door. Values are drawn here, so that none of them ever opened anything and no scanner takes this for a leak.

use enforcer_recognize::Confidence::{self, Low};
use enforcer_recognize::Family;

use super::check::check;

#[path = "secret/armor.rs"]
mod armor;
#[path = "secret/cloud.rs"]
mod cloud;
#[path = "secret/corpus.rs"]
mod corpus;
#[path = "secret/named.rs"]
mod named;
#[path = "secret/vendors.rs"]
mod vendors;

pub(crate) const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
pub(crate) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(crate) const DIGITS: &str = "0123456789";
pub(crate) const HEX: &str = "0123456789abcdef";
pub(crate) const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// So many letters, always the same for a seed.
pub(crate) fn lot(letters: &str, length: usize, seed: u64) -> String {
    let letters = letters.as_bytes();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[(state >> 33) as usize % letters.len()]
    };
    let mut lot = vec![];
    while lot.len() < length {
        let letter = next();
        // No two signs in a row, none at the ends: what is drawn is always one run.
        let sign = !letter.is_ascii_alphanumeric();
        let edge = lot.is_empty() || lot.len() + 1 == length;
        if !(sign
            && (edge
                || lot
                    .last()
                    .is_some_and(|last: &u8| !last.is_ascii_alphanumeric())))
        {
            lot.push(letter);
        }
    }
    String::from_utf8(lot).unwrap()
}

/// With GitHub's and npm's checksum behind it.
pub(crate) fn summed(drawn: &str) -> String {
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut left = crc32fast::hash(drawn.as_bytes());
    let mut sum = [b'0'; 6];
    for place in sum.iter_mut().rev() {
        *place = digits[left as usize % 62];
        left /= 62;
    }
    format!("{drawn}{}", String::from_utf8(sum.to_vec()).unwrap())
}

/// Checks that a token which is known by how it begins is found wherever texts have it, and is none as part of a word, cut
/// short, or made of one letter.
pub(crate) fn token(name: &str, prefix: &str, body: &str, confidence: Confidence) {
    let value = format!("{prefix}{body}");
    let found = [
        format!("«{value}»"),
        format!("it is «{value}», keep it"),
        format!("it is «{value}»."),
        format!("KEY=«{value}»\nOTHER=1"),
        format!(r#"{{"key":"«{value}»","n":1}}"#),
        format!("a\\n«{value}»\\n"),
        format!("https://api.example.com/v1?k=«{value}»&n=1"),
        format!("cat /etc/«{value}»/x «{value}»"),
    ];
    let not = [
        format!("x{value}"),
        format!("{prefix}{}", &body[..12]),
        format!("{prefix}{}", "x".repeat(body.len())),
        format!("{prefix}YOUR_KEY_HERE and {prefix}... {prefix}<key> {prefix}"),
        prefix.to_owned(),
    ];
    table(name, &found, confidence, &not);
}

/// Checks marked texts that are all found with one confidence, and those in which nothing is.
pub(crate) fn table(name: &str, found: &[String], confidence: Confidence, not: &[String]) {
    let found: Vec<_> = found
        .iter()
        .map(|text| ("", text.as_str(), confidence))
        .collect();
    let not: Vec<_> = not.iter().map(|text| ("", text.as_str())).collect();
    check(name, &found, &not);
}

#[test]
fn nothing_of_ordinary_texts_is_a_secret() {
    let image = lot(BASE64, 900, 7);
    let texts = [
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 (HEAD -> main)".to_owned(),
        "id=550e8400-e29b-41d4-a716-446655440000&next_page_token=CAEQAA9zZxQ81LmN0bVc5Xd".to_owned(),
        format!("<img src=\"data:image/png;base64,{image}\">"),
        format!("\"integrity\": \"sha512-{}==\", \"resolved\": \"https://registry.example/x/-/x-1.2.3.tgz\"", lot(BASE64, 86, 3)),
        format!("checksum = \"{}\"", lot(HEX, 64, 4)),
        "Set the password with --password=<password> or PASSWORD=${PASSWORD}; never commit a token.".to_owned(),
        "password: process.env.DB_PASSWORD, token: getToken(user), secret: config.secrets.main".to_owned(),
        "max_tokens: 4096, \"total_tokens\": 1532, token_type: bearer, tokenizer: cl100k_base".to_owned(),
        "export OPENAI_API_KEY=sk-... # or sk-your-key-here, sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx".to_owned(),
        "pip install sk-learn-extensions-for-tabular-data-and-more-things-to-come".to_owned(),
        "Authorization: Bearer <token>, Authorization: Bearer YOUR_ACCESS_TOKEN_HERE, Authorization: Basic".to_owned(),
        "postgres://localhost/db http://host:8080/x https://user@example.com/ git@github.com:a/b.git".to_owned(),
        "postgres://user:${PASSWORD}@db/x mysql://root:<password>@db redis://:@h https://u:****@h".to_owned(),
        "password: string; secret: &'static str, token: Option<String>, api_key: str = None".to_owned(),
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ".to_owned(),
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----".to_owned(),
        "secret_name: prod/database/main-password-2, access_key: /etc/keys/service-account.json".to_owned(),
        "AccountKey=<your-account-key>;EndpointSuffix=core.windows.net".to_owned(),
        "SKU AC and SK-1234567890 AAPL eyJust a word npm_config_registry hf_hub_download r8_x".to_owned(),
        "the csrf_token: \"a8F3k29dLq0Zx7Vb31NmPw\" and sig=1 key=value".to_owned(),
    ];
    for detector in enforcer_recognize::all().filter(|detector| detector.family == Family::Secret) {
        table(detector.name, &[], Low, &texts);
    }
}
