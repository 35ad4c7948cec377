//! `application/x-www-form-urlencoded`.

use std::borrow::Cow;

use super::{Field, Fields};
use crate::{Cause, Limits, Undecidable};

pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Fields<'a>, Undecidable> {
    let text = super::text(bytes)?;
    let mut form = Fields::default();
    let mut offset = 0;
    for pair in text.split('&') {
        let at = offset;
        offset += pair.len() + 1;
        if pair.is_empty() {
            continue;
        }
        if form.fields.len() == limits.parts {
            return Err(Undecidable::new(Cause::TooMany, "", at));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).map_err(|cause| Undecidable::new(cause, "", at))?;
        let value = decode(value).map_err(|cause| Undecidable::new(cause, &*name, at))?;
        form.add(Field { name, value }, at)?;
    }
    Ok(form)
}

/// Without escapes. Bytes that are no text are no value.
fn decode(raw: &str) -> Result<Cow<'_, str>, Cause> {
    if !raw.contains(['%', '+']) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = after.get(..2).ok_or(Cause::Malformed)?;
                let [high, low] = digits else {
                    return Err(Cause::Malformed);
                };
                let digit = |byte: u8| (byte as char).to_digit(16).ok_or(Cause::Malformed);
                let byte = digit(*high)? * 16 + digit(*low)?;
                bytes.push(u8::try_from(byte).map_err(|_| Cause::Malformed)?);
                rest = after.get(2..).unwrap_or_default();
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes)
        .map(Cow::Owned)
        .map_err(|_| Cause::InvalidUnicode)
}

impl<'a> Fields<'a> {
    /// Adds a field. The same name twice is a list only where the name says so.
    pub(super) fn add(&mut self, field: Field<'a>, at: usize) -> Result<(), Undecidable> {
        let list = field.name.ends_with("[]");
        if !list && self.fields.iter().any(|other| other.name == field.name) {
            return Err(Undecidable::new(Cause::DuplicateKey, &*field.name, at));
        }
        self.fields.push(field);
        Ok(())
    }
}
