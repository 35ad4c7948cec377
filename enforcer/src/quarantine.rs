//! Quarantines that operators ordered, and the file that keeps them over a restart.
//!
//! An order holds until it is lifted, for workloads that come later too. The kernel keeps the same in the entry of each
//! workload, so that it holds while no daemon is there; a daemon that finds it there without an order keeps it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

/// The file below the state folder.
const FILE: &str = "quarantine.json";
/// The form of the file.
const VERSION: u32 = 1;

/// Whom a quarantine is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Everybody.
    All,
    /// The cgroup at this path below the mount, and those below it.
    Cgroup(String),
    /// Whoever's label names this policy.
    Policy(String),
}

/// The orders in force.
#[derive(Debug)]
pub(crate) struct Orders {
    file: PathBuf,
    keeper: Keeper,
    orders: Mutex<BTreeSet<Order>>,
}

/// Who writes the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeper {
    /// A daemon, or its tools where there is none: an enforcer of one command reads what operators ordered.
    Others,
    Us,
}

/// The file's content.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    orders: BTreeSet<Order>,
}

// === impl Order ===

impl Order {
    /// Whether it is for a workload.
    pub(crate) fn is_for(&self, path: &str, policy: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Cgroup(ordered) => {
                let below = path.strip_prefix(ordered.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Self::Policy(ordered) => Some(ordered.as_str()) == policy,
        }
    }
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all workloads"),
            Self::Cgroup(path) => write!(f, "cgroup {path}"),
            Self::Policy(name) => write!(f, "policy {name}"),
        }
    }
}

// === impl Orders ===

