//! Has a process stand still in every other turn, so that what others do meanwhile is theirs alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::turns;

/// It goes on for good when this is dropped.
#[derive(Debug)]
pub(super) struct Standstill {
    process: Pid,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Standstill {
    /// Begins with the next turn.
    pub(super) fn of(process: u32) -> Result<Self> {
        let process = i32::try_from(process).ok().and_then(Pid::from_raw);
        let process = process.context("no process has such a number")?;
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let rhythm = move || {
            while !ended.load(Ordering::Relaxed) {
                turns::wait_for_next();
                let signal = match turns::current() % 2 {
                    0 => Signal::STOP,
                    _ => Signal::CONT,
                };
                // A process that is gone fails the run by itself.
                let _sent = kill_process(process, signal);
            }
        };
        let thread = thread::Builder::new().name("standstill".to_owned());
        Ok(Self {
            process,
            over,
            thread: Some(thread.spawn(rhythm).context("cannot start a thread")?),
        })
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It does not panic, and there is nobody to tell.
            let _joined = thread.join();
        }
        let _sent = kill_process(self.process, Signal::CONT);
    }
}
