//! Any page, cut anywhere, gets the same verdict.

#![no_main]

use enforcer_injection::{Judge, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let (one, other) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    let mut cut = Judge::new();
    cut.push(one, false);
    cut.push(other, true);
    assert_eq!(cut.verdict(), judge(bytes), "the cut shows");
});
