//! Obligations out of a rule's text.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;

use crate::condition::range::{Unit, number};
use crate::diagnostic::{Fault, Findings, Spot, excerpt};
use crate::document::Text;
use crate::masking::{self, own::Detectors};
use crate::parse::fields::{self, Fields, one_of};
use crate::parse::tree::{Entry, Value};
use crate::{Amount, Beyond, By, Inject, Limit, Obligation, RuleRef, Sign, SignStyle};

/// Longest window of a limit.
const MAX_WINDOW: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// Longest name of a secret, and of what stands before one.
const MAX_NAME: usize = 64;
/// Headers that say where a request goes or how long it is.
const FRAMING: [&str; 7] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Reads one obligation's key of a rule.
pub(crate) fn read(
    entry: Entry<'_>,
    (rule, detectors): (&RuleRef, &Detectors),
    findings: &mut Findings,
    obligations: &mut Vec<Obligation>,
) {
    match &*entry.key {
        "inject" => obligations.extend(inject(entry, rule, findings)),
        "limit" => limits(entry, rule, findings, obligations),
        "mask" => {
            let mask = masking::read::read(entry, rule, detectors, findings);
            obligations.extend(mask.map(|mask| Obligation::Mask(Arc::new(mask))));
        }
        "record" => {
            let record = super::record::read(entry, rule, findings);
            obligations.extend(record.map(|record| Obligation::Record(Arc::new(record))));
        }
        // The last that the grammar of rules knows.
        _ => obligations.extend(sign(entry, rule, findings)),
    }
}

fn sign(entry: Entry<'_>, rule: &RuleRef, findings: &mut Findings) -> Option<Obligation> {
    let known = ["style", "secret"];
    let mut map = Fields::open(entry.into_value(), "`sign`", &known, findings)?;
    let style = map.require("style", findings);
    let secret = map.require("secret", findings);
    let style = fields::text(style?, findings)?;
    let style = one_of(&style, "a style of signatures", &SignStyle::WORDS, findings);
    Some(Obligation::Sign(Arc::new(Sign {
        rule: rule.clone(),
        secret: secret_name(secret?, findings)?,
        style: style?,
    })))
}

fn inject(entry: Entry<'_>, rule: &RuleRef, findings: &mut Findings) -> Option<Obligation> {
    let known = ["header", "secret", "prefix"];
    let mut map = Fields::open(entry.into_value(), "`inject`", &known, findings)?;
    let header = map.require("header", findings);
    let secret = map.require("secret", findings);
    let prefix = match map.take("prefix") {
        Some(entry) => fields::text(entry, findings)?,
        None => Text {
            spot: map.spot,
            text: "".into(),
        },
    };
    let header = fields::text(header?, findings)?;
    let name = header.text.to_ascii_lowercase();
    if HeaderName::from_bytes(name.as_bytes()).is_err() || FRAMING.contains(&&*name) {
        let message = format!(
            "`{}` is no header to put a secret in",
            excerpt(&header.text)
        );
        findings.error(header.spot, message, None);
        return None;
    }
    let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if prefix.text.len() > MAX_NAME || !prefix.text.bytes().all(visible) {
        let message = "a prefix of other signs than those of ASCII, or too many".to_owned();
        findings.error(prefix.spot, message, None);
        return None;
    }
    Some(Obligation::Inject(Arc::new(Inject {
        rule: rule.clone(),
        header: name.into(),
        prefix: (*prefix.text).into(),
        secret: secret_name(secret?, findings)?,
    })))
}

fn secret_name(entry: Entry<'_>, findings: &mut Findings) -> Option<Box<str>> {
    let text = fields::text(entry, findings)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let sound = !text.text.is_empty() && text.text.len() <= MAX_NAME;
    if !sound || !text.text.bytes().all(allowed) {
        // The text is not repeated: it may be a secret put in the wrong place.
        let message = "no name of a secret".to_owned();
        let hint =
            "name one of `secrets` in the daemon's configuration; secrets do not stand in policies";
        let spot = Spot::new(text.spot.file, text.spot.at, "");
        findings.error(spot, message, Some(hint.to_owned()));
        return None;
    }
    Some((*text.text).into())
}

