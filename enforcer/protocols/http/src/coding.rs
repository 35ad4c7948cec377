//! Content codings (RFC 9110, section 8.4.1) taken off a body that was gathered, so that it can be judged. What is sent
//! on are the bytes that came.
//!
//! A body that two readers could take for different things is not read here: an unknown coding, a stream that breaks off,
//! bytes after its end.

use std::io::{self, Read};

use bytes::Bytes;
use enforcer_prompt::Cause;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::header::{CONTENT_ENCODING, HeaderMap};

mod brotli;
#[cfg(test)]
mod tests;
mod zstd;

/// Nobody codes a body more often.
const MAX_CODINGS: usize = 2;
/// How much is decoded at a time.
const STEP: usize = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Brotli,
    Deflate,
    Gzip,
    Zstd,
}

// === impl Coding ===

impl Coding {
    fn named(token: &str) -> Result<Option<Self>, Cause> {
        let is = |name: &str| token.eq_ignore_ascii_case(name);
        if is("identity") || token.is_empty() {
            Ok(None)
        } else if is("gzip") || is("x-gzip") {
            Ok(Some(Self::Gzip))
        } else if is("br") {
            Ok(Some(Self::Brotli))
        } else if is("deflate") {
            Ok(Some(Self::Deflate))
        } else if is("zstd") {
            Ok(Some(Self::Zstd))
        } else {
            Err(Cause::UnknownEncoding)
        }
    }

    fn take_off(self, body: &[u8], limit: usize) -> Result<Bytes, Cause> {
        match self {
            Self::Brotli => brotli::decode(body, limit),
            Self::Deflate => {
                let mut decoder = ZlibDecoder::new(body);
                let decoded = read(&mut decoder, limit)?;
                whole(decoder.total_in(), body, decoded)
            }
            Self::Gzip => read(MultiGzDecoder::new(body), limit),
            Self::Zstd => zstd::decode(body, limit),
        }
    }
}

/// Whether the answer or request says that its body is coded.
pub(crate) fn is_coded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| {
        !value.as_bytes().trim_ascii().is_empty()
            && !value
                .as_bytes()
                .trim_ascii()
                .eq_ignore_ascii_case(b"identity")
    })
}

/// The body without its codings, at most `limit` bytes of it.
pub(crate) fn decode(headers: &HeaderMap, body: &Bytes, limit: usize) -> Result<Bytes, Cause> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let text = value.to_str().map_err(|_| Cause::UnknownEncoding)?;
        for token in text.split(',') {
            codings.extend(Coding::named(token.trim())?);
        }
    }
    if codings.len() > MAX_CODINGS {
        return Err(Cause::UnknownEncoding);
    }
    // They were put on in the order they are listed.
    let mut decoded = body.clone();
    for coding in codings.into_iter().rev() {
        decoded = coding.take_off(&decoded, limit)?;
    }
    Ok(decoded)
}

fn read(mut from: impl Read, limit: usize) -> Result<Bytes, Cause> {
    let mut decoded = Vec::new();
    let mut step = [0; STEP];
    loop {
        let count = match from.read(&mut step) {
            Ok(0) => return Ok(decoded.into()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(Cause::Malformed),
        };
        append(&mut decoded, step.get(..count).unwrap_or_default(), limit)?;
    }
}

fn append(decoded: &mut Vec<u8>, more: &[u8], limit: usize) -> Result<(), Cause> {
    if decoded.len() + more.len() > limit {
        return Err(Cause::TooLarge);
    }
    decoded.extend_from_slice(more);
    Ok(())
}

fn whole(consumed: u64, body: &[u8], decoded: Bytes) -> Result<Bytes, Cause> {
    if consumed == body.len() as u64 {
        Ok(decoded)
    } else {
        Err(Cause::Malformed)
    }
}
