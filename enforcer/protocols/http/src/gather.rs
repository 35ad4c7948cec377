//! A body read whole before it is judged: within a limit, a deadline and a share of memory, and only where a rule
//! reads it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use enforcer_flow::CgroupId;
use enforcer_gate::{Held, Quota};
use enforcer_prompt as prompt;
use http::header::{CONTENT_LENGTH, HeaderMap};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

#[cfg(test)]
mod tests;

/// What is reserved of the memory for bodies at a time.
const STEP: usize = 64 * 1024;

/// A body that is here whole, and its place among all that are kept.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) bytes: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
    /// Given back when all of it was sent on, or refused.
    pub(crate) room: Held,
}

/// Bounds on what is gathered.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// The longest body.
    pub(crate) limit: usize,
    /// How long it may take to come.
    pub(crate) time: Duration,
    /// Bytes of all bodies that are kept.
    pub(crate) memory: Arc<Quota>,
    /// Whose it is.
    pub(crate) workload: CgroupId,
}

/// Why there is no body to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ungathered {
    /// It broke off.
    Broken,
    /// It took longer than may be.
    Late,
    /// It is not as long as it was said to be.
    Length,
    /// Too many bodies are being judged.
    NoRoom,
    /// It is longer than rules read.
    TooLong,
    /// It cannot wait on disk.
    Unkept,
}

// === impl Ungathered ===

impl Ungathered {
    /// The stable word for the ledger.
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::Broken => "body_incomplete",
            Self::Late => prompt::Cause::TooLate.code(),
            Self::Length => prompt::Cause::Length.code(),
            Self::NoRoom => "too_many_bodies",
            Self::TooLong => prompt::Cause::TooLarge.code(),
            Self::Unkept => crate::kept::FAILED,
        }
    }
}

// === impl Gathered ===

impl Gathered {
    /// What is sent on next: all of it, then the trailers.
    pub(crate) fn next(&mut self) -> Option<Frame<Bytes>> {
        if self.bytes.is_empty() {
            return self.trailers.take().map(Frame::trailers);
        }
        Some(Frame::data(std::mem::take(&mut self.bytes)))
    }

    /// Whether all of it was sent on.
    pub(crate) fn is_spent(&self) -> bool {
        self.bytes.is_empty() && self.trailers.is_none()
    }

    /// How much is left. Trailers need a body of no stated length (RFC 9112, section 7.1.2).
    pub(crate) fn size_hint(&self) -> SizeHint {
        let left = self.bytes.len() as u64;
        match self.trailers {
            None => SizeHint::with_exact(left),
            Some(_) => SizeHint::default(),
        }
    }
}

/// Takes a body as it comes.
pub(crate) trait Hold {
    async fn take(&mut self, data: Bytes) -> Result<(), Ungathered>;
}

/// A body that comes, in memory.
pub(crate) struct Gathering {
    bytes: BytesMut,
    room: Held,
    reserved: usize,
}

/// Reads a body to its end.
pub(crate) async fn gather<B>(
    headers: &HeaderMap,
    body: &mut B,
    bounds: &Bounds,
) -> Result<Gathered, Ungathered>
where
    B: Body<Data = Bytes> + Unpin,
{
    let said = said(headers)?;
    let mut gathering = Gathering::begin(said, bounds)?;
    let trailers = arrive(said, body, &mut gathering, bounds).await?;
    Ok(gathering.finish(trailers))
}

/// Hands a body over as it comes, within the bounds and as long as was said; gives its trailers.
pub(crate) async fn arrive<B>(
    said: Option<u64>,
    body: &mut B,
    hold: &mut impl Hold,
    bounds: &Bounds,
) -> Result<Option<HeaderMap>, Ungathered>
where
    B: Body<Data = Bytes> + Unpin,
{
    if said.is_some_and(|length| length > bounds.limit as u64) {
        return Err(Ungathered::TooLong);
    }
    let (length, trailers) = tokio::time::timeout(bounds.time, collect(body, hold, bounds.limit))
        .await
        .map_err(|_| Ungathered::Late)??;
    if said.is_some_and(|said| said != length as u64) {
        return Err(Ungathered::Length);
    }
    Ok(trailers)
}

async fn collect<B>(
    mut body: B,
    hold: &mut impl Hold,
    limit: usize,
) -> Result<(usize, Option<HeaderMap>), Ungathered>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (mut length, mut trailers) = (0, None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Ungathered::Broken)?;
        match frame.into_data() {
            Ok(data) => {
                length += data.len();
                if length > limit {
                    return Err(Ungathered::TooLong);
                }
                hold.take(data).await?;
            }
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    Ok((length, trailers))
}

// === impl Gathering ===

impl Gathering {
    pub(crate) fn begin(said: Option<u64>, bounds: &Bounds) -> Result<Self, Ungathered> {
        // What was said is not believed before it comes: memory grows with what is here.
        let expected = said.map_or(STEP, |length| usize::try_from(length).unwrap_or(STEP));
        Self::reserving(expected.clamp(1, STEP), bounds)
    }

    fn reserving(reserved: usize, bounds: &Bounds) -> Result<Self, Ungathered> {
        let room = bounds.memory.admit_many(bounds.workload, reserved);
        Ok(Self {
            bytes: BytesMut::new(),
            room: room.ok_or(Ungathered::NoRoom)?,
            reserved,
        })
    }

    pub(crate) fn add(&mut self, data: &[u8]) -> Result<(), Ungathered> {
        let length = self.bytes.len() + data.len();
        while self.reserved < length {
            if !self.room.grow(STEP) {
                return Err(Ungathered::NoRoom);
            }
            self.reserved += STEP;
        }
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives what has come, with the room that it takes, and begins anew.
    pub(crate) fn turn(&mut self, bounds: &Bounds) -> Result<Self, Ungathered> {
        Ok(std::mem::replace(self, Self::reserving(STEP, bounds)?))
    }

    pub(crate) fn finish(self, trailers: Option<HeaderMap>) -> Gathered {
        Gathered {
            bytes: self.bytes.freeze(),
            trailers,
            room: self.room,
        }
    }
}

impl Hold for Gathering {
    async fn take(&mut self, data: Bytes) -> Result<(), Ungathered> {
        self.add(&data)
    }
}

/// The one length that the headers state, if they state one.
pub(crate) fn said(headers: &HeaderMap) -> Result<Option<u64>, Ungathered> {
    let mut values = headers.get_all(CONTENT_LENGTH).iter();
    let (Some(value), rest) = (values.next(), values.next()) else {
        return Ok(None);
    };
    // `parse` alone takes a sign.
    let digits = value.as_bytes().iter().all(u8::is_ascii_digit);
    let length = value.to_str().ok().filter(|_| digits);
    let length = length.and_then(|text| text.parse().ok());
    match (length, rest) {
        (Some(length), None) => Ok(Some(length)),
        (Some(_) | None, _) => Err(Ungathered::Length),
    }
}
