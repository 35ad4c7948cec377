//! Many connections that are open and silent, so that their memory can be read off the proxy.

use std::{
    io::{self, Read},
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, Result, anyhow};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::{
    runtime,
    task::{JoinSet, spawn_blocking},
    time,
};

use super::{
    answer,
    dial::{Dial, Session},
    record::Record,
    stream,
    window::Window,
};
use crate::bench::{job::Job, process};

/// Connections being opened at the same time.
const OPENING: usize = 16;

/// Opens all, says so, and keeps them until standard input closes.
pub(super) fn run(job: &Job) -> Result<()> {
    let window = Window::opening_now(job);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let dial = Arc::new(Dial::new(job)?);
        let mut record = Record::default();
        let mut held = Vec::with_capacity(job.connections);
        let mut opening = JoinSet::new();
        for begun in 0..job.connections {
            let dial = Arc::clone(&dial);
            opening.spawn(
                async move { time::timeout_at(window.abandoned().into(), open(&dial)).await },
            );
            if begun >= OPENING {
                collect(&mut opening, &mut held, &mut record, window).await?;
            }
        }
        while !opening.is_empty() {
            collect(&mut opening, &mut held, &mut record, window).await?;
        }
        answer(&record.tally(window.seconds(), process::cpu_seconds(std::process::id())?))?;
        wait_for_end_of_input().await?;
        drop(held);
        Ok(())
    })
}

type Opened = Result<Result<(Session, Incoming)>, time::error::Elapsed>;

async fn collect(
    opening: &mut JoinSet<Opened>,
    held: &mut Vec<(Session, Incoming)>,
    record: &mut Record,
    window: Window,
) -> Result<()> {
    match opening
        .join_next()
        .await
        .transpose()
        .context("a client panicked")?
    {
        Some(Ok(Ok(pair))) => {
            record.done(window, Instant::now(), 0);
            held.push(pair);
        }
        Some(Ok(Err(error))) => record.fail(&error),
        Some(Err(_elapsed)) => record.fail(&anyhow!("a connection did not open in time")),
        None => {}
    }
    Ok(())
}

/// A connection whose stream has begun: its first event is here, no other will follow.
async fn open(dial: &Dial) -> Result<(Session, Incoming)> {
    let mut session = dial.open().await?;
    let mut body = stream::begin(dial, &mut session, "/v1/chat/completions/silence")
        .await?
        .into_body();
    body.frame()
        .await
        .ok_or_else(|| anyhow!("the stream ended before its first event"))??;
    Ok((session, body))
}

async fn wait_for_end_of_input() -> Result<()> {
    let reading = spawn_blocking(|| io::stdin().lock().read_to_end(&mut Vec::new()));
    reading
        .await
        .context("the reader panicked")?
        .context("cannot read standard input")?;
    Ok(())
}
