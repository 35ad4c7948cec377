//! What of a head is kept as it is. Headers are, where they are known to carry nothing that opens a door; any other value
//! becomes a fingerprint, and so do values of a query that are named like a key to something.

use enforcer_audit::Fingerprinter;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

use crate::credentials;

/// What unknown headers are called in their fingerprints.
const HEADER: &str = "header";
/// And parameters of queries.
const PARAMETER: &str = "parameter";

/// Headers of requests and answers that are about the message, and not about who sends it or what for.
const HARMLESS: [&str; 62] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "anthropic-beta",
    "anthropic-version",
    "cache-control",
    "cf-cache-status",
    "cf-ray",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-security-policy",
    "content-type",
    "date",
    "expect",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-modified",
    "max-forwards",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "openai-beta",
    "openai-model",
    "openai-processing-ms",
    "openai-version",
    "origin",
    "pragma",
    "range",
    "request-id",
    "retry-after",
    "sec-websocket-extensions",
    "sec-websocket-version",
    "server",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "x-content-type-options",
    "x-request-id",
    "x-robots-tag",
    "x-frame-options",
];
/// Families of such headers.
const FAMILIES: [&str; 4] = [
    "anthropic-ratelimit-",
    "sec-fetch-",
    "x-ratelimit-",
    "x-stainless-",
];
/// What is in the name of a parameter whose value is a key to something.
const KEYS: [&str; 10] = [
    "auth", "code", "cred", "jwt", "key", "pass", "secret", "session", "sig", "token",
];

/// Headers as they are kept.
pub(super) fn headers(headers: &HeaderMap, fingerprinter: &Fingerprinter) -> Vec<(String, String)> {
    let shown = headers.iter().map(|(name, value)| {
        let value = header(name, value, fingerprinter);
        (name.as_str().to_owned(), value)
    });
    shown.collect()
}

fn header(name: &HeaderName, value: &HeaderValue, fingerprinter: &Fingerprinter) -> String {
    let kind = match credentials::kind(name) {
        None if is_harmless(name.as_str()) => {
            return String::from_utf8_lossy(value.as_bytes()).into_owned();
        }
        None => HEADER,
        Some(kind) => kind,
    };
    fingerprinter
        .fingerprint(kind, value.as_bytes())
        .to_string()
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || FAMILIES.iter().any(|family| name.starts_with(family))
}

/// A query as it is kept.
pub(super) fn query(query: &str, fingerprinter: &Fingerprinter) -> String {
    let parameters = query.split('&').map(|parameter| {
        let Some((name, value)) = parameter.split_once('=') else {
            return parameter.to_owned();
        };
        let lower = name.to_ascii_lowercase();
        // A name that is written in another way may be any name.
        let is_key = name.contains('%') || KEYS.iter().any(|key| lower.contains(key));
        match is_key && !value.is_empty() {
            true => {
                let fingerprint = fingerprinter.fingerprint(PARAMETER, value.as_bytes());
                format!("{name}={fingerprint}")
            }
            false => parameter.to_owned(),
        }
    });
    parameters.collect::<Vec<_>>().join("&")
}
