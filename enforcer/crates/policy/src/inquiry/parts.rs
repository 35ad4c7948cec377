//! The parts of an inquiry that are read as they stand: headers, bodies, estimates.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;

use crate::Estimate;
use crate::condition::range::{Unit, number};
use crate::condition::schema::to_json;
use crate::diagnostic::{Findings, Spot, excerpt};
use crate::inquiry::ReadFile;
use crate::parse::fields::{self, Fields};
use crate::parse::tree::{Entry, Value};

pub(super) fn read_headers(entry: Entry<'_>, findings: &mut Findings) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (key, spot, value) in texts_of_map(entry, "`headers`", findings) {
        let name = HeaderName::from_bytes(key.as_bytes());
        match (name, HeaderValue::from_str(&value)) {
            (Ok(name), Ok(value)) => drop(headers.append(name, value)),
            (Err(_), _) | (_, Err(_)) => {
                let message = format!("`{}` is no header, or has no such value", excerpt(&key));
                findings.error(spot, message, None);
            }
        }
    }
    headers
}

/// A body that is written out: maps and lists are JSON, text is text, each unless the headers say otherwise.
pub(super) fn read_body(entry: &Entry<'_>, headers: &mut HeaderMap) -> Vec<u8> {
    let (media_type, bytes) = match &entry.value.value {
        Value::Text(text) => ("text/plain", text.as_bytes().to_vec()),
        Value::List(_) | Value::Map(_) | Value::Null => {
            let json: Json = to_json(&entry.value);
            ("application/json", json.to_string().into_bytes())
        }
    };
    usual_type(headers, media_type);
    bytes
}

pub(super) fn read_file(
    entry: Entry<'_>,
    read: ReadFile<'_>,
    headers: &mut HeaderMap,
    findings: &mut Findings,
) -> Option<Vec<u8>> {
    let text = fields::text(entry, findings)?;
    match read(&text.text) {
        Ok(bytes) => {
            let json = text.text.ends_with(".json");
            usual_type(
                headers,
                if json {
                    "application/json"
                } else {
                    "text/plain"
                },
            );
            Some(bytes)
        }
        Err(why) => {
            let message = format!("`{}` cannot be read: {why}", excerpt(&text.text));
            findings.error(text.spot, message, None);
            None
        }
    }
}

fn usual_type(headers: &mut HeaderMap, media_type: &'static str) {
    headers
        .entry(http::header::CONTENT_TYPE)
        .or_insert(HeaderValue::from_static(media_type));
}

pub(super) fn read_estimate(entry: Entry<'_>, findings: &mut Findings) -> Estimate {
    let mut estimate = Estimate::default();
    let known = ["tokens", "usd"];
    let Some(mut map) = Fields::open(entry.into_value(), "`estimate`", &known, findings) else {
        return estimate;
    };
    let mut value = |key, unit| {
        let text = fields::text(map.take(key)?, findings)?;
        match number(&text.text, unit) {
            Ok(value) => Some(value),
            Err(fault) => {
                findings.fault(text.spot, fault);
                None
            }
        }
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers here are not negative, and no case needs more than 2^64"
    )]
    let whole = |value: f64| value.round() as u64;
    estimate.tokens = value("tokens", Unit::Count).map(whole);
    estimate.micro_usd = value("usd", Unit::Usd).map(|usd| whole(usd * 1e6));
    estimate
}

/// The entries of a map of texts.
pub(super) fn texts_of_map<'t>(
    entry: Entry<'t>,
    what: &str,
    findings: &mut Findings,
) -> Vec<(String, Spot<'t>, String)> {
    let spot = entry.spot;
    let Value::Map(entries) = entry.into_value().value else {
        findings.error(spot, format!("{what} is a map of names and values"), None);
        return Vec::new();
    };
    let mut texts = Vec::new();
    for entry in entries {
        let (key, spot) = (entry.key.clone().into_owned(), entry.spot);
        for text in fields::texts(entry, findings).values {
            texts.push((key.clone(), spot, text.text.into_owned()));
        }
    }
    texts
}
