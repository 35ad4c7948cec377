//! Characters that fonts hardly tell from an ASCII letter or digit.
//!
//! `confusables.txt` has a line an ASCII character, with the numbers of those that look like it, after the Unicode
//! Consortium's data on confusable characters.

use std::sync::LazyLock;

/// Greek, Coptic, Cyrillic and Armenian, where most of them are.
const NEAR: std::ops::Range<u32> = 0x80..0x590;

struct Table {
    near: Vec<u8>,
    far: Vec<(u32, u8)>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        near: vec![0; NEAR.len()],
        far: Vec::new(),
    };
    for line in include_str!("confusables.txt").lines() {
        let mut words = line.split(' ');
        let Some(&[ascii]) = words.next().map(str::as_bytes) else {
            continue;
        };
        for number in words.filter_map(|word| u32::from_str_radix(word, 16).ok()) {
            if NEAR.contains(&number) {
                table.near[(number - NEAR.start) as usize] = ascii;
            } else {
                table.far.push((number, ascii));
            }
        }
    }
    table.far.sort_unstable();
    table
});

/// What `c` looks like.
pub(super) fn look(c: char) -> Option<u8> {
    let number = u32::from(c);
    if NEAR.contains(&number) {
        return Some(TABLE.near[(number - NEAR.start) as usize]).filter(|ascii| *ascii != 0);
    }
    let found = TABLE
        .far
        .binary_search_by_key(&number, |(number, _)| *number);
    found.ok().map(|found| TABLE.far[found].1)
}
