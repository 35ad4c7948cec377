//! Where a value stands in a request.

use serde_json::json;

use super::rows::{ECHO, HOST};
use crate::masking::request::Request;

const BOUNDARY: &str = "a-line-between-parts";

/// From a text to a request that carries it.
pub(super) type Place = fn(&str) -> Request;

pub(super) fn to() -> Request {
    Request::to(HOST, ECHO)
}

pub(super) fn body(content_type: &str, body: &str) -> Request {
    to().body(content_type, body)
}

pub(super) fn json(text: &str) -> Request {
    to().json(&json!({ "note": text }))
}

pub(super) fn json_as_it_is(text: &str) -> Request {
    body("application/json", &format!("{{\"note\":\"{text}\"}}"))
}

pub(super) fn text(text: &str) -> Request {
    body("text/plain", &format!("so: {text}\n"))
}

pub(super) fn query(text: &str) -> Request {
    query_as_it_is(&in_url(text))
}

pub(super) fn query_as_it_is(text: &str) -> Request {
    Request::to(HOST, &format!("{ECHO}?q={text}"))
}

pub(super) fn cookie(text: &str) -> Request {
    to().header("cookie", &format!("a=1; planted={text}"))
}

/// As protocol buffers have it: a number for the field, the length, the value; then another field.
pub(super) fn record(text: &str) -> Request {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    let bytes = [&[0x0a, length], text.as_bytes(), &[0x10, 0x96, 0x01]].concat();
    to().body("application/x-protobuf", bytes)
}

pub(super) fn form(values: &[&str]) -> Request {
    body("application/x-www-form-urlencoded", &pairs(values))
}

pub(super) fn multipart(values: &[&str]) -> Request {
    let heads: Vec<String> = (0..values.len())
        .map(|at| format!("Content-Disposition: form-data; name=\"field{at}\""))
        .collect();
    let all: Vec<(&str, &str)> = heads
        .iter()
        .map(String::as_str)
        .zip(values.iter().copied())
        .collect();
    parts(&all)
}

pub(super) fn parts(all: &[(&str, &str)]) -> Request {
    let mut text = String::new();
    for (head, content) in all {
        text.push_str(&format!("--{BOUNDARY}\r\n{head}\r\n\r\n{content}\r\n"));
    }
    text.push_str(&format!("--{BOUNDARY}--\r\n"));
    body(&format!("multipart/form-data; boundary={BOUNDARY}"), &text)
}

pub(super) fn pairs(values: &[&str]) -> String {
    let pairs = values.iter().enumerate();
    let pairs: Vec<String> = pairs.map(|(at, value)| format!("p{at}={value}")).collect();
    pairs.join("&")
}

/// Nearly equal pieces.
pub(super) fn pieces(value: &str, count: usize) -> Vec<String> {
    let letters: Vec<char> = value.chars().collect();
    let length = letters.len().div_ceil(count.max(1)).max(1);
    letters
        .chunks(length)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// As it can stand in a URL.
pub(super) fn in_url(text: &str) -> String {
    let write = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' | b'=' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(write).collect()
}
