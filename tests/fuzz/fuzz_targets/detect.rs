//! First bytes of a connection: no panic, and what was known of a prefix stays true of the whole.

#![no_main]

use enforcer_detect::{Detection, detect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = detect(bytes);
    let (half, _) = bytes.split_at(bytes.len() / 2);
    match detect(half) {
        Detection::NeedMore => {}
        known => assert_eq!(known, whole, "a longer look changed the answer"),
    }
});
