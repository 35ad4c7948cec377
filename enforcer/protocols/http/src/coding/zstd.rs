//! Zstandard (RFC 8878), with windows of at most what HTTP allows.

use bytes::Bytes;
use ruzstd::decoding::StreamingDecoder;

use super::{Cause, read, whole};

/// The largest window (RFC 9659, section 3).
const WINDOW: u64 = 8 << 20;

/// One frame, and nothing behind it.
pub(super) fn decode(body: &[u8], limit: usize) -> Result<Bytes, Cause> {
    if window(body).is_none_or(|window| window > WINDOW) {
        return Err(Cause::Malformed);
    }
    let mut rest = body;
    let decoder = StreamingDecoder::new(&mut rest).map_err(|_| Cause::Malformed)?;
    let decoded = read(decoder, limit)?;
    whole((body.len() - rest.len()) as u64, body, decoded)
}

/// What the frame's header asks its reader to keep in memory (RFC 8878, section 3.1.1.1); the decoder would make room for it
/// before it has seen any of it.
pub(super) fn window(body: &[u8]) -> Option<u64> {
    let descriptor = *body.get(4)?;
    let single_segment = descriptor & 0x20 != 0;
    if !single_segment {
        let window = u64::from(*body.get(5)?);
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + (base >> 3) * (window & 7));
    }
    let dictionary = match descriptor & 3 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 4,
    };
    let size = body.get(5 + dictionary..)?;
    let word = |count: usize| {
        let mut bytes = [0; 8];
        bytes.get_mut(..count)?.copy_from_slice(size.get(..count)?);
        Some(u64::from_le_bytes(bytes))
    };
    match descriptor >> 6 {
        0 => word(1),
        1 => word(2).map(|size| size + 256),
        2 => word(4),
        _ => word(8),
    }
}
