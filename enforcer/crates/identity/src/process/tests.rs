use std::process::Command;

use super::*;

fn now() -> u32 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u32::try_from(now.tv_sec * 100 + now.tv_nsec / 10_000_000).unwrap()
}

fn identify(pid: u32, at: u32) -> Process {
    let seen = Process {
        pid,
        ..Process::default()
    };
    let as_text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into();
    Processes { readable: true }.identify(seen, at, as_text)
}

#[test]
fn a_process_is_known_by_its_file_its_arguments_and_its_start() {
    let mut child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    // The kernel sets the arguments a moment after it took the new program over.
    let path = format!("/proc/{}/cmdline", child.id());
    while std::fs::read(&path).unwrap().is_empty() {
        std::thread::yield_now();
    }
    let told = identify(child.id(), now() + 1);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(told.exe.unwrap().ends_with("/sleep"));
    assert_eq!(told.argv.as_deref(), Some("/bin/sleep\x001000\0"));
    assert!(told.started.is_some());
}

#[test]
fn arguments_longer_than_a_page_are_read_whole_and_no_more_than_the_limit() {
    for (nothings, bytes) in [(3000, 16 + 6000), (60_000, MAX_ARGUMENTS)] {
        let mut child = Command::new("/bin/sleep")
            .arg("1000")
            .args(std::iter::repeat_n("0", nothings))
            .spawn()
            .unwrap();
        let path = format!("/proc/{}/cmdline", child.id());
        while std::fs::read(&path).unwrap().is_empty() {
            std::thread::yield_now();
        }
        let told = identify(child.id(), now() + 1);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(told.argv.map(|argv| argv.len()), Some(bytes));
    }
}

#[test]
fn a_process_that_took_a_number_over_is_not_told_of() {
    let before = now().saturating_sub(2);
    let mut child = Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    let told = identify(child.id(), before.saturating_sub(100));
    let id = child.id();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((told.started, told.exe, told.argv), (None, None, None));
    let gone = identify(id, now() + 1);
    assert_eq!(gone.started, None);
}

#[test]
fn a_name_with_parentheses_shifts_no_field() {
    let fields: Vec<String> = (3..=52).map(|field| field.to_string()).collect();
    let stat = format!("7 (a) b (c)) {}", fields.join(" "));
    assert_eq!(started(stat.as_bytes()), Some(22));
    assert_eq!(started(b"7 (a) S 1"), None);
    assert_eq!(started(b""), None);
}
