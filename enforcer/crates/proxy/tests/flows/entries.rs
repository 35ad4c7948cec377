//! The ledger, as its reader sees it.

use std::path::Path;

use serde_json::Value;

/// The lines of a ledger.
pub(crate) struct Entries(Vec<Value>);

impl Entries {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        Self(lines.collect())
    }

    pub(crate) fn all(&self, event: &str) -> Vec<&Value> {
        let lines = self.0.iter();
        lines.filter(|line| line["event"] == event).collect()
    }

    /// The only line of this kind.
    #[track_caller]
    pub(crate) fn one(&self, event: &str) -> &Value {
        match self.all(event)[..] {
            [one] => one,
            _ => panic!("not one {event}: {self}"),
        }
    }

    #[track_caller]
    pub(crate) fn none(&self, event: &str) {
        assert!(self.all(event).is_empty(), "{event}: {self}");
    }

    /// Connections that have come to their end, or had no beginning.
    pub(crate) fn endings(&self) -> usize {
        let ends = ["flow_aborted", "flow_closed", "flow_refused"];
        ends.iter().map(|event| self.all(event).len()).sum()
    }

    /// The only flow broke, at this side and for this cause.
    #[track_caller]
    pub(crate) fn aborted(&self, side: &str, cause: &str) {
        let ending = self.one("flow_aborted");
        assert_eq!(ending["side"], side, "{self}");
        assert_eq!(ending["cause"], cause, "{self}");
        self.none("flow_closed");
    }
}

impl std::fmt::Display for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
