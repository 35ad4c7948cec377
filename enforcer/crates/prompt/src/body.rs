//! Bytes to a body that is syntactically sound: documents, fields, files, text.

mod form;
mod multipart;

use std::borrow::Cow;

use crate::answer::Answer;
use crate::content::Content;
use crate::json::Document;
use crate::{Api, Cause, Limits, Media, Shape, Undecidable, mcp, provider};

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
    pub fn parse(shape: &Shape, bytes: &'a [u8], limits: &Limits) -> Result<Self, Undecidable> {
        if bytes.is_empty() {
            return Ok(Self::Empty);
        }
        match &shape.media {
            Media::Form => form::read(bytes, limits).map(Self::Form),
            Media::Json => Document::parse(bytes, limits).map(Self::Json),
            Media::JsonLines => lines(bytes, limits).map(Self::JsonLines),
            Media::Multipart(boundary) => {
                multipart::read(bytes, boundary, limits).map(Self::Multipart)
            }
            Media::EventStream | Media::Text => text(bytes).map(Self::Text),
            Media::None | Media::Other(_) => Ok(Self::Opaque(bytes)),
            Media::Unreadable => Err(Undecidable::whole(Cause::UnknownType)),
        }
    }

    /// What a request's body says.
    ///
    /// # Errors
    ///
    /// When it is not what `shape` says it must be.
    pub fn content<'b>(
        &'b self,
        shape: &'b Shape,
        limits: &Limits,
    ) -> Result<Content<'b>, Undecidable> {
        match shape.api {
            Api::Model(provider, operation) => {
                match provider::call(self, shape, (provider, operation)) {
                    Ok(call) => Ok(Content::Model(Box::new(call))),
                    // The path only looked like a model's interface.
                    Err(_) if !shape.certain && !self.names_model() => self.plain(limits),
                    Err(undecidable) => Err(undecidable),
                }
            }
            Api::Mcp => match self {
                Self::Json(document) => rpc(document, limits),
                Self::Empty => Ok(Content::Empty),
                Self::Form(_)
                | Self::JsonLines(_)
                | Self::Multipart(_)
                | Self::Opaque(_)
                | Self::Text(_) => Err(Undecidable::whole(Cause::UnknownType)),
            },
            Api::Other => self.plain(limits),
        }
    }

    /// What a whole answer's body says; `shape` is [`Shape::answer`]'s.
    ///
    /// # Errors
    ///
    /// When it is not what `shape` says it must be.
    pub fn answer<'b>(&'b self, shape: &Shape, limits: &Limits) -> Result<Answer<'b>, Undecidable> {
        crate::answer::read(self, shape, limits)
    }

    /// The documents in it, one, many or none.
    #[must_use]
    pub fn documents(&self) -> &[Document<'a>] {
        match self {
            Self::Json(document) => std::slice::from_ref(document),
            Self::JsonLines(documents) => documents,
            Self::Empty | Self::Form(_) | Self::Multipart(_) | Self::Opaque(_) | Self::Text(_) => {
                &[]
            }
        }
    }

    fn plain<'b>(&'b self, limits: &Limits) -> Result<Content<'b>, Undecidable> {
        match self {
            Self::Empty => Ok(Content::Empty),
            Self::Json(document) if mcp::is_rpc(document) => rpc(document, limits),
            Self::Form(_)
            | Self::Json(_)
            | Self::JsonLines(_)
            | Self::Multipart(_)
            | Self::Opaque(_)
            | Self::Text(_) => Ok(Content::Plain),
        }
    }

    fn names_model(&self) -> bool {
        self.documents()
            .iter()
            .any(|document| document.root().get("model").is_some())
    }
}

fn rpc<'b>(document: &'b Document<'b>, limits: &Limits) -> Result<Content<'b>, Undecidable> {
    let (messages, batch) = mcp::messages(document.root(), limits)?;
    Ok(Content::Mcp { messages, batch })
}

fn text(bytes: &[u8]) -> Result<&str, Undecidable> {
    std::str::from_utf8(bytes)
        .map_err(|error| Undecidable::new(Cause::InvalidUnicode, "", error.valid_up_to()))
}

/// A document a line; empty lines are nothing.
fn lines<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Vec<Document<'a>>, Undecidable> {
    let mut documents = Vec::new();
    let mut start = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        if !line.trim_ascii().is_empty() {
            if documents.len() == limits.parts {
                return Err(Undecidable::new(Cause::TooMany, "", start));
            }
            let place = documents.len();
            let document = Document::parse(line, limits).map_err(|error| Undecidable {
                place: format!("/{place}{}", error.place),
                offset: start + error.offset,
                ..error
            })?;
            documents.push(document);
        }
        start += line.len() + 1;
    }
    Ok(documents)
}
