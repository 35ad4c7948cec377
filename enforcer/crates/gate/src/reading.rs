//! A body with what it says: read once, wherever that is done, and asked about as often as rules like.

use bytes::Bytes;
use enforcer_policy as policy;
use enforcer_prompt::{Body, Content, Limits, Shape, Undecidable};
use self_cell::self_cell;

/// A body that was read.
pub struct Reading {
    said: Said,
    /// How long it is as it was sent, which may be coded.
    length: u64,
}

struct Text {
    shape: Shape,
    bytes: Bytes,
    limits: Limits,
}

type Parsed<'a> = Result<Body<'a>, Undecidable>;
type Understood<'a> = Result<Content<'a>, Undecidable>;

self_cell!(
    struct Written {
        owner: Text,
        #[covariant]
        dependent: Parsed,
    }
);

self_cell!(
    struct Said {
        owner: Written,
        #[covariant]
        dependent: Understood,
    }
);

// === impl Reading ===

impl Reading {
    /// Reads `bytes`, of which `length` were sent, as `shape` says that they are written. Takes long where there are many.
    #[must_use]
    pub fn new(shape: Shape, bytes: Bytes, length: u64, limits: Limits) -> Self {
        let text = Text {
            shape,
            bytes,
            limits,
        };
        let written = Written::new(text, |text| {
            Body::parse(&text.shape, &text.bytes, &text.limits)
        });
        let said = Said::new(written, |written| {
            let Text { shape, limits, .. } = written.borrow_owner();
            match written.borrow_dependent() {
                Ok(body) => body.content(shape, limits),
                Err(undecidable) => Err(undecidable.clone()),
            }
        });
        Self { said, length }
    }

    /// As questions take it.
    #[must_use]
    pub fn body(&self) -> policy::Body<'_> {
        let written = self.said.borrow_owner();
        match (written.borrow_dependent(), self.said.borrow_dependent()) {
            (Ok(body), Ok(content)) => policy::Body::Read(policy::Read {
                bytes: self.length,
                shape: &written.borrow_owner().shape,
                body,
                content,
            }),
            (Err(undecidable), _) | (_, Err(undecidable)) => {
                policy::Body::Undecidable(undecidable.cause)
            }
        }
    }

    /// What it says.
    ///
    /// # Errors
    /// Why nobody can tell.
    pub fn content(&self) -> Result<&Content<'_>, &Undecidable> {
        self.said.borrow_dependent().as_ref()
    }
}
