//! Claims about the cache alone; what it makes is a configuration that nobody uses.

use std::sync::Barrier;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::Duration;

use super::*;
use crate::provider;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn host(text: &str) -> Host {
    Host::parse(text).unwrap()
}

fn config() -> Arc<ServerConfig> {
    let builder = ServerConfig::builder_with_provider(provider::agent_side());
    let resolver = Arc::new(rustls::server::ResolvesServerCertUsingSni::new());
    let versions = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(versions.with_no_client_auth().with_cert_resolver(resolver))
}

fn cache(capacity: usize) -> Cache {
    Cache::new(NonZeroUsize::new(capacity).unwrap())
}

/// Counts how often it makes.
struct Maker {
    made: AtomicUsize,
}

impl Maker {
    fn new() -> Self {
        let made = AtomicUsize::new(0);
        Self { made }
    }

    fn ask(&self, cache: &Cache, text: &str, now: SystemTime) -> Arc<ServerConfig> {
        let make = |_| {
            self.made.fetch_add(1, Ordering::SeqCst);
            Ok(config())
        };
        cache.get_or_make(&host(text), now, make).unwrap()
    }

    fn count(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }
}

#[test]
fn a_hundred_threads_cause_one_making() {
    let (cache, maker, start) = (cache(8), Maker::new(), Barrier::new(100));
    let now = SystemTime::now();
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                start.wait();
                maker.ask(&cache, "a.example", now);
            });
        }
    });
    assert_eq!(maker.count(), 1);
}

#[test]
fn making_for_one_host_does_not_hold_up_another() {
    let cache = cache(8);
    let now = SystemTime::now();
    let nested = |_| {
        // Asked for while the other is being made: a lock held meanwhile would never be given back.
        Maker::new().ask(&cache, "b.example", now);
        Ok(config())
    };
    cache.get_or_make(&host("a.example"), now, nested).unwrap();
}

#[test]
fn the_least_recently_used_goes_first() {
    let (cache, maker) = (cache(2), Maker::new());
    let now = SystemTime::now();
    for text in ["a.example", "b.example", "a.example", "c.example"] {
        maker.ask(&cache, text, now);
    }
    assert_eq!(maker.count(), 3);
    maker.ask(&cache, "a.example", now);
    maker.ask(&cache, "c.example", now);
    assert_eq!(maker.count(), 3, "both were used later than b");
    maker.ask(&cache, "b.example", now);
    assert_eq!(maker.count(), 4, "b was put out");
}

#[test]
fn no_number_of_hosts_grows_it_past_its_capacity() {
    let (cache, maker) = (cache(16), Maker::new());
    for index in 0..200 {
        maker.ask(&cache, &format!("h{index}.example"), SystemTime::now());
        assert!(cache.slots.read().unwrap().len() <= 16);
    }
    assert_eq!(cache.slots.read().unwrap().len(), 16);
}

#[test]
fn what_nears_its_end_is_made_again_and_replaces_the_old() {
    let (cache, maker) = (cache(1), Maker::new());
    let start = SystemTime::now();
    let first = maker.ask(&cache, "a.example", start);
    let minute = Duration::from_secs(60);
    let same = maker.ask(&cache, "a.example", start + 6 * DAY - minute);
    assert!(Arc::ptr_eq(&first, &same));
    let next = maker.ask(&cache, "a.example", start + 6 * DAY);
    assert!(!Arc::ptr_eq(&first, &next));
    let kept = maker.ask(&cache, "a.example", start + 12 * DAY - minute);
    assert!(Arc::ptr_eq(&next, &kept));
    assert_eq!(maker.count(), 2);
}

#[test]
fn a_clock_set_back_past_the_beginning_makes_again() {
    let (cache, maker) = (cache(1), Maker::new());
    let start = SystemTime::now();
    maker.ask(&cache, "a.example", start);
    maker.ask(&cache, "a.example", start - DAY);
    assert_eq!(maker.count(), 1, "the leaf is backdated by a day");
    maker.ask(&cache, "a.example", start - 2 * DAY);
    assert_eq!(maker.count(), 2);
}

#[test]
fn a_failure_is_reported_and_not_kept() {
    let (cache, maker) = (cache(4), Maker::new());
    let now = SystemTime::now();
    let fail = |_| Err(TlsError::Rustls(rustls::Error::FailedToGetRandomBytes));
    assert!(cache.get_or_make(&host("a.example"), now, fail).is_err());
    assert_eq!(cache.slots.read().unwrap().len(), 0);
    maker.ask(&cache, "a.example", now);
    assert_eq!(maker.count(), 1);
}

#[test]
fn a_panic_while_making_spoils_nothing() {
    let (cache, maker) = (cache(4), Maker::new());
    let now = SystemTime::now();
    let make = |_| -> Result<Arc<ServerConfig>, TlsError> { panic!("expected by this test") };
    thread::scope(|scope| {
        let asking = scope.spawn(|| cache.get_or_make(&host("a.example"), now, make));
        assert!(asking.join().is_err());
    });
    maker.ask(&cache, "a.example", now);
    assert_eq!(maker.count(), 1);
}
