//! From a question on the wire to what policy can be asked about. Pure.

use std::net::IpAddr;

use enforcer_flow::Host;
use hickory_proto::op::{Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RecordType};

use crate::Cause;

/// What a question is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// This machine, whoever asks. <https://www.rfc-editor.org/rfc/rfc6761#section-6.3>
    Localhost,
    /// A name, to be judged by policy.
    Name(Host),
    /// The name behind an address.
    Reverse(IpAddr),
}

/// Why a question is refused before any policy is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// What the asker is told.
    pub(crate) code: ResponseCode,
    /// What the ledger is told.
    pub(crate) cause: Cause,
}

impl Subject {
    /// Reads what a question is about.
    pub(crate) fn read(query: &Query) -> Result<Self, Unfit> {
        if query.query_class() != DNSClass::IN {
            return Err(Unfit::refused(Cause::Class));
        }
        check_kind(query.query_type())?;
        if query.name().is_root() {
            // "No such name" about the root would deny every name below it.
            // <https://www.rfc-editor.org/rfc/rfc8020#section-2>
            return Err(Unfit::refused(Cause::Root));
        }
        let host = host(query.name()).map_err(|cause| Unfit {
            code: ResponseCode::NXDomain,
            cause,
        })?;
        if query.name().is_localhost() {
            return Ok(Self::Localhost);
        }
        match (query.query_type(), reversed(query.name())) {
            (RecordType::PTR, Some(addr)) => Ok(Self::Reverse(addr)),
            _ => Ok(Self::Name(host)),
        }
    }
}

impl Unfit {
    fn refused(cause: Cause) -> Self {
        Self {
            code: ResponseCode::Refused,
            cause,
        }
    }
}

/// The type as the ledger names it: the registry's word, or that of RFC 3597 for what has none here.
pub(crate) fn kind_text(kind: RecordType) -> String {
    match kind {
        RecordType::Unknown(_) | RecordType::ZERO => format!("TYPE{}", u16::from(kind)),
        known => known.to_string(),
    }
}

/// A name as it may be written down whatever bytes it holds: in lower case, since a client that varies the case at random
/// asks one thing all the same, and with unusual bytes escaped.
pub(crate) fn name_text(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    match text.strip_suffix('.') {
        Some(short) if !short.is_empty() => short.to_owned(),
        Some(_) | None => text,
    }
}

/// Types that are no data: 0 and 41 never stand in a question, zone transfers are not for agents, and the others from
/// 128 to 254 are meta types that this server has no meaning for. `ANY` is answered.
/// <https://www.rfc-editor.org/rfc/rfc6895#section-3.1>
fn check_kind(kind: RecordType) -> Result<(), Unfit> {
    match u16::from(kind) {
        0 | 41 => Err(Unfit {
            code: ResponseCode::FormErr,
            cause: Cause::Type,
        }),
        128..=254 => Err(Unfit::refused(Cause::Type)),
        _ => Ok(()),
    }
}

/// The name in its normal form. Read label by label, since a label may hold a dot of its own that text would hide.
fn host(name: &Name) -> Result<Host, Cause> {
    let mut text = String::with_capacity(name.len());
    for label in name.iter() {
        let label = std::str::from_utf8(label)
            .ok()
            .filter(|label| !label.contains(['.', ':', '[', ']']))
            .ok_or(Cause::Host(enforcer_flow::HostError::Character))?;
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(label);
    }
    match Host::parse(&text).map_err(Cause::Host)? {
        Host::Ip(_) => Err(Cause::Literal),
        named @ Host::Name(_) => Ok(named),
    }
}

/// The one address that a name below `in-addr.arpa` or `ip6.arpa` stands for.
fn reversed(name: &Name) -> Option<IpAddr> {
    let net = name.parse_arpa_name().ok()?;
    (net.prefix_len() == net.max_prefix_len()).then(|| net.addr())
}
