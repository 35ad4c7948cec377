//! Passwords in addresses: `scheme://user:password@host`.

pub(super) mod basic_auth;
pub(super) mod connection_string;

use super::chance::{drawn, random, stand_in};
use super::token::{found, near};
use crate::{Confidence, Look, Sight};

/// The most that a user's name or a password takes here.
pub(super) const LONGEST: usize = 256;

/// What stands between `://` and the host.
enum User {
    /// Where the password lies.
    Password {
        start: usize,
        end: usize,
    },
    /// A name alone, and where it lies.
    Name {
        start: usize,
        end: usize,
    },
    None,
    Open,
}

/// The scheme before `://`, in the case it has.
pub(super) fn scheme<'a>(look: &Look<'a>) -> &'a [u8] {
    let near = near(look);
    let start = near
        .iter()
        .rposition(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte));
    &near[start.map_or(0, |last| last + 1)..]
}

/// The password behind `://`, or a name that is a token, where there is one.
pub(super) fn see(look: &Look<'_>) -> Sight {
    match user(look) {
        User::Password { start, end } => {
            let name = &look.text[look.at + 3..start - 1];
            found(start, end, password(name, &look.text[start..end]))
        }
        User::Name { start, end } => {
            let name = &look.text[start..end];
            found(
                start,
                end,
                (name.len() >= 20 && random(name)).then_some(Confidence::Medium),
            )
        }
        User::None => Sight::Nothing,
        User::Open => Sight::Open { start: look.at },
    }
}

fn user(look: &Look<'_>) -> User {
    let text = look.text;
    let known = &text[look.at..];
    if !known.starts_with(b"://") {
        return if b"://".starts_with(known) && !look.last {
            User::Open
        } else {
            User::None
        };
    }
    let start = look.at + 3;
    let mut colon = None;
    for (place, byte) in text.iter().enumerate().skip(start).take(2 * LONGEST) {
        match (byte, colon) {
            (b'@', Some(colon)) => {
                let empty = colon + 1 == place || place - colon > LONGEST;
                return if empty {
                    User::None
                } else {
                    User::Password {
                        start: colon + 1,
                        end: place,
                    }
                };
            }
            (b'@', None) if place > start => return User::Name { start, end: place },
            (b':', None) => colon = Some(place),
            (b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`' | b'@' | b'|', _) => {
                return User::None;
            }
            (byte, _) if byte.is_ascii_whitespace() || byte.is_ascii_control() => {
                return User::None;
            }
            _ => {}
        }
    }
    if text.len() < start + 2 * LONGEST && !look.last {
        User::Open
    } else {
        User::None
    }
}

/// How sure it is that a password opens something: those that every example has, and those that are put in later, do not.
fn password(name: &[u8], password: &[u8]) -> Option<Confidence> {
    if later(password) || stand_in(password) {
        return None;
    }
    let digits = password
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let word = &password[..password.len() - digits];
    let common = word.is_empty()
        || password.eq_ignore_ascii_case(name)
        || COMMON
            .iter()
            .any(|common| word.eq_ignore_ascii_case(common.as_bytes()));
    Some(match password {
        _ if common || password.len() < 4 => Confidence::Low,
        _ if password.len() >= 8 && drawn(password) => Confidence::High,
        _ => Confidence::Medium,
    })
}

/// Is to be replaced by a password: `${PASSWORD}`, `{password}`, `<password>`, `[password]`, `%s`, `$PASSWORD`.
fn later(password: &[u8]) -> bool {
    let capitals = password
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    capitals
        || matches!(password[0], b'$' | b'{' | b'<' | b'[' | b'(')
        || password.starts_with(b"%s")
        || password
            .iter()
            .all(|byte| matches!(byte, b'*' | b'.' | b'x' | b'X'))
}

/// What examples call a password, and what programs have before somebody chose one.
const COMMON: [&str; 22] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "postgres",
    "mysql",
    "root",
    "admin",
    "guest",
    "user",
    "test",
    "token",
    "mypassword",
    "userpass",
    "p4ssw0rd",
    "p@ssw0rd",
    "hunter",
    "redis",
    "rabbitmq",
    "mongo",
    "foobar",
];
