//! E-mail addresses.

use crate::{
    Confidence::{self, High, Low, Medium},
    Detector, Family, Look, Sight, Wake,
};

pub(crate) static EMAIL: Detector = Detector {
    name: "email",
    family: Family::Pii,
    wake: &[Wake::At],
    longest: 254,
    recognise,
    examples: &[
        "user@example.com",
        "john.doe@example.com",
        "jane@example.org",
        "test@test.com",
        "me@example.com",
    ],
};

/// The most bytes before the `@`; the byte before them is looked at too.
const LOCAL: usize = 63;
/// As far as a detector looks back.
const NEAR: usize = 64;
/// The most behind it.
const DOMAIN: usize = 189;

fn recognise(look: &Look<'_>) -> Sight {
    let Some(start) = local(look) else {
        return Sight::Nothing;
    };
    let behind = &look.text[look.at + 1..];
    let length = behind
        .iter()
        .take(DOMAIN + 1)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        .count();
    if length > DOMAIN {
        return Sight::Nothing;
    }
    if length == behind.len() && !look.last {
        return Sight::Open { start };
    }
    if matches!(behind.get(length), Some(b'@')) {
        return Sight::Nothing;
    }
    let domain = &behind[..length];
    let domain = &domain[..domain
        .iter()
        .rposition(u8::is_ascii_alphanumeric)
        .map_or(0, |last| last + 1)];
    let Some(confidence) = judge(look, start, domain) else {
        return Sight::Nothing;
    };
    Sight::Found {
        span: start..look.at + 1 + domain.len(),
        confidence,
    }
}

/// Where the part before the `@` begins.
fn local(look: &Look<'_>) -> Option<usize> {
    let before = &look.text[..look.at];
    let from = look.at.saturating_sub(LOCAL);
    let joined = before[from..]
        .iter()
        .rposition(|byte| !(byte.is_ascii_alphanumeric() || b".!#$%&'*+-=?^_`{|}~".contains(byte)))
        .map_or(from, |last| from + last + 1);
    // What encloses addresses, or joins them to a name, is no part of them.
    let quoted = before[joined..]
        .iter()
        .rposition(|byte| b"'`={}|&?".contains(byte))
        .map_or(joined, |last| joined + last + 1);
    let start = quoted
        + before[quoted..]
            .iter()
            .position(u8::is_ascii_alphanumeric)?;
    (before[look.at - 1] != b'.').then_some(start)
}

fn judge(look: &Look<'_>, start: usize, domain: &[u8]) -> Option<Confidence> {
    let (name, top) = domain.split_at(domain.iter().rposition(|byte| *byte == b'.')?);
    let top = &top[1..];
    let labels = domain.split(|byte| *byte == b'.');
    let right = labels.clone().all(|label| {
        !label.is_empty()
            && label.len() < 64
            && label.first() != Some(&b'-')
            && label.last() != Some(&b'-')
            && !label.contains(&b'_')
    });
    // `react@18.2.0-rc.next` is a package, `logo@2x.png` a file.
    let version = name.first().is_some_and(u8::is_ascii_digit)
        && labels
            .clone()
            .any(|label| label.iter().all(u8::is_ascii_digit));
    if !right
        || version
        || top.len() < 2
        || !top.iter().all(u8::is_ascii_alphabetic)
        || is_file(top)
    {
        return None;
    }
    let local = &look.text[start..look.at];
    let before = start.checked_sub(1).map(|index| look.text[index]);
    if local.eq_ignore_ascii_case(b"git")
        || matches!(before, Some(b'/' | b':')) && in_url(look, start)
        || is_example(domain)
        || is_ssh(domain)
    {
        return Some(Low);
    }
    Some(if is_common(top) { High } else { Medium })
}

/// Names of algorithms and extensions of SSH are written like addresses.
fn is_ssh(domain: &[u8]) -> bool {
    [&b"openssh.com"[..], b"libssh.org", b"lysator.liu.se"].contains(&domain)
}

/// The `@` is that between a user and the host of a URL.
fn in_url(look: &Look<'_>, start: usize) -> bool {
    let from = look.at.saturating_sub(NEAR).min(start);
    let near = &look.text[from..start];
    let run = near
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<'))
        .map_or(0, |last| last + 1);
    near[run..].windows(3).any(|bytes| bytes == b"://")
}

fn is_example(domain: &[u8]) -> bool {
    [&b"example.com"[..], b"example.org", b"example.net"]
        .iter()
        .any(|known| domain.eq_ignore_ascii_case(known))
        || [
            &b".example"[..],
            b".test",
            b".invalid",
            b".localhost",
            b".local",
        ]
        .iter()
        .any(|end| {
            domain.len() > end.len() && domain[domain.len() - end.len()..].eq_ignore_ascii_case(end)
        })
}

fn is_file(top: &[u8]) -> bool {
    [
        "png", "jpg", "jpeg", "gif", "svg", "webp", "js", "jsx", "ts", "tsx", "mjs", "css", "scss",
        "html", "htm", "json", "yaml", "yml", "txt", "xml", "lock", "service", "timer", "socket",
        "target", "min", "tgz", "gz", "zip", "whl",
    ]
    .iter()
    .any(|known| top.eq_ignore_ascii_case(known.as_bytes()))
}

fn is_common(top: &[u8]) -> bool {
    let country = top.len() == 2;
    country
        || [
            "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "dev", "app", "name",
            "cloud", "email", "online", "tech", "xyz",
        ]
        .iter()
        .any(|known| top.eq_ignore_ascii_case(known.as_bytes()))
}
