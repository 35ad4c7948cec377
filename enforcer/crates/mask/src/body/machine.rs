//! What reads one format.

use std::fmt::Debug;

use super::desk::Desk;
use super::json::Json;
use crate::Sink;
use crate::Stop;

/// Rewrites bytes of one format as they come.
pub(crate) trait Machine: Debug + Send {
    fn push(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop>;

    /// No more comes.
    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop>;

    /// What is held has waited long enough. What says nothing yet goes on waiting.
    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop>;
}

impl Machine for Json {
    fn push(&mut self, bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        Self::push(self, bytes, desk, sink).map(|_| ())
    }

    fn finish(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        Self::finish(self, desk, sink)
    }

    fn lapse(&mut self, desk: &mut Desk, sink: &mut dyn Sink) -> Result<(), Stop> {
        Self::lapse(self, desk, sink)
    }
}

/// What nobody can look into.
#[derive(Debug)]
pub(crate) struct Refused;

impl Machine for Refused {
    fn push(&mut self, bytes: &[u8], desk: &mut Desk, _: &mut dyn Sink) -> Result<(), Stop> {
        if bytes.is_empty() {
            return Ok(());
        }
        Err(desk.undecidable("a type that cannot be read"))
    }

    fn finish(&mut self, _: &mut Desk, _: &mut dyn Sink) -> Result<(), Stop> {
        Ok(())
    }

    fn lapse(&mut self, _: &mut Desk, _: &mut dyn Sink) -> Result<(), Stop> {
        Ok(())
    }
}
