//! How one attempt went, and what it would be known by.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use enforcer_tests::world::Packet;
use serde_json::Value;

use crate::escape::crew::Account;
use crate::escape::rows::{Cover, Row};

/// What stands when an attempt is made; each has addresses of its own, so that nothing late is taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The daemon serves and enforces.
    Enforced,
    /// The same technique by somebody whom nobody labelled.
    Free,
    /// The daemon was killed.
    Orphaned,
}

/// One attempt.
#[derive(Debug)]
pub(crate) struct Trial {
    pub(crate) row: Row,
    pub(crate) account: Account,
    /// Something of it was seen in the world, or it got to something else outside.
    pub(crate) arrived: bool,
    index: u8,
    phase: Phase,
}

// === impl Phase ===

impl Phase {
    pub(crate) fn four(self, index: u8) -> Ipv4Addr {
        match self {
            Self::Enforced => Ipv4Addr::new(203, 0, 113, index),
            Self::Free => Ipv4Addr::new(192, 0, 2, index),
            Self::Orphaned => Ipv4Addr::new(203, 0, 113, index + 128),
        }
    }

    pub(crate) fn six(self, index: u8) -> Ipv6Addr {
        let net = match self {
            Self::Enforced => 0xe,
            Self::Free => 0xf,
            Self::Orphaned => 0x0,
        };
        Ipv6Addr::new(0x2001, 0xdb8, 0x113, net, 0, 0, 0, index.into())
    }

    pub(crate) fn tag(self, technique: &str) -> String {
        match self {
            Self::Enforced => format!("{technique} enforced"),
            Self::Free => format!("{technique} free"),
            Self::Orphaned => format!("{technique} orphaned"),
        }
    }

    pub(crate) fn name(self, technique: &str) -> String {
        let label = self.tag(technique).replace(['_', ' '], "-");
        format!("{label}.exfil.example")
    }

    pub(crate) fn inbound(self, index: u8) -> u16 {
        let base = match self {
            Self::Enforced => 20_000,
            Self::Free => 20_100,
            Self::Orphaned => 20_200,
        };
        base + u16::from(index)
    }
}

// === impl Trial ===

impl Trial {
    pub(crate) fn new(
        row: &Row,
        index: u8,
        phase: Phase,
        account: Account,
        packets: &[Packet],
    ) -> Self {
        let mut trial = Self {
            row: row.clone(),
            account,
            arrived: false,
            index,
            phase,
        };
        trial.arrived = trial.has_escaped() || packets.iter().any(|packet| trial.is_of(packet));
        trial
    }

    /// The same with what is known of the kernel.
    pub(crate) fn or_lacking(mut self) -> Self {
        self.row.is_lacking |= self.is_unknown_here();
        self
    }

    /// This kernel does not have what the technique uses.
    pub(crate) fn is_unknown_here(&self) -> bool {
        let lacking = ["EPROTONOSUPPORT", "EAFNOSUPPORT", "ESOCKTNOSUPPORT"];
        lacking.contains(&self.account.outcome())
    }

    /// Whether a packet is of this attempt: by where it went, or by what it carries.
    pub(crate) fn is_of(&self, packet: &Packet) -> bool {
        let (four, six) = (self.phase.four(self.index), self.phase.six(self.index));
        let [_, _, net, host] = four.octets();
        let name = self.phase.name(self.row.technique);
        let label = name.split('.').next().unwrap_or_default();
        packet.destination == IpAddr::V4(four)
            || packet.destination == IpAddr::V6(six)
            || packet.mentions(&four.octets())
            || packet.mentions(&[239, 255, net, host])
            || packet.mentions(label.as_bytes())
    }

    /// Whether the ledger is to name it, if `cover` stops it.
    pub(crate) fn is_to_be_named(&self, cover: Cover) -> bool {
        let has_line = !matches!(
            cover,
            Cover::Denied(_) | Cover::Leaves(_) | Cover::Nowhere(_)
        );
        has_line && !self.row.is_lacking
    }

    /// Whether a line of the ledger names this attempt as stopped by `cover`.
    pub(crate) fn is_named_by(&self, entry: &Value, cover: Cover) -> bool {
        let event = entry["event"].as_str().unwrap_or_default();
        match cover {
            Cover::Answered => event == "name_refused" && self.is_name(&entry["name"]),
            Cover::Ended => self.is_destination(&entry.to_string()) || self.is_process(entry),
            Cover::Redirected => {
                // One that is over before it is accepted is told by the kernel.
                let is_flow = matches!(event, "flow_opened" | "flow_refused");
                let is_it = is_flow || entry["cause"] == "not_accepted";
                is_it && (self.is_destination(&entry.to_string()) || self.is_process(entry))
            }
            Cover::Refused(hook, protocol) => {
                let is_it = entry["hook"] == hook && entry["protocol"] == protocol;
                let dst = entry["dst"].to_string();
                is_it && (self.is_process(entry) || self.is_destination(&dst))
            }
            Cover::Wire => {
                entry["hook"] == "seal" && self.is_destination(&entry["dst"].to_string())
            }
            Cover::Denied(_) | Cover::Leaves(_) | Cover::Nowhere(_) => false,
        }
    }

    fn has_escaped(&self) -> bool {
        let outcome = self.account.outcome();
        outcome.starts_with("escaped") || outcome == "relayed"
    }

    fn is_name(&self, name: &Value) -> bool {
        *name == self.phase.name(self.row.technique)
    }

    fn is_process(&self, entry: &Value) -> bool {
        let pid = &entry["process"]["pid"];
        self.account.pid.is_some() && pid.as_u64() == self.account.pid
    }

    fn is_destination(&self, text: &str) -> bool {
        let (four, six) = (self.phase.four(self.index), self.phase.six(self.index));
        text.contains(&format!("{four}:")) || text.contains(&format!("[{six}]:"))
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, account, .. } = self;
        write!(f, "{}: {:?}", row.technique, account.outcomes)?;
        match account.complaint.as_deref() {
            None | Some("") => Ok(()),
            Some(complaint) => write!(f, " ({complaint})"),
        }
    }
}
