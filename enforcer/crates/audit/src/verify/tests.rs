use std::fs;
use std::sync::LazyLock;

use super::*;
use crate::{Config, Entry, Ledger};
use proptest::prelude::*;
use tempfile::TempDir;

/// A ledger of eight lines, the last of them a short one.
struct Fixture {
    folder: TempDir,
    head: Head,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = Ledger::open(Config::at(folder.path().join("audit.jsonl"))).unwrap();
        for reason in ["one", "two", "three", "four", "five", "six", "seven"] {
            ledger.append(&Entry::EnforcerStopped { reason }).unwrap();
        }
        let head = ledger.head().unwrap();
        Self { folder, head }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("audit.jsonl")
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn write(&self, lines: &[String]) {
        fs::write(self.path(), lines.join("\n") + "\n").unwrap();
    }

    fn verify(&self) -> Report {
        Verifier::new().verify(&self.path()).unwrap()
    }

    fn found(&self) -> Option<(u64, Problem)> {
        self.verify().finding.map(|f| (f.line, f.problem))
    }
}

/// Hashes `lines` anew from `from` on, as a forger would.
fn rehash(lines: &mut [String], from: usize) {
    for at in from..lines.len() {
        let previous = Sealed::parse(lines[at - 1].as_bytes()).unwrap().hash;
        let body = lines[at].rsplit_once(",\"hash\":").unwrap().0;
        let hashed = [previous.as_bytes().as_slice(), body.as_bytes()].concat();
        lines[at] = format!("{body},\"hash\":\"{}\"}}", Digest::of(&hashed));
    }
}

fn check(tamper: impl Fn(&mut Vec<String>), expected: Option<(u64, Problem)>) {
    let fixture = Fixture::new();
    let mut lines = fixture.lines();
    tamper(&mut lines);
    fixture.write(&lines);
    assert_eq!(fixture.found(), expected);
}

#[test]
fn an_untouched_ledger_is_sound_and_its_head_is_the_writers() {
    let fixture = Fixture::new();
    let report = fixture.verify();
    assert_eq!(report.finding, None);
    assert_eq!((report.lines, report.files, report.first_part), (8, 1, 1));
    assert_eq!(report.head, Some(fixture.head));
    assert_eq!(report.head.unwrap().to_string().parse(), Ok(fixture.head));
}

#[test]
fn an_edit_shows_at_every_line() {
    for at in 0..8 {
        let edit = |lines: &mut Vec<String>| lines[at] = lines[at].replacen("20", "21", 1);
        check(edit, Some((at as u64 + 1, Problem::Hash)));
    }
}

#[test]
fn a_removed_line_shows_at_every_place_but_the_end() {
    check(
        |lines| drop(lines.remove(0)),
        Some((1, Problem::NotAnOpening)),
    );
    for at in 1..7 {
        let gap = Problem::Sequence {
            expected: at as u64 + 1,
            found: at as u64 + 2,
        };
        check(|lines| drop(lines.remove(at)), Some((at as u64 + 1, gap)));
    }
}

#[test]
fn moved_lines_show() {
    for at in 1..7 {
        let jump = Problem::Sequence {
            expected: at as u64 + 1,
            found: at as u64 + 2,
        };
        check(|lines| lines.swap(at, at + 1), Some((at as u64 + 1, jump)));
    }
}

#[test]
fn an_added_line_shows() {
    for at in 1..8 {
        let twice = Problem::Sequence {
            expected: at as u64 + 1,
            found: at as u64,
        };
        check(
            |lines| lines.insert(at, lines[at - 1].clone()),
            Some((at as u64 + 1, twice)),
        );
    }
    check(
        |lines| lines.insert(3, String::from("{}")),
        Some((4, Problem::NotALine)),
    );
    check(
        |lines| lines.insert(3, String::new()),
        Some((4, Problem::NotALine)),
    );
}

#[test]
fn a_renumbered_or_unsealed_line_shows() {
    let renumber = |lines: &mut Vec<String>| {
        lines.remove(3);
        lines[3] = lines[3].replacen("\"seq\":5", "\"seq\":4", 1);
    };
    check(renumber, Some((4, Problem::Hash)));
    let unseal = |lines: &mut Vec<String>| {
        lines[3] = format!("{}}}", lines[3].rsplit_once(",\"hash\"").unwrap().0);
    };
    check(unseal, Some((4, Problem::Unsealed)));
    let swap_hashes = |lines: &mut Vec<String>| {
        let cut = lines[3].len() - 66;
        lines[3] = format!("{}{}", &lines[3][..cut], &lines[4][lines[4].len() - 66..]);
    };
    check(swap_hashes, Some((4, Problem::Hash)));
}

