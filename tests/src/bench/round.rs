//! One cell of the benchmark: one row, one contender, one run of the load generator.

use std::{env, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    time,
};

use super::{
    contender::Name,
    hooks::Taken,
    job::{Job, Tally},
    process,
    row::Row,
};

/// What a run may take beyond its own time: handshakes, the tail, the generator's own deadline.
const SLACK: Duration = Duration::from_secs(20);

/// What one cell came to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    pub(super) round: u32,
    pub(super) row: Row,
    pub(super) contender: Name,
    pub(super) tally: Tally,
    /// The proxy's user and system time over the whole run.
    pub(super) proxy_cpu_seconds: Option<f64>,
    pub(super) memory: Option<Memory>,
    /// What a bare connect takes longer than a direct one right before or after, in microseconds.
    pub(super) added: Option<f64>,
    /// The same while the listener stands still: what the hooks alone add.
    pub(super) added_by_hooks: Option<f64>,
    /// What the proxy's kernel programs took, in a run apart from the one that was timed.
    pub(super) hooks: Option<Taken>,
    /// What others used of the machine meanwhile.
    pub(super) others_cores: f64,
}

/// Resident memory of the proxy, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Memory {
    pub(super) before: u64,
    /// While all silent connections are open.
    pub(super) held: u64,
}

/// What one run of the load generator came to, and what it cost the proxy.
pub(super) struct Ran {
    pub(super) tally: Tally,
    pub(super) proxy_cpu_seconds: Option<f64>,
    pub(super) memory: Option<Memory>,
}

/// Runs the load generator once and reads off the proxy what it cost.
pub(super) async fn run(proxy: Option<u32>, job: &Job) -> Result<Ran> {
    let limit = Duration::from_millis(job.warmup_ms + job.measure_ms) + SLACK;
    let memory_before = proxy.map(process::resident_bytes).transpose()?;
    let cpu_before = proxy.map(process::cpu_seconds).transpose()?;
    let mut generator = start()?;
    let tally = time::timeout(limit, converse(&mut generator, job))
        .await
        .context("the load generator did not end")??;
    let memory_held = proxy.map(process::resident_bytes).transpose()?;
    end(generator).await?;
    let cpu_after = proxy.map(process::cpu_seconds).transpose()?;
    Ok(Ran {
        tally,
        proxy_cpu_seconds: cpu_after
            .zip(cpu_before)
            .map(|(after, before)| after - before),
        memory: memory_before
            .zip(memory_held)
            .map(|(before, held)| Memory { before, held }),
    })
}

fn start() -> Result<Child> {
    Command::new(env::current_exe().context("cannot find this program")?)
        .arg("load")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the load generator")
}

/// Gives the job, takes the tally. Standard input stays open: that is what holds silent connections.
async fn converse(generator: &mut Child, job: &Job) -> Result<Tally> {
    let mut text = serde_json::to_vec(job)?;
    text.push(b'\n');
    let input = generator
        .stdin
        .as_mut()
        .context("the generator has no input")?;
    input
        .write_all(&text)
        .await
        .context("cannot hand over the job")?;
    input.flush().await?;
    let output = generator
        .stdout
        .as_mut()
        .context("the generator has no output")?;
    let mut line = String::new();
    BufReader::new(output)
        .read_line(&mut line)
        .await
        .context("cannot read the tally")?;
    ensure!(!line.is_empty(), "the load generator ended without a tally");
    let tally: Tally = serde_json::from_str(&line).context("the tally is not understood")?;
    if tally.total == 0 {
        bail!(
            "nothing came through: {}",
            tally
                .first_error
                .unwrap_or_else(|| "no exchange ended".to_owned())
        );
    }
    Ok(tally)
}

async fn end(mut generator: Child) -> Result<()> {
    drop(generator.stdin.take());
    let status = time::timeout(SLACK, generator.wait())
        .await
        .context("the load generator stays")??;
    ensure!(status.success(), "the load generator failed: {status}");
    Ok(())
}
