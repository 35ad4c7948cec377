//! What a detector is shown.

/// A text and the place in it where a detector was woken.
///
/// Decisions rest on what stands before and within the value, and on the one byte behind it, never on what follows
/// further away: so a stream is judged as its whole would be.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// The text as far as it is known; its start is the text's own start, or at least 64 bytes before `at` of it.
    pub text: &'a [u8],
    /// Where the detector was woken.
    pub at: usize,
    /// The text ends here for good, so that nothing is to be waited for.
    pub last: bool,
    /// The name of the field that holds the text (a JSON key, a form's or header's name, a column), in small letters.
    pub field: Option<&'a str>,
}
