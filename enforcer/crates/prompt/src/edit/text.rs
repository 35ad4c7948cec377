//! Who edits the texts of an answer: one editor a text, however many events bring it.

use std::fmt::Debug;

use super::Stop;

/// Makes editors of texts.
pub trait Texts: Debug + Send {
    /// An editor for a text that begins.
    fn open(&mut self, text: &Text<'_>) -> Box<dyn TextEditor>;
}

/// Edits one text as it comes.
///
/// What comes out does not depend on how the text was cut: of every cutting it is what the whole would have given.
pub trait TextEditor: Debug + Send {
    /// Takes a piece and appends to `out` what may go on.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    fn push(&mut self, text: &str, out: &mut String) -> Result<(), Stop>;

    /// The text has ended: appends what was still held, and nothing if nothing was.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    fn finish(&mut self, out: &mut String) -> Result<(), Stop>;

    /// What is held has waited long enough: appends what may go of it, as if the text ended here. The text may go on.
    ///
    /// # Errors
    ///
    /// When the answer ends here.
    fn lapse(&mut self, _out: &mut String) -> Result<(), Stop> {
        Ok(())
    }

    /// How many bytes were taken and neither given out nor replaced yet.
    fn held(&self) -> usize;
}

/// A text, as far as it is known before it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'t> {
    /// How it is written.
    pub form: Form,
    /// The name of the member that holds it.
    pub field: Option<&'t str>,
    /// Where it stands in the first event that brings it: a JSON pointer.
    pub place: &'t str,
    /// Whether the same text was edited before: pieces first, then all of it. What is found in it was found then.
    pub again: bool,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A JSON document, or what ought to be one: a model's arguments may be cut off or malformed.
    Json,
    /// Words.
    Plain,
}
