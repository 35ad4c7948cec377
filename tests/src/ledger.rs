//! Reading the ledger as an auditor would: line by line, as JSON, from the file alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How often the file is looked at while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// One ledger file.
#[derive(Debug, Clone)]
pub struct LedgerProbe {
    path: PathBuf,
}

impl LedgerProbe {
    /// A ledger that is, or will be, at `path`.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is; empty while there is none.
    #[must_use]
    pub fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// Every complete line.
    #[must_use]
    pub fn entries(&self) -> Vec<Value> {
        let text = self.text();
        let complete = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        complete
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Entries of one event.
    #[must_use]
    pub fn of(&self, event: &str) -> Vec<Value> {
        let mut entries = self.entries();
        entries.retain(|entry| entry["event"] == event);
        entries
    }

    /// Waits for an entry for which `is_it` says yes.
    ///
    /// # Errors
    /// When none is written within `patience`; the message shows the last lines.
    pub fn wait(
        &self,
        patience: Duration,
        mut is_it: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let until = Instant::now() + patience;
        loop {
            if let Some(found) = self.entries().into_iter().find(|entry| is_it(entry)) {
                return Ok(found);
            }
            if Instant::now() >= until {
                let text = self.text();
                let lines: Vec<&str> = text.lines().collect();
                let last = lines[lines.len().saturating_sub(8)..].join("\n");
                anyhow::bail!("no such line in the ledger; it ends with\n{last}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
