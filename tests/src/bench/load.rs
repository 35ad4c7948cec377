//! The load generator: one process per run, its job on standard input, its tally on standard output.
//!
//! One single-threaded runtime per thread and its connections spread over them, no work crossing threads: on a machine
//! where everything shares the cores, whatever the generator burns is taken from the proxy it measures.

mod connect;
mod dial;
mod exchange;
mod fresh;
mod hold;
mod record;
mod stream;
mod window;

use std::{
    io::{self, BufRead, Write},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Signal, set_parent_process_death_signal};
use tokio::{runtime, task::JoinSet, time};

use self::{dial::Dial, record::Record, window::Window};
use super::{
    cgroup,
    job::{Http, Job, Shape, Tally},
    process,
};

/// Reads one job, does it and prints the tally; [`Shape::Hold`] then stays until standard input closes.
pub(super) fn obey() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .context("cannot tie this process to its parent")?;
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the job")?;
    let job: Job = serde_json::from_str(&line).context("the job is not understood")?;
    if let Some(cgroup) = &job.cgroup {
        cgroup::enter(cgroup)?;
    }
    match job.shape {
        Shape::Hold => hold::run(&job),
        Shape::Connect
        | Shape::Download
        | Shape::Events
        | Shape::Exchange { .. }
        | Shape::Fresh
        | Shape::Upload => answer(&measure(&job)?),
    }
}

fn answer(tally: &Tally) -> Result<()> {
    let mut stdout = io::stdout().lock();
    serde_json::to_writer(&mut stdout, tally)?;
    stdout.write_all(b"\n")?;
    stdout.flush().context("cannot hand back the tally")
}

fn measure(job: &Job) -> Result<Tally> {
    let window = Window::opening_now(job);
    let before = process::cpu_seconds(std::process::id())?;
    let threads = (0..job.threads.clamp(1, job.connections.max(1)))
        .map(|index| {
            let job = job.clone();
            thread::Builder::new()
                .name(format!("load-{index}"))
                .spawn(move || share(&job, index, window))
        })
        .collect::<Result<Vec<_>, _>>()
        .context("cannot start the generator's threads")?;
    let mut record = Record::default();
    for thread in threads {
        record.absorb(
            thread
                .join()
                .map_err(|_| anyhow!("a generator thread panicked"))??,
        );
    }
    let cpu = process::cpu_seconds(std::process::id())? - before;
    Ok(record.tally(window.seconds(), cpu))
}

/// One thread's part of the connections.
fn share(job: &Job, index: usize, window: Window) -> Result<Record> {
    if job.shape == Shape::Connect {
        return connect::repeat(job.target, job.turns, window);
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let dial = Arc::new(Dial::new(job)?);
        let mut clients = JoinSet::new();
        for ordinal in (index..job.connections).step_by(job.threads.max(1)) {
            let (dial, shape) = (Arc::clone(&dial), job.shape);
            let offset = stream::offset(ordinal, job.connections);
            clients.spawn(async move {
                time::timeout_at(
                    window.abandoned().into(),
                    client(dial, shape, offset, window),
                )
                .await
            });
        }
        let mut record = Record::default();
        while let Some(ended) = clients.join_next().await {
            match ended.context("a client panicked")? {
                Ok(one) => record.absorb(one),
                Err(_elapsed) => {
                    record.fail(&anyhow!("an exchange stalled until the run was abandoned"));
                }
            }
        }
        Ok(record)
    })
}

async fn client(dial: Arc<Dial>, shape: Shape, offset: Duration, window: Window) -> Record {
    match shape {
        Shape::Download => exchange::repeat(&dial, exchange::Kind::Download, window).await,
        Shape::Events => stream::repeat(&dial, offset, window).await,
        Shape::Exchange {
            http: Http::H1 | Http::H2,
        } => exchange::repeat(&dial, exchange::Kind::Small, window).await,
        Shape::Fresh => fresh::repeat(&dial, window).await,
        Shape::Upload => exchange::repeat(&dial, exchange::Kind::Upload, window).await,
        Shape::Connect | Shape::Hold => Record::default(),
    }
}
