//! Folders as editors, operators and orchestrators leave them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;

use super::watch::Pace;
use super::*;

/// Longer than any reload may take; only a failing test waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// A look unasked so rare that what is found in a test was told by the kernel.
const TOLD: Pace = Pace {
    rest: Duration::from_millis(5),
    poll: Duration::from_secs(600),
};
/// Looks so often that the kernel need tell nothing.
const LOOKING: Pace = Pace {
    rest: Duration::from_millis(5),
    poll: Duration::from_millis(5),
};

fn text(name: &str, host: &str) -> String {
    format!(
        "version: 1\nname: {name}\nrules:\n- {{ id: a, effect: allow, match: {{ host: {host} }} }}\n"
    )
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// Puts a file into place in one step, so that no test depends on how fast it is seen.
fn put(path: &Path, text: &str) {
    let beside = path.with_file_name(".beside");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, path).unwrap();
}

fn refused(path: &Path) -> String {
    match Policies::open(path, BTreeSet::new()) {
        Ok(policies) => panic!("loaded {:?}", policies.loaded()),
        Err(error) => format!("{error:#}"),
    }
}

/// A watched path: what is in force, and what is reported.
struct Watched {
    set: Arc<ArcSwap<PolicySet>>,
    reports: Receiver<Reload>,
    watch: Watch,
}

impl Watched {
    fn new(path: &Path, pace: Pace) -> Self {
        let policies = Policies::open(path, BTreeSet::new()).unwrap();
        let set = policies.current();
        let (sender, reports) = channel();
        let watch = Watch::start(policies, pace, move |reload| {
            // The test may be over.
            let _ = sender.send(reload);
        });
        Self {
            set,
            reports,
            watch: watch.unwrap(),
        }
    }

    fn next(&self) -> Reload {
        self.reports
            .recv_timeout(PATIENCE)
            .expect("nothing was reported")
    }

    /// The next report is of a set with these policies, which is then in force.
    fn loads(&self, names: &[&str]) {
        match self.next() {
            Reload::Loaded(loaded) => {
                let set = self.set.load();
                assert_eq!(set.names().collect::<Vec<_>>(), names);
                assert_eq!(loaded.digest, set.digest());
                assert_eq!((loaded.files, loaded.rules), (names.len(), set.rules()));
            }
            Reload::Rejected { diagnostics } => panic!("{diagnostics:?}"),
        }
    }

    /// The next report is of a refusal that says this, and the set in force stays.
    fn rejects(&self, message: &str) {
        let before = self.set.load().digest().to_owned();
        match self.next() {
            Reload::Rejected { diagnostics } => {
                let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
                assert!(lines.join("\n").contains(message), "{lines:?}");
                assert_eq!(self.set.load().digest(), before);
            }
            Reload::Loaded(loaded) => panic!("{loaded:?}"),
        }
    }
}