#[test]
fn a_line_rehashed_alone_shows_at_the_next() {
    let forge = |lines: &mut Vec<String>| {
        lines[3] = lines[3].replace("three", "eight");
        rehash(&mut lines[..4], 3);
    };
    check(forge, Some((5, Problem::Hash)));
}

#[test]
fn a_file_without_a_line_is_no_ledger() {
    let fixture = Fixture::new();
    fs::write(fixture.path(), "").unwrap();
    assert_eq!(fixture.found(), Some((0, Problem::Empty)));
}

#[test]
fn an_endless_line_is_given_up_on() {
    check(
        |lines| lines.push("x".repeat(4 * MAX_LINE)),
        Some((9, Problem::TooLong)),
    );
}

#[test]
fn every_cut_inside_the_last_line_shows_as_torn() {
    let fixture = Fixture::new();
    let whole = fs::read(fixture.path()).unwrap();
    let last = fixture.lines()[7].len();
    for kept in 1..=last {
        fs::write(fixture.path(), &whole[..whole.len() - 1 - last + kept]).unwrap();
        assert_eq!(fixture.found(), Some((8, Problem::Torn { bytes: kept })));
    }
}

/// What an unkeyed chain cannot show, said as a test so that nobody believes otherwise.
#[test]
fn cut_lines_and_a_rewritten_end_show_only_against_an_anchor() {
    let fixture = Fixture::new();
    let mut lines = fixture.lines();
    lines.truncate(6);
    fixture.write(&lines);
    assert_eq!(fixture.found(), None);
    let anchored = Verifier::anchored(fixture.head).verify(&fixture.path());
    let cut = Problem::Cut {
        expected: 8,
        found: 6,
    };
    assert_eq!(anchored.unwrap().finding.unwrap().problem, cut);

    let fixture = Fixture::new();
    let mut lines = fixture.lines();
    lines[3] = lines[3].replace("three", "eight");
    rehash(&mut lines, 3);
    fixture.write(&lines);
    assert_eq!(fixture.found(), None);
    let finding = Verifier::anchored(fixture.head)
        .verify(&fixture.path())
        .unwrap()
        .finding
        .unwrap();
    assert_eq!((finding.line, finding.problem), (8, Problem::Anchor));
}

#[test]
fn an_anchor_that_agrees_is_no_finding() {
    let fixture = Fixture::new();
    let report = Verifier::anchored(fixture.head).verify(&fixture.path());
    assert_eq!(report.unwrap().finding, None);
}

#[test]
fn a_missing_file_is_an_error_and_not_a_sound_ledger() {
    let folder = TempDir::new().unwrap();
    assert!(Verifier::new().verify(&folder.path().join("none")).is_err());
}

fn verify_bytes(bytes: &[u8]) -> Report {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("audit.jsonl");
    fs::write(&path, bytes).unwrap();
    Verifier::new().verify(&path).unwrap()
}

#[test]
fn the_bytes_of_a_sound_ledger_are_sound() {
    let fixture = Fixture::new();
    assert_eq!(
        verify_bytes(&fs::read(fixture.path()).unwrap()).finding,
        None
    );
}

#[test]
fn a_forged_multitude_of_events_is_counted_together() {
    let fixture = Fixture::new();
    let mut lines = fixture.lines();
    for seq in 9..1_000 {
        let line = lines[7].replace("\"seq\":8", &format!("\"seq\":{seq}"));
        lines.push(line.replace("enforcer_stopped", &format!("event_{seq}")));
    }
    rehash(&mut lines, 8);
    fixture.write(&lines);
    let report = fixture.verify();
    assert_eq!((report.finding, report.lines), (None, 999));
    assert_eq!(report.events.len(), 65);
    assert_eq!(report.events.values().sum::<u64>(), 999);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_changed_byte_shows(place in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        static SOUND: LazyLock<Vec<u8>> = LazyLock::new(|| fs::read(Fixture::new().path()).unwrap());
        let mut bytes = SOUND.clone();
        let at = place.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(verify_bytes(&bytes).finding.is_some());
    }

    #[test]
    fn garbage_is_never_sound_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(verify_bytes(&bytes).finding.is_some());
    }
}
