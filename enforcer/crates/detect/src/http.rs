//! HTTP/1 by its request line, HTTP/2 by its preface.
//!
//! A method token alone proves nothing (`SSH-2.0-x y`, `EHLO host` and `USER anonymous` all begin with one), so HTTP/1 is
//! known only once ` HTTP/1.` has been seen on the first line. Clients send that line in one piece; waiting for it costs nothing.

use crate::{Detection, Known};

/// RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What follows the request target, RFC 9112 section 2.3; the minor version may be any digit.
const VERSION: &[u8] = b"HTTP/1.";
/// The longest registered method has 17 bytes (`UPDATEREDIRECTREF`).
const MAX_METHOD: usize = 32;
/// RFC 9112 section 3 recommends at least 8000 bytes for the whole line.
const MAX_TARGET: usize = 16 * 1024;

/// No request line is waited for beyond this.
pub(crate) const MAX_REQUEST_LINE: usize = MAX_METHOD + 1 + MAX_TARGET + 1 + VERSION.len();

pub(crate) fn detect(bytes: &[u8]) -> Detection<'static> {
    if bytes.starts_with(PREFACE) {
        return Detection::Known(Known::Http2);
    }
    if PREFACE.starts_with(bytes) {
        return Detection::NeedMore;
    }
    request_line(bytes)
}

fn request_line(bytes: &[u8]) -> Detection<'static> {
    let target = match token(bytes, MAX_METHOD, is_tchar) {
        Token::Ended(rest) => rest,
        Token::Open => return Detection::NeedMore,
        Token::Wrong => return Detection::Unknown,
    };
    let version = match token(target, MAX_TARGET, is_target) {
        Token::Ended(rest) => rest,
        Token::Open => return Detection::NeedMore,
        Token::Wrong => return Detection::Unknown,
    };
    if version.starts_with(VERSION) {
        Detection::Known(Known::Http1)
    } else if VERSION.starts_with(version) {
        Detection::NeedMore
    } else {
        Detection::Unknown
    }
}

/// One word of the request line.
enum Token<'a> {
    /// It ended with a space; this follows.
    Ended(&'a [u8]),
    /// The bytes ran out first.
    Open,
    /// It is empty, too long, or has a byte that no such word has.
    Wrong,
}

fn token(bytes: &[u8], max: usize, allowed: fn(u8) -> bool) -> Token<'_> {
    let length = bytes.iter().take_while(|&&b| allowed(b)).count();
    if length > max {
        return Token::Wrong;
    }
    match bytes.get(length) {
        None => Token::Open,
        Some(b' ') if length > 0 => Token::Ended(&bytes[length + 1..]),
        Some(_) => Token::Wrong,
    }
}

/// RFC 9110 section 5.6.2.
fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Anything that does not end the line; the HTTP room judges the target itself and can answer 400.
fn is_target(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f
}
