//! Why a lookup was refused, in one stable word each. The ledger and dashboards count by them.

use std::fmt;

use enforcer_flow::HostError;

/// Why a lookup was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A class other than IN.
    Class,
    /// An EDNS version that does not exist yet.
    EdnsVersion,
    /// Every address of the workload is in use or was until a moment ago.
    Exhausted,
    /// Text that is no host name.
    Host(HostError),
    /// An address where a name belongs.
    Literal,
    /// Not one well-formed question.
    Malformed,
    /// Something other than a query: an update, a notification.
    Opcode,
    /// Policy says no.
    Policy(enforcer_policy::Cause),
    /// The name behind an address that is not one of ours, or that stands for no name of this workload.
    Reverse,
    /// The root itself.
    Root,
    /// A type that is no data: a zone transfer, a meta type.
    Type,
    /// Nobody knows whose query this is.
    UnknownClient,
}

impl Cause {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Class => "dns_class",
            Self::EdnsVersion => "dns_edns_version",
            Self::Exhausted => "addresses_exhausted",
            Self::Host(HostError::Character) => "name_character",
            Self::Host(HostError::EmptyLabel) => "name_empty_label",
            Self::Host(HostError::Length) => "name_length",
            Self::Host(HostError::Numeric) => "name_numeric",
            Self::Literal => "name_literal",
            Self::Malformed => "dns_malformed",
            Self::Opcode => "dns_opcode",
            Self::Policy(cause) => cause.code(),
            Self::Reverse => "reverse_unknown",
            Self::Root => "dns_root",
            Self::Type => "dns_type",
            Self::UnknownClient => "unknown_client",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