impl Orders {
    /// Those that others keep in a state folder.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn of_others(state: &Path) -> anyhow::Result<Self> {
        let keeper = Keeper::Others;
        Ok(Self {
            keeper,
            ..Self::open(state)?
        })
    }

    /// Takes over what others have written since. Returns whether that is anything new.
    ///
    /// # Errors
    /// When the file cannot be read or understood; what was known holds on.
    pub(crate) fn read_again(&self) -> anyhow::Result<bool> {
        let read = read(&self.file)?;
        let mut orders = self.orders();
        let is_new = *orders != read;
        *orders = read;
        Ok(is_new)
    }

    /// Those kept in a state folder.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood: who is in quarantine is not known then, and an enforcer that
    /// does not know must not serve.
    pub(crate) fn open(state: &Path) -> anyhow::Result<Self> {
        let file = state.join(FILE);
        Ok(Self {
            orders: Mutex::new(read(&file)?),
            keeper: Keeper::Us,
            file,
        })
    }

    /// Whether any order is for a workload.
    pub(crate) fn hold(&self, path: &str, policy: Option<&str>) -> bool {
        let orders = self.orders();
        orders.iter().any(|order| order.is_for(path, policy))
    }

    /// Takes an order; false when it was in force already. It is in force even if it cannot be kept.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(crate) fn add(&self, order: &Order) -> (bool, anyhow::Result<()>) {
        let mut orders = self.orders();
        let added = orders.insert(order.clone());
        let kept = self.keep(&orders);
        (added, kept)
    }

    /// Strikes an order out; false when it was not in force. It stays in force if that cannot be written down.
    ///
    /// # Errors
    /// When it cannot.
    pub(crate) fn remove(&self, order: &Order) -> anyhow::Result<bool> {
        let mut orders = self.orders();
        let mut rest = orders.clone();
        if !rest.remove(order) {
            return Ok(false);
        }
        self.keep(&rest)?;
        *orders = rest;
        Ok(true)
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Order> {
        self.orders().iter().cloned().collect()
    }

    /// Writes them beside the file and puts them in its place, so that a crash leaves the old ones or the new ones.
    fn keep(&self, orders: &BTreeSet<Order>) -> anyhow::Result<()> {
        let Self { file, keeper, .. } = self;
        if *keeper == Keeper::Others {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let document = Document {
                version: VERSION,
                orders: orders.clone(),
            };
            let draft = file.with_extension("json.new");
            let mut out = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            out.write_all(&serde_json::to_vec(&document)?)?;
            out.sync_all()?;
            fs::rename(&draft, file)?;
            let folder = file.parent().unwrap_or(Path::new("/"));
            File::open(folder)?.sync_all()
        };
        write().with_context(|| format!("`{}` cannot be written", file.display()))
    }

    fn orders(&self) -> MutexGuard<'_, BTreeSet<Order>> {
        // Each change is made in one step.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// None, where there is no file.
fn read(file: &Path) -> anyhow::Result<BTreeSet<Order>> {
    match fs::read(file) {
        Ok(text) => parse(&text).with_context(|| {
            format!(
                "`{}` does not say who is in quarantine; mend it, or remove it to lift every quarantine",
                file.display()
            )
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", file.display())),
    }
}

fn parse(text: &[u8]) -> anyhow::Result<BTreeSet<Order>> {
    let Document { version, orders } = serde_json::from_slice(text)?;
    ensure!(
        version == VERSION,
        "its version is {version}, not {VERSION}"
    );
    Ok(orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_kept_until_they_are_lifted() {
        let folder = tempfile::tempdir().unwrap();
        let orders = Orders::open(folder.path()).unwrap();
        let (one, team) = (Order::Cgroup("/a".into()), Order::Policy("team".into()));
        assert!(orders.add(&one).0);
        assert!(orders.add(&team).0);
        assert!(!orders.add(&one).0, "in force already");
        let again = Orders::open(folder.path()).unwrap();
        assert_eq!(again.list(), [one.clone(), team]);
        assert!(again.hold("/a", None));
        assert!(again.hold("/b", Some("team")));
        assert!(again.hold("/a/b", None), "what is below is meant too");
        assert!(!again.hold("/b", Some("other")) && !again.hold("/ab", None));
        assert!(again.remove(&one).unwrap());
        assert!(!again.remove(&one).unwrap());
        let last = Orders::open(folder.path()).unwrap();
        assert!(!last.hold("/a", None));
        last.add(&Order::All).1.unwrap();
        assert!(Orders::open(folder.path()).unwrap().hold("/x", None));
    }

    #[test]
    fn who_only_reads_follows_what_is_ordered_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let reader = Orders::of_others(folder.path()).unwrap();
        assert!(!reader.read_again().unwrap());
        let keeper = Orders::open(folder.path()).unwrap();
        keeper.add(&Order::Cgroup("/runs".into())).1.unwrap();
        assert!(!reader.hold("/runs/one", None));
        assert!(reader.read_again().unwrap() && reader.hold("/runs/one", None));
        reader.add(&Order::All).1.unwrap();
        assert!(!Orders::open(folder.path()).unwrap().hold("/x", None));
        // What cannot be understood lifts nothing.
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(reader.read_again().is_err() && reader.hold("/runs/one", None));
    }

    #[test]
    fn orders_that_cannot_be_read_are_no_orders_to_go_on_with() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            "",
            "{}",
            r#"{"version":2,"orders":[]}"#,
            r#"{"version":1,"orders":["every"]}"#,
        ] {
            fs::write(folder.path().join(FILE), text).unwrap();
            assert!(Orders::open(folder.path()).is_err(), "`{text}`");
        }
    }

    #[test]
    fn an_order_that_cannot_be_kept_is_in_force_and_one_that_stays_written_is_not_lifted() {
        let folder = tempfile::tempdir().unwrap();
        let orders = Orders::open(folder.path()).unwrap();
        let order = Order::Cgroup("/a".into());
        fs::remove_dir_all(folder.path()).unwrap();
        let (added, kept) = orders.add(&order);
        assert!(added && kept.is_err() && orders.hold("/a", None));
        assert!(orders.remove(&order).is_err());
        assert!(orders.hold("/a", None));
    }
}
