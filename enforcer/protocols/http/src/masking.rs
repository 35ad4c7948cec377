//! Sensitive data on its way through: looked for in what goes up and what comes down, with the candidate itself held back.
//!
//! What is found is written down by the gate's [`Masking`] before anything of it goes on. What stops a body stops the
//! exchange: the chunk that holds the finding is never sent, and an answer ends with a refusal in its own shape.

use bytes::Bytes;
use enforcer_gate::{MaskedHead, Masking, Refusal};
use enforcer_mask::Direction;
use enforcer_mask::body::{self, Kind};
use http::Uri;
use http::request::Parts;

mod sending;
mod texts;
mod waits;

pub(crate) use sending::{Rest, SHORT, Sending, prepare, stopped};
pub(crate) use texts::Texts;
use waits::Wait;
pub(crate) use waits::{Alarm, Waits};

/// A body while it is looked through and rewritten, whatever its format.
pub(crate) struct Rewriter {
    /// None once a finding stopped it that is only written down.
    body: Option<body::Rewriter>,
    masking: Masking,
    direction: Direction,
    wait: Option<Wait>,
}

// === impl Rewriter ===

impl Rewriter {
    /// For a body of this type, as its head says.
    pub(crate) fn new(masking: &Masking, content_type: Option<&str>, direction: Direction) -> Self {
        Self::of_kind(masking, Kind::of(content_type), direction)
    }

    /// For a body of this kind.
    pub(crate) fn of_kind(masking: &Masking, kind: Kind, direction: Direction) -> Self {
        let (rules, session) = (masking.rules(), masking.session());
        Self {
            body: Some(body::Rewriter::new(kind, rules, session, direction)),
            masking: masking.clone(),
            direction,
            wait: None,
        }
    }

    /// The same, where somebody asks how long something has been held.
    pub(crate) fn waiting(self, waits: &Waits) -> Self {
        Self {
            wait: Some(waits.wait()),
            ..self
        }
    }

    /// Refuses what has been held for too long to go on unseen.
    pub(crate) fn late(&self) -> Refusal {
        let cause = enforcer_prompt::Cause::TooLate;
        self.masking.undecidable(cause, self.direction)
    }

    /// Gives what has been held long enough.
    pub(crate) fn lapse(&mut self) -> Result<Bytes, Refusal> {
        self.read(None, |body, _, out| body.lapse(out))
    }

    /// Takes what came, and gives what may go on.
    pub(crate) fn push(&mut self, bytes: Bytes) -> Result<Bytes, Refusal> {
        self.read(Some(bytes), |body, bytes, out| body.push(bytes, out))
    }

    /// Gives the rest, once all has come.
    pub(crate) fn finish(&mut self) -> Result<Bytes, Refusal> {
        self.read(None, |body, _, out| body.finish(out))
    }

    fn read(
        &mut self,
        bytes: Option<Bytes>,
        read: impl FnOnce(&mut body::Rewriter, &[u8], &mut Vec<u8>) -> Result<(), enforcer_mask::Stop>,
    ) -> Result<Bytes, Refusal> {
        let bytes = bytes.unwrap_or_default();
        let Some(body) = &mut self.body else {
            return Ok(bytes);
        };
        let mut out = Vec::with_capacity(bytes.len());
        let done = read(body, &bytes, &mut out);
        self.masking.note(&body.take_findings());
        // What is only watched goes on at once.
        if let (Some(wait), false) = (&mut self.wait, self.masking.watches()) {
            wait.told(bytes.len(), body.held());
        }
        match (done, self.masking.watches()) {
            (Ok(()), false) => Ok(out.into()),
            (Ok(()), true) => Ok(bytes),
            (Err(stop), false) => Err(self.masking.refuse(&stop, self.direction)),
            (Err(stop), true) => {
                self.masking.refuse(&stop, self.direction);
                self.body = None;
                Ok(bytes)
            }
        }
    }
}

/// A body that is here whole, rewritten.
pub(crate) fn whole(mut rewriter: Rewriter, bytes: &Bytes) -> Result<Bytes, Refusal> {
    let first = rewriter.push(bytes.clone())?;
    let rest = rewriter.finish()?;
    Ok(match rest.is_empty() {
        true => first,
        false => [first, rest].concat().into(),
    })
}

/// Puts what the gate has masked in the place of what the agent wrote; none when it cannot stand there.
pub(crate) fn apply(parts: &mut Parts, head: MaskedHead) -> Option<()> {
    let MaskedHead { target, headers } = head;
    if let Some(target) = target {
        let mut uri = std::mem::take(&mut parts.uri).into_parts();
        uri.path_and_query = Some(target.parse().ok()?);
        parts.uri = Uri::from_parts(uri).ok()?;
    }
    for (name, values) in headers {
        parts.headers.remove(&name);
        for value in values {
            parts.headers.append(name.clone(), value);
        }
    }
    Some(())
}
