//! What operators read on standard error. Evidence goes to the ledger, never here.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging for the process. `ENFORCER_LOG` overrides the configured level.
///
/// # Errors
/// When the level is not one, or logging was started before.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let directives = std::env::var("ENFORCER_LOG").unwrap_or_else(|_| log.level.clone());
    let filter = EnvFilter::try_new(&directives)
        .with_context(|| format!("`{directives}` is not a log level; try `info` or `debug`"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match log.format {
        LogFormat::Json => lines.json().try_init(),
        LogFormat::Text => lines
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .try_init(),
    }
    .map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}
