//! `multipart/form-data`: parts that no reader could cut in another place.
//!
//! The boundary must occur where it cuts and nowhere else, lines must end in CRLF, and nothing may stand before the first
//! part or after the last.

use std::borrow::Cow;

use memchr::memmem;

use super::{Field, Fields, File};
use crate::{Cause, Limits, Undecidable};

/// Header lines of one part.
const HEADERS: usize = 16;

pub(super) fn read<'a>(
    bytes: &'a [u8],
    boundary: &str,
    limits: &Limits,
) -> Result<Fields<'a>, Undecidable> {
    let delimiter = format!("--{boundary}");
    let cuts: Vec<usize> = memmem::find_iter(bytes, delimiter.as_bytes())
        .take(limits.parts + 2)
        .collect();
    if cuts.len() > limits.parts + 1 {
        return Err(Undecidable::whole(Cause::TooMany));
    }
    let mut found = Fields::default();
    for (index, cut) in cuts.iter().enumerate() {
        let wrong = |cause| Undecidable::new(cause, format!("/{index}"), *cut);
        let lined_up = match index {
            0 => *cut == 0,
            _ => bytes
                .get(..*cut)
                .is_some_and(|before| before.ends_with(b"\r\n")),
        };
        let after = bytes.get(cut + delimiter.len()..).unwrap_or_default();
        let Some(next) = cuts.get(index + 1) else {
            // The last one ends the body.
            let ends = matches!(after, b"--" | b"--\r\n");
            return if lined_up && ends && index > 0 {
                Ok(found)
            } else {
                Err(wrong(Cause::Boundary))
            };
        };
        let length = (next - cut)
            .checked_sub(delimiter.len() + 2)
            .filter(|_| lined_up)
            .ok_or_else(|| wrong(Cause::Boundary))?;
        let part = after
            .get(..length)
            .and_then(|part| part.strip_prefix(b"\r\n"))
            .ok_or_else(|| wrong(Cause::Boundary))?;
        self::part(&mut found, part, *cut).map_err(wrong)??;
    }
    Err(Undecidable::whole(Cause::Boundary))
}

/// Headers of one part, as far as they matter.
#[derive(Default)]
struct Head<'a> {
    name: Option<Cow<'a, str>>,
    file: Option<Cow<'a, str>>,
    media_type: Option<&'a str>,
}

fn part<'a>(
    found: &mut Fields<'a>,
    part: &'a [u8],
    at: usize,
) -> Result<Result<(), Undecidable>, Cause> {
    let (head, content) = match part.strip_prefix(b"\r\n") {
        Some(content) => (&b""[..], content),
        None => {
            let end = memmem::find(part, b"\r\n\r\n").ok_or(Cause::Malformed)?;
            let (head, rest) = part.split_at(end);
            (head, rest.get(4..).unwrap_or_default())
        }
    };
    let head = std::str::from_utf8(head).map_err(|_| Cause::InvalidUnicode)?;
    let Head {
        name,
        file,
        media_type,
    } = self::head(head)?;
    let name = name.ok_or(Cause::Malformed)?;
    let text = match media_type {
        None => true,
        Some(media_type) => {
            media_type.starts_with("text/") || media_type.starts_with("application/json")
        }
    };
    if file.is_none() && text {
        let value = std::str::from_utf8(content).map_err(|_| Cause::InvalidUnicode)?;
        let value = Cow::Borrowed(value);
        return Ok(found.add(Field { name, value }, at));
    }
    found.files.push(File {
        field: name,
        name: file,
        media_type,
        bytes: content,
    });
    Ok(Ok(()))
}

fn head(text: &str) -> Result<Head<'_>, Cause> {
    let mut head = Head::default();
    for (count, line) in text
        .split("\r\n")
        .filter(|line| !line.is_empty())
        .enumerate()
    {
        if count == HEADERS {
            return Err(Cause::TooMany);
        }
        let (name, value) = line.split_once(':').ok_or(Cause::Malformed)?;
        // A line that begins with a space goes on with the one before it, for some.
        if name.is_empty() || name.contains([' ', '\t']) || line.contains(['\r', '\n', '\0']) {
            return Err(Cause::Malformed);
        }
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-disposition" if head.name.is_none() => disposition(&mut head, value)?,
            "content-type" if head.media_type.is_none() => head.media_type = Some(value),
            "content-disposition" | "content-type" => return Err(Cause::DuplicateKey),
            "content-transfer-encoding" => {
                let plain = ["binary", "8bit", "7bit"];
                if !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain)) {
                    return Err(Cause::UnknownType);
                }
            }
            _ => {}
        }
    }
    Ok(head)
}

fn disposition<'a>(head: &mut Head<'a>, value: &'a str) -> Result<(), Cause> {
    let (kind, mut rest) = value.split_once(';').ok_or(Cause::Malformed)?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(Cause::Malformed);
    }
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            break;
        }
        let (name, after) = rest.split_once('=').ok_or(Cause::Malformed)?;
        let (value, after) = parameter(after)?;
        let slot = match name.trim().to_ascii_lowercase().as_str() {
            "name" => &mut head.name,
            "filename" => &mut head.file,
            "filename*" => {
                if head.file.replace(extended(&value)?).is_some() {
                    return Err(Cause::AmbiguousKey);
                }
                rest = after;
                continue;
            }
            _ => return Err(Cause::Malformed),
        };
        if slot.replace(value).is_some() {
            return Err(Cause::DuplicateKey);
        }
        rest = after;
    }
    Ok(())
}

/// A quoted string or a token, and what follows it.
fn parameter(text: &str) -> Result<(Cow<'_, str>, &str), Cause> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return Ok((Cow::Borrowed(value.trim()), after));
    };
    let mut escaped = false;
    let end = quoted
        .char_indices()
        .find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        })
        .map(|(at, _)| at)
        .ok_or(Cause::Malformed)?;
    let (value, after) = (&quoted[..end], &quoted[end + 1..]);
    if !(after.trim_start().is_empty() || after.trim_start().starts_with(';')) {
        return Err(Cause::Malformed);
    }
    let value = if value.contains('\\') {
        Cow::Owned(value.replace("\\\"", "\"").replace("\\\\", "\\"))
    } else {
        Cow::Borrowed(value)
    };
    Ok((value, after))
}

/// RFC 5987: `utf-8''percent%20encoded`.
fn extended(value: &str) -> Result<Cow<'static, str>, Cause> {
    let mut pieces = value.splitn(3, '\'');
    let charset = pieces.next().unwrap_or_default();
    let text = pieces.nth(1).ok_or(Cause::Malformed)?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err(Cause::UnknownType);
    }
    crate::shape::percent_decoded(text)
        .map(Cow::Owned)
        .ok_or(Cause::Malformed)
}
