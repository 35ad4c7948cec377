//! A new connection for every exchange: what a short-lived agent process costs.

use std::time::Instant;

use anyhow::Result;

use super::{dial::Dial, exchange, record::Record, window::Window};

/// Connections one after another until the window closes; each counts from its first packet to the end of its answer.
pub(super) async fn repeat(dial: &Dial, window: Window) -> Record {
    let mut record = Record::default();
    while window.is_open() && record.is_hopeful() {
        let began = Instant::now();
        match one(dial).await {
            Ok(()) => record.done(window, began, 0),
            Err(error) => record.fail(&error),
        }
    }
    record
}

async fn one(dial: &Dial) -> Result<()> {
    let mut session = dial.open().await?;
    exchange::once(dial, &mut session).await
}