fn limits(
    entry: Entry<'_>,
    rule: &RuleRef,
    findings: &mut Findings,
    obligations: &mut Vec<Obligation>,
) {
    let nodes = match entry.value.value {
        Value::List(nodes) => nodes,
        Value::Map(_) | Value::Null | Value::Text(_) => vec![entry.into_value()],
    };
    for (place, node) in (0u32..).zip(nodes) {
        let known = ["requests", "tokens", "usd", "per", "by", "beyond"];
        let Some(mut map) = Fields::open(node, "`limit`", &known, findings) else {
            continue;
        };
        let spot = map.spot;
        let amount = amount(&mut map, spot, findings);
        let window = map.require("per", findings);
        let window = window.and_then(|entry| window_of(entry, findings));
        let by = match map.take("by") {
            None => Some(By::Workload),
            Some(entry) => fields::text(entry, findings)
                .and_then(|text| one_of(&text, "what limits are counted by", &By::WORDS, findings)),
        };
        let words = [("approval", Beyond::Approval), ("deny", Beyond::Deny)];
        let beyond = match map.take("beyond") {
            None => Some(Beyond::Deny),
            Some(entry) => fields::text(entry, findings).and_then(|text| {
                one_of(&text, "what becomes of what is too much", &words, findings)
            }),
        };
        if let (Some(amount), Some(window), Some(by), Some(beyond)) = (amount, window, by, beyond) {
            obligations.push(Obligation::Limit(Arc::new(Limit {
                rule: rule.clone(),
                place,
                amount,
                window,
                by,
                beyond,
            })));
        }
    }
}

fn amount(map: &mut Fields<'_>, spot: Spot<'_>, findings: &mut Findings) -> Option<Amount> {
    let mut amounts = Vec::new();
    for (key, unit) in [
        ("requests", Unit::Count),
        ("tokens", Unit::Count),
        ("usd", Unit::Usd),
    ] {
        let Some(entry) = map.take(key) else { continue };
        let text = fields::text(entry, findings)?;
        match number(&text.text, unit) {
            Ok(value) => amounts.push((key, value)),
            Err(fault) => {
                findings.fault(text.spot, fault);
                return None;
            }
        }
    }
    let [(key, value)] = amounts.as_slice() else {
        let message = "a limit has one of `requests`, `tokens` and `usd`".to_owned();
        let hint = "a list under `limit` takes several limits".to_owned();
        findings.error(spot, message, Some(hint));
        return None;
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers here are not negative, and what is beyond 2^64 is no limit"
    )]
    let whole = |value: f64| value as u64;
    Some(match *key {
        "requests" => Amount::Requests(whole(*value)),
        "tokens" => Amount::Tokens(whole(*value)),
        _ => Amount::MicroUsd(whole((value * 1e6).round())),
    })
}

/// A duration such as `30s`, `5m`, `1h`, `1d`.
fn window_of(entry: Entry<'_>, findings: &mut Findings) -> Option<Duration> {
    let text = fields::text(entry, findings)?;
    let unit = text.text.chars().next_back();
    let seconds = match unit {
        Some('s') => Some(1),
        Some('m') => Some(60),
        Some('h') => Some(60 * 60),
        Some('d') => Some(24 * 60 * 60),
        Some(_) | None => None,
    };
    let digits = text.text.get(..text.text.len().saturating_sub(1));
    let count = digits.and_then(|digits| digits.parse::<u64>().ok());
    let window = seconds
        .zip(count)
        .and_then(|(seconds, count)| count.checked_mul(seconds))
        .map(Duration::from_secs)
        .filter(|window| !window.is_zero() && *window <= MAX_WINDOW);
    if window.is_none() {
        let fault = Fault::new(format!("`{}` is no stretch of time", excerpt(&text.text)));
        let hint = "write a number and `s`, `m`, `h` or `d`, up to 366 days";
        findings.fault(text.spot, fault.with_hint(hint));
    }
    window
}
