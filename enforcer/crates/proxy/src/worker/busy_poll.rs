//! How a worker waits: awake where waits have been short of late, asleep where they have not.
//!
//! A thread that sleeps must be woken. On a virtual machine that takes some tens of microseconds, and an exchange with a
//! quick upstream pays it twice. So a worker that was woken soon after it had fallen asleep looks for work for a while before
//! it sleeps the next time, as long as nobody else wants its core. One wait that is longer ends that: beside an
//! upstream that thinks for a second nothing is spent. (What `halt_poll_ns` is to virtual machines,
//! Documentation/virt/kvm/halt-polling.rst, for one thread.)

use std::future::{self, Future};
use std::mem;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task;

#[cfg(test)]
mod tests;

/// Offering the core to others takes no longer if nobody takes it.
const ALONE: Duration = Duration::from_micros(10);
/// How long a worker whose core is wanted by others sleeps when it has nothing to do.
const CROWDED: Duration = Duration::from_micros(500);

/// One worker's sleep, and what it does in its place.
pub(super) struct BusyPoll {
    /// The longest wait that is spent awake.
    longest: Duration,
    born: Instant,
    /// When the worker last fell asleep, in nanoseconds after `born`.
    asleep: AtomicU64,
    /// For how many nanoseconds.
    slept: AtomicU64,
    woken: Notify,
    /// How often a connection was polled.
    worked: AtomicU64,
}

/// Whether the next wait is to be spent awake.
struct Judgement {
    longest: Duration,
    /// How long the last look was in vain: the beginning of the wait whose end was slept.
    looked: Duration,
    /// Until when others have the core.
    crowded: Option<Instant>,
}

/// What ended a look.
#[derive(Clone, Copy)]
enum Found {
    /// Others, who want the core.
    Crowd,
    /// Nothing, for this long.
    Nothing(Duration),
}

// === impl BusyPoll ===

impl BusyPoll {
    /// Learns when the runtime falls asleep and when it wakes. A `longest` of zero never looks for work.
    pub(super) fn over(runtime: &mut Builder, longest: Duration) -> Arc<Self> {
        let poll = Arc::new(Self {
            longest,
            born: Instant::now(),
            asleep: AtomicU64::new(0),
            slept: AtomicU64::new(0),
            woken: Notify::new(),
            worked: AtomicU64::new(0),
        });
        if !longest.is_zero() {
            let (falls, wakes) = (Arc::clone(&poll), Arc::clone(&poll));
            runtime
                .on_thread_park(move || falls.asleep.store(falls.age(), Relaxed))
                .on_thread_unpark(move || wakes.wake());
        }
        poll
    }

    /// Counts the polls of a connection: they are the work that is looked for.
    pub(super) async fn counted<T>(&self, connection: impl Future<Output = T>) -> T {
        let mut connection = pin!(connection);
        future::poll_fn(|context| {
            self.worked.fetch_add(1, Relaxed);
            connection.as_mut().poll(context)
        })
        .await
    }

    /// Keeps the worker awake where that is worth it. Never returns.
    pub(super) async fn keep_awake(&self) {
        let mut judgement = Judgement::new(self.longest);
        loop {
            self.woken.notified().await;
            let slept = Duration::from_nanos(self.slept.load(Relaxed));
            if judgement.after_sleep(slept, Instant::now()) {
                let found = self.look().await;
                judgement.after_look(found, Instant::now());
            }
        }
    }

    /// Looks for work until there was none for too long, or until others want the core.
    async fn look(&self) -> Found {
        let mut worked = self.worked.load(Relaxed);
        let mut since = Instant::now();
        let mut now = since;
        loop {
            thread::yield_now();
            if now.elapsed() > ALONE {
                return Found::Crowd;
            }
            // The runtime sees to its sockets before it comes back here.
            task::yield_now().await;
            now = Instant::now();
            let polled = self.worked.load(Relaxed);
            if polled != worked {
                (worked, since) = (polled, now);
            } else if now - since > self.longest {
                return Found::Nothing(now - since);
            }
        }
    }

    fn wake(&self) {
        let slept = self.age().saturating_sub(self.asleep.load(Relaxed));
        self.slept.store(slept, Relaxed);
        self.woken.notify_one();
    }

    fn age(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

// === impl Judgement ===

impl Judgement {
    fn new(longest: Duration) -> Self {
        Self {
            longest,
            looked: Duration::ZERO,
            crowded: None,
        }
    }

    /// Whether to look, now that a sleep ended.
    fn after_sleep(&mut self, slept: Duration, now: Instant) -> bool {
        let waited = mem::take(&mut self.looked).saturating_add(slept);
        self.crowded = self.crowded.filter(|until| now < *until);
        waited <= self.longest && self.crowded.is_none()
    }

    fn after_look(&mut self, found: Found, now: Instant) {
        match found {
            Found::Crowd => self.crowded = Some(now + CROWDED),
            Found::Nothing(looked) => self.looked = looked,
        }
    }
}