#[test]
fn a_folder_is_loaded_whole() {
    let folder = folder(&[
        ("a.yaml", &text("a", "a.example")),
        ("b.yaml", &text("b", "b.example")),
        ("a.cases.yaml", "cases: nonsense"),
        (".hidden.yaml", "nonsense"),
        ("README.md", "nonsense"),
        ("c.yml", "nonsense"),
    ]);
    let policies = Policies::open(folder.path(), BTreeSet::new()).unwrap();
    let loaded = policies.loaded();
    assert_eq!((loaded.files, loaded.rules), (2, 2));
    assert_eq!(loaded.warnings.len(), 1);
    assert!(
        loaded.warnings[0]
            .to_string()
            .contains("c.yml: warning: not read")
    );
    assert_eq!(
        load(folder.path(), &BTreeSet::new()).unwrap().digest(),
        loaded.digest
    );
    let one = load(&folder.path().join("a.yaml"), &BTreeSet::new()).unwrap();
    assert_eq!(one.names().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn what_cannot_be_used_stops_the_start_and_says_why() {
    let empty = folder(&[("a.cases.yaml", "")]);
    assert!(refused(empty.path()).contains("there is no policy in this folder (put one there"));
    assert!(
        refused(&empty.path().join("gone")).contains("gone: error: cannot be read: No such file")
    );

    let broken = folder(&[
        ("a.yaml", "version: 1\nname: a\nrule: []\n"),
        ("b.yaml", ""),
    ]);
    let message = refused(broken.path());
    assert!(
        message.contains("a.yaml:3:1: error: a policy has no key `rule` (did you mean `rules`?)"),
        "{message}"
    );
    assert!(
        message.contains("b.yaml:1:1: error: nothing in it"),
        "{message}"
    );

    let odd = folder(&[("a.yaml", &text("a", "a.example"))]);
    fs::create_dir(odd.path().join("folder.yaml")).unwrap();
    fs::write(odd.path().join("latin.yaml"), b"name: \xe9").unwrap();
    symlink("nowhere", odd.path().join("dangling.yaml")).unwrap();
    let message = refused(odd.path());
    for part in [
        "folder.yaml: error: not a file",
        "latin.yaml: error: not text in UTF-8",
        "dangling.yaml: error: cannot be read",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

/// Written in place, a file may be seen empty for a moment; what comes of that is a refusal, never half a policy.
#[test]
fn a_file_written_in_place_is_taken_over() {
    let folder = folder(&[("a.yaml", &text("a", "a.example"))]);
    let watched = Watched::new(folder.path(), TOLD);
    fs::write(folder.path().join("a.yaml"), text("b", "a.example")).unwrap();
    while let Reload::Rejected { diagnostics } = watched.next() {
        assert!(
            diagnostics[0].message.contains("nothing in it"),
            "{diagnostics:?}"
        );
    }
    assert_eq!(watched.set.load().names().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn files_that_come_and_go_are_taken_over() {
    let folder = folder(&[("a.yaml", &text("a", "a.example"))]);
    let watched = Watched::new(folder.path(), TOLD);
    put(&folder.path().join("c.yaml"), &text("c", "c.example"));
    watched.loads(&["a", "c"]);
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    watched.loads(&["c"]);
}

/// Editors write beside and rename over.
#[test]
fn a_file_renamed_over_is_taken_over() {
    let folder = folder(&[("a.yaml", &text("a", "a.example"))]);
    for path in [folder.path().to_owned(), folder.path().join("a.yaml")] {
        let watched = Watched::new(&path, TOLD);
        for name in ["b", "c", "a"] {
            put(&folder.path().join("a.yaml"), &text(name, "a.example"));
            watched.loads(&[name]);
        }
    }
}

/// As orchestrators mount configuration: files lead through `..data`, which is swapped.
#[test]
fn a_swapped_symlink_is_taken_over_whole() {
    let folder = folder(&[]);
    let version = |number: &str, names: [&str; 2]| {
        let data = folder.path().join(format!("..{number}"));
        fs::create_dir(&data).unwrap();
        fs::write(data.join("a.yaml"), text(names[0], "a.example")).unwrap();
        fs::write(data.join("b.yaml"), text(names[1], "b.example")).unwrap();
        symlink(format!("..{number}"), folder.path().join("..data_tmp")).unwrap();
        fs::rename(
            folder.path().join("..data_tmp"),
            folder.path().join("..data"),
        )
        .unwrap();
    };
    version("1", ["a1", "b1"]);
    symlink("..data/a.yaml", folder.path().join("a.yaml")).unwrap();
    symlink("..data/b.yaml", folder.path().join("b.yaml")).unwrap();
    let watched = Watched::new(folder.path(), TOLD);
    version("2", ["a2", "b2"]);
    watched.loads(&["a2", "b2"]);
    version("3", ["a3", "b3"]);
    watched.loads(&["a3", "b3"]);
}

#[test]
fn a_broken_change_keeps_the_last_good_set_until_it_is_mended() {
    let folder = folder(&[("a.yaml", &text("a", "a.example"))]);
    let file = folder.path().join("a.yaml");
    let watched = Watched::new(folder.path(), TOLD);
    put(&file, "version: 1\nname: a\nrules: [\n");
    watched.rejects("a.yaml:3:8: error: not YAML");
    put(&file, "version: 2\nname: a\nrules: []\n");
    watched.rejects("a.yaml:1:10: error: version `2` is not known");
    fs::remove_file(&file).unwrap();
    watched.rejects("there is no policy in this folder");
    put(&file, &text("b", "b.example"));
    watched.loads(&["b"]);
}

/// A refusal is followed by what was in force before it, written anew.
#[test]
fn going_back_to_what_is_in_force_is_reported_too() {
    let good = text("a", "a.example");
    let folder = folder(&[("a.yaml", &good)]);
    let watched = Watched::new(folder.path(), TOLD);
    put(&folder.path().join("a.yaml"), "nonsense");
    watched.rejects("a policy is a map");
    put(&folder.path().join("a.yaml"), &good);
    watched.loads(&["a"]);
}

#[test]
fn a_folder_that_goes_away_keeps_the_last_good_set() {
    let parent = folder(&[]);
    let path = parent.path().join("policies");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("a.yaml"), text("a", "a.example")).unwrap();
    let watched = Watched::new(&path, LOOKING);
    fs::rename(&path, parent.path().join("old")).unwrap();
    watched.rejects("cannot be read: No such file");
    fs::rename(parent.path().join("old"), &path).unwrap();
    watched.loads(&["a"]);
}

/// The kernel's watch stays with the old folder; the slow look finds the new one and has it watched.
#[test]
fn a_folder_replaced_as_a_whole_is_found_by_looking() {
    let parent = folder(&[]);
    let make = |name: &str, policy: &str| {
        let path = parent.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("a.yaml"), text(policy, "a.example")).unwrap();
        path
    };
    let (one, two) = (make("one", "p1"), make("two", "p2"));
    let current = parent.path().join("current");
    symlink(&one, &current).unwrap();
    let watched = Watched::new(&current, LOOKING);
    symlink(&two, parent.path().join("next")).unwrap();
    fs::rename(parent.path().join("next"), &current).unwrap();
    watched.loads(&["p2"]);
    put(&two.join("a.yaml"), &text("p3", "a.example"));
    watched.loads(&["p3"]);
}

/// What is touched, or written again as it was, is no change: the first report is of the first change.
#[test]
fn nothing_is_reported_when_nothing_changed() {
    let good = text("a", "a.example");
    let folder = folder(&[("a.yaml", &good)]);
    let watched = Watched::new(folder.path(), LOOKING);
    put(&folder.path().join("a.yaml"), &good);
    put(&folder.path().join("notes.txt"), "x");
    put(&folder.path().join("a.cases.yaml"), "x");
    put(&folder.path().join("a.yaml"), &text("b", "b.example"));
    watched.loads(&["b"]);
    assert!(watched.reports.try_recv().is_err());
}

#[test]
fn dropping_the_guard_ends_the_thread() {
    let folder = folder(&[("a.yaml", &text("a", "a.example"))]);
    let Watched { reports, watch, .. } = Watched::new(folder.path(), TOLD);
    drop(watch);
    // The thread's end drops the callback, and with it the channel's other end.
    assert_eq!(
        reports.recv_timeout(PATIENCE),
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_secret_that_the_configuration_does_not_name_is_a_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let text = "version: 1\nname: hooks\nrules:\n  - id: post\n    effect: allow\n    \
        match: { host: hooks.example.com, method: POST }\n    inject: { header: authorization, secret: hook-key }\n";
    put(&folder.path().join("hooks.yaml"), text);
    let refused = refused(folder.path());
    assert!(
        refused.contains("rule `post` takes the secret `hook-key`"),
        "{refused}"
    );
    let known = BTreeSet::from(["hook-key".to_owned()]);
    assert!(Policies::open(folder.path(), known).is_ok());
}
