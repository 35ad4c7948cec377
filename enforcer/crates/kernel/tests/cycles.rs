//! Network namespaces are joined and left as containers come and go: whatever that takes is given back. Alone in its process,
//! because it counts the process's threads and descriptors. Needs root; says why it skips without.

#![expect(clippy::unwrap_used, reason = "a test's own hands may fail")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use enforcer_kernel::{KernelError, Loopback, Netns, Programs};

/// A millisecond each.
const CYCLES: u32 = 10_000;

#[test]
fn ten_thousand_namespaces_are_joined_and_left_without_a_trace() {
    let pins =
        Path::new("/sys/fs/bpf").join(format!("enforcer-test-cycles-{}", std::process::id()));
    let programs = match Programs::load(&pins) {
        Ok(programs) => programs,
        Err(error @ (KernelError::ObjectMissing | KernelError::Permission { .. })) => {
            println!("skipped: {error}");
            return;
        }
        Err(error) => panic!("{error:?}"),
    };
    // The first one may leave what is made once.
    join_and_leave(&programs);
    let (before, started) = (held(), Instant::now());
    for _ in 0..CYCLES {
        join_and_leave(&programs);
    }
    let took = started.elapsed();
    // A thread that has just ended may still be listed, then as now; one that stays for each namespace is 10,000 more.
    let ((threads, descriptors), after) = (before, held());
    assert!(after.0 <= threads + 1, "{} threads of {threads}", after.0);
    assert!(
        after.1 <= descriptors,
        "{} descriptors of {descriptors}",
        after.1
    );
    println!("{CYCLES} namespaces in {took:?}");
    programs.release().unwrap();
}

/// Enters a new namespace, listens, serves it, and leaves it.
fn join_and_leave(programs: &Programs) {
    let netns = Netns::isolated().unwrap();
    let listeners = netns.listen().unwrap();
    let ports = listeners.ports(Loopback::Exempt).unwrap();
    programs.serve(netns.cookie(), ports).unwrap();
    programs.unserve(netns.cookie()).unwrap();
}

/// How many threads and descriptors this process has.
fn held() -> (usize, usize) {
    let count = |folder| fs::read_dir(folder).unwrap().count();
    (count("/proc/self/task"), count("/proc/self/fd"))
}
