//! Those who make the attempts of one setting: a process within it that starts the others and passes on what they say.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use enforcer_tests::namespace::Namespace;
use enforcer_tests::process::Process;
use serde::Deserialize;

/// No attempt takes longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Attempts that are made at a time: few enough for each to be told in full by the kernel.
const AT_A_TIME: usize = 10;

/// A process within a setting.
pub(crate) struct Crew {
    process: Process,
    orders: ChildStdin,
    accounts: BTreeMap<String, Account>,
}

/// What is known of one attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Its process.
    pub(crate) pid: Option<u64>,
    /// How it went, each time it was made.
    pub(crate) outcomes: Vec<String>,
    /// It waits to be told.
    pub(crate) is_ready: bool,
    /// It is over, and this is what it complained about.
    pub(crate) complaint: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    tag: String,
    pid: Option<u64>,
    outcome: Option<String>,
    ready: Option<bool>,
    complaint: Option<String>,
}

impl Crew {
    /// Starts `command`, which must run `crew.py`.
    pub(crate) fn start(mut command: Command, namespace: &Namespace) -> Self {
        command.stdin(Stdio::piped());
        let mut process = Process::start(&mut command, Some(namespace)).expect("a crew");
        let orders = process.stdin().expect("a pipe");
        Self {
            process,
            orders,
            accounts: BTreeMap::new(),
        }
    }

    /// Has `command` run under the name `tag`.
    pub(crate) fn begin(&mut self, tag: &str, command: &[String]) {
        self.accounts.insert(tag.to_owned(), Account::default());
        let mut words = vec![tag.to_owned()];
        words.extend_from_slice(command);
        self.order(&words);
    }

    /// Tells one that is ready to go on.
    pub(crate) fn go(&mut self, tag: &str) {
        if let Some(account) = self.accounts.get_mut(tag) {
            account.is_ready = false;
        }
        self.order(&[tag.to_owned()]);
    }

    /// Runs all of them to their ends, several at a time.
    pub(crate) fn run(&mut self, commands: Vec<(String, Vec<String>)>) {
        let mut running: Vec<String> = Vec::new();
        for (tag, command) in commands {
            while running.len() >= AT_A_TIME {
                self.listen();
                running.retain(|tag| !self.account(tag).has_ended());
            }
            self.begin(&tag, &command);
            running.push(tag);
        }
        for tag in running {
            self.wait(&tag, Account::has_ended);
        }
    }

    /// Waits until `is_so` of one of them.
    pub(crate) fn wait(&mut self, tag: &str, is_so: impl Fn(&Account) -> bool) -> Account {
        let until = Instant::now() + PATIENCE;
        while !is_so(&self.account(tag)) {
            let account = self.account(tag);
            assert!(!account.has_ended(), "{tag} ended early: {account:?}");
            assert!(Instant::now() < until, "{tag} takes too long: {account:?}");
            self.listen();
        }
        self.account(tag)
    }

    pub(crate) fn account(&self, tag: &str) -> Account {
        self.accounts.get(tag).cloned().unwrap_or_default()
    }

    fn order(&mut self, words: &[String]) {
        let line = serde_json::to_string(words).expect("strings");
        writeln!(self.orders, "{line}").expect("the crew is there");
    }

    fn listen(&mut self) {
        let line = self.process.line(PATIENCE).expect("a word of the crew");
        let said: Said = serde_json::from_str(&line).expect("a word");
        let account = self.accounts.entry(said.tag).or_default();
        account.pid = said.pid.or(account.pid);
        account.outcomes.extend(said.outcome);
        account.is_ready |= said.ready.unwrap_or(false);
        account.complaint = said.complaint.or(account.complaint.take());
    }
}

impl Account {
    pub(crate) fn has_ended(&self) -> bool {
        self.complaint.is_some()
    }

    /// How it went last.
    pub(crate) fn outcome(&self) -> &str {
        self.outcomes.last().map_or("", String::as_str)
    }
}

/// The words that run a Python program of the folder.
pub(crate) fn python(program: &Path) -> Vec<String> {
    let program = program.display().to_string();
    ["python3", "-B", &program].map(str::to_owned).to_vec()
}
