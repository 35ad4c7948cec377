//! Where digits stand in a text.

use std::ops::Range;

use super::SHORTEST;
use crate::blocks::{BLOCK, digits, padded};

/// The next run that is long enough, or that reaches the end and may become so.
pub(super) fn next(text: &[u8], from: usize, last: bool) -> Option<Range<usize>> {
    let (blocks, rest) = text.get(from..)?.as_chunks::<BLOCK>();
    let (mut at, mut run) = (from, from);
    for block in blocks {
        if let Some(end) = end_within(digits(block), at, &mut run) {
            return Some(run..end);
        }
        at += BLOCK;
    }
    let (len, mut begun) = (rest.len(), run);
    if len > 0 && (len + (at - run) >= SHORTEST || !last) {
        let digits = digits(&padded(rest));
        if let Some(end) = end_within(digits, at, &mut begun) {
            return Some(begun..end);
        }
        // What is behind the text ends no run.
        let ending = (!digits << (BLOCK - len)).leading_zeros() as usize;
        begun = if ending < len {
            text.len() - ending
        } else {
            run
        };
    }
    let len = text.len() - begun;
    (len >= SHORTEST || len > 0 && !last).then_some(begun..text.len())
}

/// Behind the digits that stand at `from`.
pub(super) fn end(text: &[u8], from: usize) -> usize {
    let (blocks, rest) = text.get(from..).unwrap_or_default().as_chunks::<BLOCK>();
    let mut at = from;
    for block in blocks {
        let digits = digits(block);
        if digits != u64::MAX {
            return at + digits.trailing_ones() as usize;
        }
        at += BLOCK;
    }
    at + digits(&padded(rest)).trailing_ones() as usize
}

/// No run in it is long enough.
pub(super) fn none_long(block: &[u8; BLOCK]) -> bool {
    begin_long(digits(block)) == 0
}

/// Where a run that is long enough ends in the block at `at`, which has digits where `digits` has bits; `run` is where the
/// last one begins.
#[inline]
fn end_within(digits: u64, at: usize, run: &mut usize) -> Option<usize> {
    let first = digits.trailing_ones() as usize;
    if first == BLOCK {
        return None;
    }
    if at + first - *run >= SHORTEST {
        return Some(at + first);
    }
    let others = digits >> first << first;
    let long = begin_long(others);
    if long == 0 {
        *run = at + BLOCK - digits.leading_ones() as usize;
        return None;
    }
    let begin = long.trailing_zeros() as usize;
    *run = at + begin;
    let end = begin + (digits >> begin).trailing_ones() as usize;
    (end < BLOCK).then_some(at + end)
}

/// Where at least fifteen bits on end begin.
const fn begin_long(bits: u64) -> u64 {
    const { assert!(SHORTEST == 15, "eight and seven more") };
    let two = bits & bits >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    eight & eight >> 7
}
