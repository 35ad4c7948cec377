//! `Content-Type` to how a body is written.

use super::Media;

/// The longest boundary that RFC 2046 allows.
const BOUNDARY: usize = 70;

pub(super) fn of(content_type: Option<&str>) -> Media {
    let Some(value) = content_type.map(str::trim).filter(|it| !it.is_empty()) else {
        return Media::None;
    };
    let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
    let essence = essence.trim().to_ascii_lowercase();
    let well_formed = essence
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+/".contains(&byte));
    let Some((class, subtype)) = essence.split_once('/').filter(|_| well_formed) else {
        return Media::Unreadable;
    };
    let Some(Parameters { boundary, utf8 }) = read(parameters) else {
        return Media::Unreadable;
    };
    if !utf8 {
        return Media::Unreadable;
    }
    match (class, subtype) {
        ("application", "json") => Media::Json,
        ("application" | "text", "jsonl" | "x-ndjson" | "ndjson" | "x-jsonlines" | "jsonlines") => {
            Media::JsonLines
        }
        ("application", "x-www-form-urlencoded") => Media::Form,
        ("multipart", _) => boundary.map_or(Media::Unreadable, Media::Multipart),
        ("text", "event-stream") => Media::EventStream,
        ("text", "json") => Media::Json,
        (_, subtype) if subtype.ends_with("+json") => Media::Json,
        ("text", _) => Media::Text,
        (_, _) => Media::Other(essence),
    }
}

struct Parameters {
    boundary: Option<String>,
    utf8: bool,
}

/// Nothing when they contradict each other or cannot be told apart.
fn read(mut rest: &str) -> Option<Parameters> {
    let mut boundary = None;
    let mut charset: Option<String> = None;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            break;
        }
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after)?;
        let slot = match name.trim().to_ascii_lowercase().as_str() {
            "boundary" => &mut boundary,
            "charset" => &mut charset,
            _ => {
                rest = after;
                continue;
            }
        };
        if slot.replace(value).is_some() {
            return None;
        }
        rest = after;
    }
    if boundary
        .as_ref()
        .is_some_and(|it| it.is_empty() || it.len() > BOUNDARY || !it.is_ascii())
    {
        return None;
    }
    let utf8 = charset.is_none_or(|it| {
        ["utf-8", "utf8", "us-ascii"]
            .iter()
            .any(|fine| it.eq_ignore_ascii_case(fine))
    });
    Some(Parameters { boundary, utf8 })
}

/// A token or a quoted string without escapes, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, after) = quoted.split_once('"')?;
        if value.contains('\\')
            || !(after.trim_start().is_empty() || after.trim_start().starts_with(';'))
        {
            return None;
        }
        return Some((value.to_owned(), after));
    }
    let end = text.find(';').unwrap_or(text.len());
    let (value, after) = text.split_at(end);
    let value = value.trim();
    let token = !value
        .bytes()
        .any(|byte| byte.is_ascii_whitespace() || b"\",\\".contains(&byte));
    token.then(|| (value.to_owned(), after))
}
