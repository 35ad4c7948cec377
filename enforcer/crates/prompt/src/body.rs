//! Bytes to a body that is syntactically sound: documents, fields, files, text.

use std::borrow::Cow;

use crate::answer::Answer;
use crate::content::Content;
use crate::json::Document;
use crate::{Cause, Limits, Shape, Undecidable};

/// A body that could be read in one way only.
#[derive(Clone, Debug, PartialEq)]
pub enum Body<'a> {
    /// No bytes.
    Empty,
    /// Fields of a form, in order.
    Form(Fields<'a>),
    /// One document.
    Json(Document<'a>),
    /// A document a line.
    JsonLines(Vec<Document<'a>>),
    /// Parts of a multipart body: fields and files, in order.
    Multipart(Fields<'a>),
    /// Bytes that nobody looks into.
    Opaque(&'a [u8]),
    /// UTF-8.
    Text(&'a str),
}

/// Fields and files, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    /// Fields with a text.
    pub fields: Vec<Field<'a>>,
    /// Files.
    pub files: Vec<File<'a>>,
}

/// A field with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its text.
    pub value: Cow<'a, str>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File<'a> {
    /// The field's name.
    pub field: Cow<'a, str>,
    /// The file's name.
    pub name: Option<Cow<'a, str>>,
    /// Its media type.
    pub media_type: Option<&'a str>,
    /// What is in it.
    pub bytes: &'a [u8],
}

// === impl Body ===

impl<'a> Body<'a> {
    /// Reads `bytes` as `shape` says they are written.
    ///
    /// # Errors
    ///
    /// When they can be read in more ways than one, or in none.
    pub fn parse(_shape: &Shape, bytes: &'a [u8], limits: &Limits) -> Result<Self, Undecidable> {
        Document::parse(bytes, limits).map(Self::Json)
    }

    /// What a request's body says.
    ///
    /// # Errors
    ///
    /// When it is not what `shape` says it must be.
    pub fn content<'b>(
        &'b self,
        _shape: &'b Shape,
        _limits: &Limits,
    ) -> Result<Content<'b>, Undecidable> {
        Err(Undecidable::whole(Cause::Schema))
    }

    /// What a whole answer's body says; `shape` is [`Shape::answer`]'s.
    ///
    /// # Errors
    ///
    /// When it is not what `shape` says it must be.
    pub fn answer<'b>(&'b self, _shape: &'b Shape) -> Result<Answer<'b>, Undecidable> {
        Err(Undecidable::whole(Cause::Schema))
    }

    /// The documents in it, one, many or none.
    #[must_use]
    pub fn documents(&self) -> &[Document<'a>] {
        match self {
            Self::Json(document) => std::slice::from_ref(document),
            Self::JsonLines(documents) => documents,
            Self::Empty
            | Self::Form(_)
            | Self::Multipart(_)
            | Self::Opaque(_)
            | Self::Text(_) => &[],
        }
    }
}
