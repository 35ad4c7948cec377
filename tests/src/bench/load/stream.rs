//! Server-sent events as an agent reads them: when the first byte comes, and how late each event is.
//!
//! Every event carries the monotonic clock of the machine at the moment it was written (both ends run here), so an
//! event's delay is measured by itself: a gap between two events is the upstream's interval plus what delays differ by.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rustix::time::{ClockId, clock_gettime};
use tokio::time;

use super::{
    dial::{Dial, Session},
    exchange,
    record::Record,
    window::Window,
};
use crate::bench::job::{EVENT_INTERVAL_MS, EVENTS_PER_STREAM};

/// No event of ours is longer; more without an end is not an event stream.
const LONGEST_EVENT: usize = 4096;

/// Splits what arrives into events and reads the time each was written.
#[derive(Debug, Default)]
struct Reader {
    pending: Vec<u8>,
    events: u32,
}

/// When a stream begins after the others, so that their events do not all fall due at the same time.
pub(super) fn offset(ordinal: usize, streams: usize) -> Duration {
    let part = ordinal as f64 / streams.max(1) as f64;
    Duration::from_millis(EVENT_INTERVAL_MS).mul_f64(part)
}

/// Streams until the window closes, the first one after `offset`.
pub(super) async fn repeat(dial: &Dial, offset: Duration, window: Window) -> Record {
    let mut record = Record::default();
    time::sleep(offset).await;
    while window.is_open() && record.is_hopeful() {
        if let Err(error) = on_one_connection(dial, window, &mut record).await {
            record.fail(&error);
        }
    }
    record
}

async fn on_one_connection(dial: &Dial, window: Window, record: &mut Record) -> Result<()> {
    let mut session = dial.open().await?;
    while window.is_open() {
        let began = Instant::now();
        let mut body = begin(dial, &mut session, "/v1/chat/completions/stream")
            .await?
            .into_body();
        let mut reader = Reader::default();
        let mut first = true;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if std::mem::take(&mut first) {
                record.first_byte(window, began);
            }
            reader.feed(&data, |delay| record.event(window, delay))?;
        }
        if reader.events != EVENTS_PER_STREAM {
            bail!("{} events arrived, not {EVENTS_PER_STREAM}", reader.events);
        }
        record.stream_done(window);
    }
    Ok(())
}

/// Asks for a stream and waits for the head of the answer.
pub(super) async fn begin(
    dial: &Dial,
    session: &mut Session,
    path: &str,
) -> Result<Response<Incoming>> {
    session
        .send(dial.request(Method::POST, path, exchange::question())?)
        .await
}

// === impl Reader ===

impl Reader {
    fn feed(&mut self, data: &Bytes, mut note: impl FnMut(Duration)) -> Result<()> {
        let now = Duration::try_from(clock_gettime(ClockId::Monotonic))
            .context("the clock runs before its start")?;
        self.pending.extend_from_slice(data);
        while let Some(end) = self.pending.windows(2).position(|pair| pair == b"\n\n") {
            let event: Vec<u8> = self.pending.drain(..end + 2).collect();
            if let Some(written) = written_at(&event) {
                self.events += 1;
                note(now.saturating_sub(written));
            }
        }
        if self.pending.len() > LONGEST_EVENT {
            bail!("an event does not end");
        }
        Ok(())
    }
}

/// The time in an event of ours; the closing `[DONE]` has none.
fn written_at(event: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(event).ok()?;
    let digits = text.strip_prefix(r#"data: {"at":"#)?.split(',').next()?;
    Some(Duration::from_nanos(digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_at_every_split() {
        let text = "data: {\"at\":5,\"x\":1}\n\ndata: {\"at\":7,\"x\":2}\n\ndata: [DONE]\n\n";
        for split in 0..=text.len() {
            let mut reader = Reader::default();
            let mut noted = 0;
            for part in [&text[..split], &text[split..]] {
                reader
                    .feed(&Bytes::copy_from_slice(part.as_bytes()), |_| noted += 1)
                    .expect("an event stream");
            }
            assert_eq!(
                (reader.events, noted, reader.pending.len()),
                (2, 2, 0),
                "split at {split}"
            );
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut reader = Reader::default();
        assert!(
            reader
                .feed(&Bytes::from(vec![b'x'; LONGEST_EVENT + 1]), |_| ())
                .is_err()
        );
    }
}
