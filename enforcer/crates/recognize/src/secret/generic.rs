//! Whatever is assigned to a name that says it is secret, and looks it.

use super::assignment::{self, Assigned};
use super::chance::{entropy, random, stand_in, worded};
use super::heroku::uuid;
use crate::{Confidence, Detector, Family, Look, Sight, Wake};

/// Passwords, secrets, tokens and keys of which nothing else is known. Comes after all others.
pub(super) static DETECTOR: Detector = Detector {
    name: "generic_secret",
    family: Family::Secret,
    wake: &[
        Wake::Key("password"),
        Wake::Key("passwd"),
        Wake::Key("passphrase"),
        Wake::Key("pwd"),
        Wake::Key("secret"),
        Wake::Key("secrets"),
        Wake::Key("token"),
        Wake::Key("apikey"),
        Wake::Key("accesskey"),
        Wake::Key("secretkey"),
        Wake::Key("privatekey"),
        Wake::Key("signingkey"),
        Wake::Key("encryptionkey"),
        Wake::Key("masterkey"),
        Wake::Key("authkey"),
        Wake::Key("appkey"),
        Wake::Key("apisecret"),
        Wake::Key("credential"),
        Wake::Key("credentials"),
    ],
    longest: LONGEST,
    recognise,
    examples: &[],
};

const LONGEST: usize = 512;

/// Names of what a person chose, not a machine.
const CHOSEN: [&str; 4] = ["password", "passwd", "passphrase", "pwd"];

/// Tokens that open nothing: places in lists, and what guards forms.
const HARMLESS: [&str; 14] = [
    "pagetoken",
    "nexttoken",
    "continuationtoken",
    "synctoken",
    "paginationtoken",
    "starttoken",
    "resumetoken",
    "csrftoken",
    "xsrftoken",
    "csrfmiddlewaretoken",
    "maxtoken",
    "clienttoken",
    "designtoken",
    "cancellationtoken",
];

fn recognise(look: &Look<'_>) -> Sight {
    assignment::see(look, LONGEST, |assigned| {
        if assigned.key_ends(&HARMLESS) {
            return None;
        }
        if assigned.key_ends(&CHOSEN) {
            password(assigned)
        } else {
            drawn(assigned)
        }
    })
}

/// What a machine drew.
fn drawn(assigned: &Assigned<'_>) -> Option<Confidence> {
    let value = assigned.value;
    if later(assigned) || stand_in(value) || place(value) || !random(value) {
        return None;
    }
    Some(if uuid(value) {
        Confidence::Low
    } else {
        Confidence::Medium
    })
}

/// What a person chose.
pub(super) fn password(assigned: &Assigned<'_>) -> Option<Confidence> {
    let value = assigned.value;
    if value.len() < 6
        || later(assigned)
        || stand_in(value)
        || place(value)
        || value.contains(&b' ')
    {
        return None;
    }
    let kinds = kinds(value);
    let hidden = value
        .iter()
        .all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X' | b'-' | b'_'));
    match value.len() {
        _ if hidden || (kinds == 1 && !random(value)) => None,
        // `hunter2`, `postgres1`: words that everybody writes.
        0..8 => Some(Confidence::Low),
        // A type's name, as `CFStringRef`.
        _ if !assigned.quoted && value.iter().all(u8::is_ascii_alphabetic) => Some(Confidence::Low),
        _ if worded(value) || entropy(value) < 2.5 => Some(Confidence::Low),
        _ => Some(Confidence::Medium),
    }
}

/// Is put in later, or is code that gets it from somewhere.
fn later(assigned: &Assigned<'_>) -> bool {
    let value = assigned.value;
    let template = |bytes: &[u8]| value.windows(bytes.len()).any(|part| part == bytes);
    let known = matches!(
        value.first(),
        None | Some(
            b'$' | b'<' | b'{' | b'[' | b'(' | b'%' | b'&' | b'*' | b':' | b'@' | b'#' | b'!'
        )
    );
    let code = !assigned.quoted
        && value
            .iter()
            .any(|byte| matches!(byte, b'(' | b'[' | b'{' | b'<'));
    let path = template(b"::") || (value.contains(&b'.') && worded(value));
    let reference = !assigned.quoted && path;
    (known && (!assigned.quoted || template(b"{") || template(b"<") || value.starts_with(b"$")))
        || template(b"${")
        || template(b"{{")
        || template(b"%(")
        || code
        || reference
}

/// A file, an address, or the name of something that has the secret.
fn place(value: &[u8]) -> bool {
    let rooted = [
        b"/".as_slice(),
        b"./",
        b"../",
        b"~/",
        b"arn:",
        b"projects/",
        b"env:",
        b"vault:",
        b"secret:",
        b"op://",
        b"file:",
        b"ref+",
    ];
    let path = value.contains(&b'/')
        && value
            .split(|byte| *byte == b'/')
            .all(|part| part.is_empty() || worded(part));
    value.windows(3).any(|part| part == b"://")
        || path
        || rooted
            .iter()
            .any(|root| value.starts_with(root) && worded(&value[root.len()..]))
}

/// How many of small letters, capitals, digits and signs there are.
fn kinds(value: &[u8]) -> usize {
    let of = |kind: fn(&u8) -> bool| usize::from(value.iter().any(kind));
    of(u8::is_ascii_lowercase)
        + of(u8::is_ascii_uppercase)
        + of(u8::is_ascii_digit)
        + of(|byte| !byte.is_ascii_alphanumeric())
}
