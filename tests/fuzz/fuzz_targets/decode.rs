//! Any text, cut anywhere: what its views show of values, and where those stood, does not depend on the cut.

#![no_main]

use std::collections::BTreeSet;
use std::ops::Range;

use enforcer_decode::{Decoder, Layers, Limits, keyword, label};
use libfuzzer_sys::fuzz_target;

const VALUE: &[u8] = b"4111-1111";

fuzz_target!(|input: (u16, u8, &[u8])| {
    let (cut, linger, bytes) = input;
    let limits = Limits {
        layers: Layers::ALL | Layers::FORM,
        linger: usize::from(linger),
        ..Limits::default()
    };
    let (one, other) = bytes.split_at(usize::from(cut) % (bytes.len() + 1));
    assert_eq!(
        find(&[one, other], &limits),
        find(&[bytes], &limits),
        "the cut shows"
    );
    keyword::fold(bytes);
    if let Ok(host) = std::str::from_utf8(bytes) {
        label::labels(host);
    }
});

fn find(pieces: &[&[u8]], limits: &Limits) -> BTreeSet<(u64, u64)> {
    let mut decoder = Decoder::new(limits);
    let mut found = BTreeSet::new();
    for (i, piece) in pieces.iter().enumerate() {
        decoder.push(piece, i + 1 == pieces.len(), &mut |view| {
            let text = view.text();
            for start in view.fresh()..text.len() {
                let rest = &text[start..];
                if VALUE.starts_with(rest) && !view.last() {
                    view.hold(start);
                } else if rest.starts_with(VALUE) {
                    let source: Option<Range<u64>> = view.source(start..start + VALUE.len());
                    found.extend(source.map(|source| (source.start, source.end)));
                }
            }
        });
    }
    found
}
