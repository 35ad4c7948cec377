//! Work that takes long in proportion to a body, done where no other connection waits for it.
//!
//! Small bodies are read by the worker itself: handing one over would cost more than reading it.

use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::Semaphore;

/// From how many bytes on a body is read elsewhere.
pub(crate) const LARGE: usize = 256 * 1024;

/// Where such work is done: as much at once as there are cores. The rest waits.
#[derive(Clone, Debug)]
pub struct Aside(Arc<Semaphore>);

impl Default for Aside {
    fn default() -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(cores)))
    }
}

// === impl Aside ===

impl Aside {
    /// Does it, elsewhere if it is about so many bytes. None when it was given up.
    pub(crate) async fn weigh<T>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T>
    where
        T: Send + 'static,
    {
        if bytes < LARGE {
            return Some(work());
        }
        self.run(work).await
    }

    /// Does it elsewhere. None when it was given up.
    pub(crate) async fn run<T>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T>
    where
        T: Send + 'static,
    {
        let place = Arc::clone(&self.0).acquire_owned().await.ok()?;
        // The place is kept until it is done, also when nobody waits for it any more.
        let placed = move || {
            let done = work();
            drop(place);
            done
        };
        tokio::task::spawn_blocking(placed).await.ok()
    }
}
