//! Brotli (RFC 7932), without its extension to large windows.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::Bytes;

use super::{Cause, STEP, append};

/// One stream, and nothing behind it.
pub(super) fn decode(body: &[u8], limit: usize) -> Result<Bytes, Cause> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new_strict(alloc(), alloc(), alloc());
    let mut decoded = Vec::new();
    let (mut left, mut consumed, mut total) = (body.len(), 0, 0);
    loop {
        let mut step = [0; STEP];
        let (mut room, mut filled) = (STEP, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut consumed,
            body,
            &mut room,
            &mut filled,
            &mut step,
            &mut total,
            &mut state,
        );
        append(&mut decoded, step.get(..filled).unwrap_or_default(), limit)?;
        match result {
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::ResultSuccess if left == 0 => return Ok(decoded.into()),
            BrotliResult::NeedsMoreInput
            | BrotliResult::ResultFailure
            | BrotliResult::ResultSuccess => return Err(Cause::Malformed),
        }
    }
}
