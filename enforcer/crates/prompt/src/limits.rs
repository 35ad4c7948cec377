//! How much structure a body may have before nobody would want to judge it.

/// Bounds on what is read; all of them are refusals, none truncates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects inside each other.
    pub depth: usize,
    /// Values in one document, counting each member and element.
    pub values: usize,
    /// Parts of a multipart body, fields of a form, lines of a sequence of documents, messages of a batch.
    pub parts: usize,
    /// Bytes of one event of a stream.
    pub event: usize,
    /// Bytes of an answer that are held back for tool calls which are not complete yet.
    pub held: usize,
    /// Bytes of an answer's texts that are held back because something in them may not be complete yet.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 64,
            values: 200_000,
            parts: 1_000,
            event: 1024 * 1024,
            held: 4 * 1024 * 1024,
            text: 64 * 1024,
        }
    }
}
