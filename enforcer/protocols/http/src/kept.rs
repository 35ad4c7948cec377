//! A body of which all must be here before any of it goes on: in memory where it is short, else in a file without
//! a name that only this process can read, from which it is brought back while it is judged.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use enforcer_flow::CgroupId;
use enforcer_gate::{Held, Quota};
use enforcer_spill::{CHUNK, Filling, Spill, SpillError, Spilled};
use http::header::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::task::JoinHandle;

use crate::body::BodyError;
use crate::gather::{Bounds, Gathered, Gathering, Hold, Ungathered, arrive, gather, said};

#[cfg(test)]
mod tests;

/// The cause of what ends because a body cannot wait on disk, or does not come back.
pub(crate) const FAILED: &str = "spill_failed";

/// So much is written at once.
const BATCH: usize = 4 * CHUNK;

/// Where bodies wait that are too long to wait in memory, and how much of that there is.
#[derive(Debug)]
pub struct Spilling {
    /// The folder.
    pub place: Spill,
    /// Bodies that are longer wait there.
    pub above: usize,
    /// Bytes on disk, in all and for one workload.
    pub disk: Arc<Quota>,
    /// Open files, in all and for one workload.
    pub files: Arc<Quota>,
}

/// A body that is here whole.
#[derive(Debug)]
pub(crate) enum Kept {
    Filed(Filed),
    Here(Gathered),
}

/// One that waits on disk.
#[derive(Debug)]
pub(crate) struct Filed {
    file: Arc<Spilled>,
    trailers: Option<HeaderMap>,
    /// The chunk that is sent on next.
    next: u64,
    /// The same, while it is read.
    reading: Option<JoinHandle<Result<Vec<u8>, SpillError>>>,
    /// Its shares of disk and files; given back when all of it was sent on, or refused.
    _shares: (Held, Held),
}

/// One that is being written.
#[derive(Debug)]
struct Filing {
    filling: Filling,
    disk: Held,
    file: Held,
}

/// One that comes, and goes to disk when it is long.
struct Keeping<'b> {
    memory: Gathering,
    filing: Option<Filing>,
    spilling: &'b Arc<Spilling>,
    bounds: &'b Bounds,
}

/// Reads a body to its end, within the bounds.
pub(crate) async fn keep<B>(
    headers: &HeaderMap,
    body: &mut B,
    bounds: &Bounds,
    spilling: Option<&Arc<Spilling>>,
) -> Result<Kept, Ungathered>
where
    B: Body<Data = Bytes> + Unpin,
{
    let Some(spilling) = spilling else {
        let gathered = gather(headers, body, bounds).await?;
        return Ok(Kept::Here(gathered));
    };
    let said = said(headers)?;
    let mut keeping = Keeping {
        memory: Gathering::begin(said, bounds)?,
        filing: None,
        spilling,
        bounds,
    };
    let trailers = arrive(said, body, &mut keeping, bounds).await?;
    keeping.finish(trailers).await
}

// === impl Spilling ===

impl Spilling {
    /// Puts a body on disk that is here, if it is long. Blocks.
    pub(crate) fn settle(&self, body: Gathered, of: CgroupId) -> Result<Kept, Ungathered> {
        if body.bytes.len() <= self.above {
            return Ok(Kept::Here(body));
        }
        let mut filing = self.begin(of)?;
        filing.push(&body.bytes)?;
        Ok(Kept::Filed(filing.finish(body.trailers)?))
    }

    fn begin(&self, workload: CgroupId) -> Result<Filing, Ungathered> {
        let shares = self.files.admit(workload).zip({
            // What it takes shows as it comes.
            self.disk.admit_many(workload, 0)
        });
        let (file, disk) = shares.ok_or(Ungathered::NoRoom)?;
        let filling = self.place.begin().map_err(|error| unkept(&error))?;
        Ok(Filing {
            filling,
            disk,
            file,
        })
    }
}

// === impl Kept ===

impl Kept {
    /// Its length.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Filed(filed) => usize::try_from(filed.file.length()).unwrap_or(usize::MAX),
            Self::Here(gathered) => gathered.bytes.len(),
        }
    }

    /// All of it in memory, where it takes room. Blocks if it is not there yet.
    pub(crate) fn here(self, bounds: &Bounds) -> Result<Gathered, Ungathered> {
        match self {
            Self::Filed(filed) => {
                let copy = filed.recall(bounds)?;
                Ok(filed.with(copy))
            }
            Self::Here(gathered) => Ok(gathered),
        }
    }
}

// === impl Filed ===

