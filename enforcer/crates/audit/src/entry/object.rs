//! A JSON object written field by field into a buffer: no tree, no reflection, keys in the order of the calls.
//!
//! Strings are escaped as RFC 8259 section 7 asks, and beyond it: whatever a terminal would act on (C1 controls, bidirectional
//! and invisible formatting characters) is written as `\uXXXX` too, so that the raw file is safe to look at. Readers get
//! the same string back.

use std::fmt::{self, Display, Write as _};

use crate::terminal;

/// Appends `,"key":value` to a line.
pub(crate) struct Object<'b> {
    out: &'b mut Vec<u8>,
}

/// Escapes what passes through it and stops writing at a limit, counting what it swallowed.
struct Bounded<'b> {
    out: &'b mut Vec<u8>,
    room: usize,
    cut: usize,
}

// === impl Object ===

impl<'b> Object<'b> {
    /// Continues an object that has at least one field already.
    pub(crate) fn resume(out: &'b mut Vec<u8>) -> Self {
        Self { out }
    }

    /// A string of our own making or already bounded: a code, an identifier.
    pub(crate) fn code(&mut self, key: &'static str, value: &str) {
        self.text(key, value, CODE);
    }

    /// A string of at most `limit` bytes; what is beyond is replaced by a marker that says how much it was.
    pub(crate) fn text(&mut self, key: &'static str, value: &str, limit: usize) {
        self.key(key);
        self.out.push(b'"');
        let mut bounded = Bounded::new(self.out, limit);
        bounded.push(value);
        bounded.finish();
        self.out.push(b'"');
    }

    /// What `value` displays, bounded likewise.
    pub(crate) fn shown(&mut self, key: &'static str, value: &dyn Display, limit: usize) {
        self.key(key);
        self.element_shown(value, limit);
    }

    /// A number.
    pub(crate) fn number(&mut self, key: &'static str, value: impl itoa::Integer) {
        self.key(key);
        let mut digits = itoa::Buffer::new();
        self.out.extend_from_slice(digits.format(value).as_bytes());
    }

    /// An object with at least one field; `fields` must write one.
    pub(crate) fn object(&mut self, key: &'static str, fields: impl FnOnce(&mut Object<'_>)) {
        self.key(key);
        self.braced(fields);
    }

    /// An array of what each item displays.
    pub(crate) fn list(&mut self, key: &'static str, items: impl Iterator<Item: Display>) {
        self.array(key, items, |line, item| line.element_shown(&item, CODE));
    }

    /// An array of objects, each with at least one field, which `fields` must write.
    pub(crate) fn objects<T>(
        &mut self,
        key: &'static str,
        items: impl Iterator<Item = T>,
        fields: impl Fn(&mut Object<'_>, T),
    ) {
        self.array(key, items, |line, item| {
            line.braced(|line| fields(line, item));
        });
    }

    fn array<T>(
        &mut self,
        key: &'static str,
        items: impl Iterator<Item = T>,
        each: impl Fn(&mut Self, T),
    ) {
        self.key(key);
        self.out.push(b'[');
        for (index, item) in items.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            each(self, item);
        }
        self.out.push(b']');
    }

    fn braced(&mut self, fields: impl FnOnce(&mut Object<'_>)) {
        let open = self.out.len();
        fields(&mut Object { out: self.out });
        match self.out.get_mut(open) {
            // The comma before the first field becomes the brace.
            Some(comma) => *comma = b'{',
            None => self.out.push(b'{'),
        }
        self.out.push(b'}');
    }

    fn element_shown(&mut self, value: &dyn Display, limit: usize) {
        self.out.push(b'"');
        let mut bounded = Bounded::new(self.out, limit);
        // A `Display` that fails half-way leaves what it wrote; the sink itself never fails.
        let _ = write!(bounded, "{value}");
        bounded.finish();
        self.out.push(b'"');
    }

    fn key(&mut self, key: &'static str) {
        self.out.extend_from_slice(b",\"");
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }
}

/// The bound of codes, names and identifiers.
pub(crate) const CODE: usize = 256;

// === impl Bounded ===

impl<'b> Bounded<'b> {
    fn new(out: &'b mut Vec<u8>, limit: usize) -> Self {
        Self {
            out,
            room: limit,
            cut: 0,
        }
    }

    fn push(&mut self, text: &str) {
        let fits = if self.cut > 0 {
            0
        } else {
            text.floor_char_boundary(self.room)
        };
        let (kept, cut) = text.split_at(fits);
        self.room -= kept.len();
        self.cut += cut.len();
        escape(kept, self.out);
    }

    fn finish(self) {
        if self.cut > 0 {
            let mut digits = itoa::Buffer::new();
            self.out.extend_from_slice("…[+".as_bytes());
            self.out
                .extend_from_slice(digits.format(self.cut).as_bytes());
            self.out.extend_from_slice(b" bytes]");
        }
    }
}

impl fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

fn escape(text: &str, out: &mut Vec<u8>) {
    // Without an early exit the compiler compares many bytes at once.
    if text
        .bytes()
        .fold(true, |plain, byte| plain & is_plain(byte))
    {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        escape_char(c, out);
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn escape_char(c: char, out: &mut Vec<u8>) {
    match c {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        c if terminal::is_hostile(c) => terminal::escape(c, |bytes| out.extend_from_slice(bytes)),
        c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
