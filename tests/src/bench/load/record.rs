//! What one client, then one thread, then the run has seen.

use std::time::{Duration, Instant};

use super::window::Window;
use crate::bench::{
    job::{Quantiles, Tally},
    turns::Medians,
};

/// A client that failed this often has nothing more to say.
const ENOUGH_ERRORS: u64 = 50;

/// Counts and raw samples; summed up into a [`Tally`] at the end.
#[derive(Debug, Default)]
pub(super) struct Record {
    total: u64,
    measured: u64,
    bytes: u64,
    errors: u64,
    first_error: Option<String>,
    latency: Vec<u32>,
    first_byte: Vec<u32>,
    /// Latencies with the number of their turn.
    turns: Vec<(u64, u32)>,
}

impl Record {
    /// An exchange ended well now, `bytes` of large body moved.
    pub(super) fn done(&mut self, window: Window, began: Instant, bytes: usize) {
        let now = Instant::now();
        self.total += 1;
        if window.counts(now) {
            self.measured += 1;
            self.bytes += bytes as u64;
            self.latency.push(nanos(now - began));
        }
    }

    /// A connect ended well now, in this turn.
    pub(super) fn connected(&mut self, window: Window, began: Instant, turn: u64) {
        let before = self.latency.len();
        self.done(window, began, 0);
        let added = self.latency.iter().skip(before);
        self.turns.extend(added.map(|nanos| (turn, *nanos)));
    }

    /// A stream ended well; its events were noted one by one.
    pub(super) fn stream_done(&mut self, window: Window) {
        self.total += 1;
        self.measured += u64::from(window.counts(Instant::now()));
    }

    /// An event arrived `delay` after it was written.
    pub(super) fn event(&mut self, window: Window, delay: Duration) {
        if window.counts(Instant::now()) {
            self.latency.push(nanos(delay));
        }
    }

    /// The first byte of a stream arrived now.
    pub(super) fn first_byte(&mut self, window: Window, began: Instant) {
        let now = Instant::now();
        if window.counts(now) {
            self.first_byte.push(nanos(now - began));
        }
    }

    pub(super) fn fail(&mut self, error: &anyhow::Error) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| format!("{error:#}"));
    }

    /// Whether it is worth going on.
    pub(super) fn is_hopeful(&self) -> bool {
        self.errors < ENOUGH_ERRORS
    }

    pub(super) fn absorb(&mut self, other: Self) {
        let Self {
            total,
            measured,
            bytes,
            errors,
            first_error,
            latency,
            first_byte,
            turns,
        } = other;
        self.total += total;
        self.measured += measured;
        self.bytes += bytes;
        self.errors += errors;
        self.first_error = self.first_error.take().or(first_error);
        self.latency.extend(latency);
        self.first_byte.extend(first_byte);
        self.turns.extend(turns);
    }

    pub(super) fn tally(self, seconds: f64, generator_cpu_seconds: f64) -> Tally {
        let Self {
            total,
            measured,
            bytes,
            errors,
            first_error,
            latency,
            first_byte,
            turns,
        } = self;
        let micros = turns
            .into_iter()
            .map(|(turn, nanos)| (turn, f64::from(nanos) / 1e3));
        Tally {
            measured,
            total,
            bytes,
            errors,
            first_error,
            seconds,
            generator_cpu_seconds,
            latency: Quantiles::of(latency),
            first_byte: Quantiles::of(first_byte),
            turns: Medians::of(micros),
        }
    }
}

/// Four seconds and more all look alike: nothing here takes that long and is well.
fn nanos(duration: Duration) -> u32 {
    u32::try_from(duration.as_nanos()).unwrap_or(u32::MAX)
}