impl Filed {
    /// A copy in memory, where it takes room; without trailers. Blocks.
    pub(crate) fn recall(&self, bounds: &Bounds) -> Result<Gathered, Ungathered> {
        let length = usize::try_from(self.file.length()).unwrap_or(usize::MAX);
        let room = bounds.memory.admit_many(bounds.workload, length);
        let room = room.ok_or(Ungathered::NoRoom)?;
        let bytes = self.file.read().map_err(|error| unkept(&error))?;
        Ok(Gathered {
            bytes: bytes.into(),
            trailers: None,
            room,
        })
    }

    /// In the form of its copy.
    pub(crate) fn with(self, copy: Gathered) -> Gathered {
        Gathered {
            trailers: self.trailers,
            ..copy
        }
    }

    /// What is sent on next: all of it, then the trailers.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.left() == 0 {
            return Poll::Ready(
                self.trailers
                    .take()
                    .map(|trailers| Ok(Frame::trailers(trailers))),
            );
        }
        let (file, number) = (&self.file, self.next);
        let reading = self.reading.get_or_insert_with(|| {
            let file = Arc::clone(file);
            tokio::task::spawn_blocking(move || file.chunk(number))
        });
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        let bytes = match read {
            Ok(Ok(bytes)) if !bytes.is_empty() => bytes,
            Ok(Ok(_)) | Err(_) => return Poll::Ready(Some(Err(BodyError::Unkept))),
            Ok(Err(error)) => {
                unkept(&error);
                return Poll::Ready(Some(Err(BodyError::Unkept)));
            }
        };
        self.next += 1;
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }

    /// Whether all of it was sent on.
    pub(crate) fn is_spent(&self) -> bool {
        self.left() == 0 && self.trailers.is_none()
    }

    /// How much is left. Trailers need a body of no stated length (RFC 9112, section 7.1.2).
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self.trailers {
            None => SizeHint::with_exact(self.left()),
            Some(_) => SizeHint::default(),
        }
    }

    fn left(&self) -> u64 {
        let sent = self.next.saturating_mul(CHUNK as u64);
        self.file.length().saturating_sub(sent)
    }
}

// === impl Filing ===

impl Filing {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Ungathered> {
        if !self.disk.grow(bytes.len()) {
            return Err(Ungathered::NoRoom);
        }
        self.filling.push(bytes).map_err(|error| unkept(&error))
    }

    fn finish(self, trailers: Option<HeaderMap>) -> Result<Filed, Ungathered> {
        let file = self.filling.finish().map_err(|error| unkept(&error))?;
        Ok(Filed {
            file: Arc::new(file),
            trailers,
            next: 0,
            reading: None,
            _shares: (self.disk, self.file),
        })
    }
}

// === impl Keeping ===

impl Hold for Keeping<'_> {
    async fn take(&mut self, data: Bytes) -> Result<(), Ungathered> {
        let length = self.memory.bytes().len() + data.len();
        let full = match &self.filing {
            None => length > self.spilling.above,
            Some(_) => length >= BATCH,
        };
        self.memory.add(&data)?;
        if full {
            self.write().await?;
        }
        Ok(())
    }
}

impl Keeping<'_> {
    /// Writes what is in memory, elsewhere.
    async fn write(&mut self) -> Result<(), Ungathered> {
        let memory = self.memory.turn(self.bounds)?;
        let (filing, of) = (self.filing.take(), self.bounds.workload);
        let spilling = Arc::clone(self.spilling);
        let written = tokio::task::spawn_blocking(move || {
            let mut filing = match filing {
                None => spilling.begin(of)?,
                Some(filing) => filing,
            };
            filing.push(memory.bytes())?;
            Ok(filing)
        });
        self.filing = Some(written.await.map_err(|_| Ungathered::Unkept)??);
        Ok(())
    }

    async fn finish(mut self, trailers: Option<HeaderMap>) -> Result<Kept, Ungathered> {
        if self.filing.is_some() {
            self.write().await?;
        }
        match self.filing {
            None => Ok(Kept::Here(self.memory.finish(trailers))),
            Some(filing) => {
                let finished = tokio::task::spawn_blocking(move || filing.finish(trailers));
                finished
                    .await
                    .map_err(|_| Ungathered::Unkept)?
                    .map(Kept::Filed)
            }
        }
    }
}

/// Tells operators why a body cannot wait on disk.
fn unkept(error: &SpillError) -> Ungathered {
    let source = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, source, "a body cannot wait on disk; its exchange is refused");
    Ungathered::Unkept
}
