use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream as StdUnixStream;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::*;

/// How often the peer speaks.
const TURNS: usize = 200;

/// Answers a peer on another thread, with a look of at most `longest` in place of sleep. Says how often the worker fell asleep
/// and how often its connection was polled.
fn converse(longest: Duration) -> (u64, u64) {
    let (near, mut far) = StdUnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let peer = thread::spawn(move || {
        let mut byte = [0];
        for _ in 0..TURNS {
            far.write_all(b"?").unwrap();
            far.read_exact(&mut byte).unwrap();
        }
    });
    let mut runtime = Builder::new_current_thread();
    let poll = BusyPoll::over(&mut runtime, longest);
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let awake = Arc::clone(&poll);
        tokio::spawn(async move { awake.keep_awake().await });
        let worker = Arc::clone(&poll);
        let answering = tokio::spawn(async move { worker.counted(answer(near)).await });
        answering.await.unwrap();
    });
    peer.join().unwrap();
    let parks = runtime.metrics().worker_park_count(0);
    (parks, poll.worked.load(Relaxed))
}

async fn answer(near: StdUnixStream) {
    let mut near = UnixStream::from_std(near).unwrap();
    let mut byte = [0];
    while near.read_exact(&mut byte).await.is_ok() {
        if near.write_all(b"!").await.is_err() {
            return;
        }
    }
}

#[test]
fn a_worker_that_must_not_look_sleeps_and_is_not_told_of_sleep() {
    let (parks, polls) = converse(Duration::ZERO);
    assert!(parks > 0, "it had to wait for its peer");
    assert!(polls > 0, "its connection worked");
}

#[test]
fn an_answer_comes_whatever_the_worker_does_while_it_waits() {
    for longest in [1, 100, 1000] {
        let (_, polls) = converse(Duration::from_micros(longest));
        assert!(polls > 0);
    }
}

#[test]
fn a_look_in_vain_ends() {
    let mut runtime = Builder::new_current_thread();
    let longest = Duration::from_micros(200);
    let poll = BusyPoll::over(&mut runtime, longest);
    let runtime = runtime.enable_all().build().unwrap();
    match runtime.block_on(poll.look()) {
        Found::Nothing(after) => assert!(after > longest),
        // Others on this machine may have taken the core meanwhile.
        Found::Crowd => {}
    }
}

const LONGEST: Duration = Duration::from_micros(100);
const SHORT: Duration = Duration::from_micros(60);

#[test]
fn only_a_wait_that_was_short_is_followed_by_a_look() {
    let now = Instant::now();
    let mut judgement = Judgement::new(LONGEST);
    assert!(!judgement.after_sleep(Duration::from_secs(1), now));
    assert!(judgement.after_sleep(LONGEST, now));
    assert!(!judgement.after_sleep(LONGEST + Duration::from_nanos(1), now));
}

#[test]
fn a_look_in_vain_is_part_of_the_wait() {
    let now = Instant::now();
    let mut judgement = Judgement::new(LONGEST);
    assert!(judgement.after_sleep(SHORT, now));
    judgement.after_look(Found::Nothing(LONGEST), now);
    assert!(
        !judgement.after_sleep(SHORT, now),
        "160 microseconds in all"
    );
    assert!(judgement.after_sleep(SHORT, now), "60 microseconds in all");
}

#[test]
fn others_who_want_the_core_have_it_for_a_while() {
    let now = Instant::now();
    let mut judgement = Judgement::new(LONGEST);
    judgement.after_look(Found::Crowd, now);
    assert!(!judgement.after_sleep(SHORT, now));
    assert!(!judgement.after_sleep(SHORT, now + CROWDED / 2));
    assert!(judgement.after_sleep(SHORT, now + CROWDED));
}
