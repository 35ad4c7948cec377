//! The names that a CA may sign for (RFC 5280 section 4.2.1.10): written into its certificate, read back from it, and obeyed.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use enforcer_flow::{CHECK_ZONE, Host};
use rcgen::{CidrSubnet, GeneralSubtree, NameConstraints};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

/// What a CA may sign for. Without any, everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

/// Names or addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subtree {
    /// All addresses that begin with the same bits.
    Addresses(IpAddr, u8),
    /// A name and all names below it; in lower case.
    Names(String),
}

// === impl Constraints ===

impl Constraints {
    /// Nothing but these, and the names by which the enforcer checks its own trust.
    #[must_use]
    pub fn only(subtrees: &[Subtree]) -> Self {
        if subtrees.is_empty() {
            return Self::default();
        }
        let mut permitted = subtrees.to_vec();
        permitted.push(Subtree::Names(CHECK_ZONE.to_owned()));
        // To permit names says nothing of addresses: those need a word of their own.
        let any = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        let excluded = any
            .into_iter()
            .filter(|any| !permitted.iter().any(|one| one.is_of_family(any)))
            .map(|any| Subtree::Addresses(any, 0))
            .collect();
        Self {
            permitted,
            excluded,
        }
    }

    /// Whether anything is ruled out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            permitted,
            excluded,
        } = self;
        permitted.is_empty() && excluded.is_empty()
    }

    /// What may be signed for, in words; empty when all may be.
    pub fn permitted(&self) -> impl Iterator<Item = &Subtree> {
        self.permitted.iter()
    }

    /// Whether a certificate for `host` would be believed.
    #[must_use]
    pub fn permit(&self, host: &Host) -> bool {
        let Self {
            permitted,
            excluded,
        } = self;
        let mut same_kind = permitted.iter().filter(|one| one.is_about(host)).peekable();
        let unlimited = same_kind.peek().is_none();
        let permitted = unlimited || same_kind.any(|one| one.contains(host));
        permitted && !excluded.iter().any(|one| one.contains(host))
    }

    /// As a certificate says it.
    pub(crate) fn of(certificate: &X509Certificate<'_>) -> Result<Self, &'static str> {
        const BROKEN: &str = "a CA certificate whose name constraints can be read";
        let Some(found) = certificate.name_constraints().map_err(|_| BROKEN)? else {
            return Ok(Self::default());
        };
        let read = |subtrees: &Option<Vec<x509_parser::extensions::GeneralSubtree<'_>>>| {
            let subtrees = subtrees.iter().flatten();
            let all: Option<Vec<_>> = subtrees.map(|one| Subtree::of(&one.base)).collect();
            all.map(|all| all.into_iter().flatten().collect())
        };
        match (
            read(&found.value.permitted_subtrees),
            read(&found.value.excluded_subtrees),
        ) {
            (Some(permitted), Some(excluded)) => Ok(Self {
                permitted,
                excluded,
            }),
            _ => Err(BROKEN),
        }
    }

    /// To be written into a certificate.
    pub(crate) fn params(&self) -> Option<NameConstraints> {
        let write = |subtrees: &[Subtree]| subtrees.iter().map(Subtree::params).collect();
        (!self.is_empty()).then(|| NameConstraints {
            permitted_subtrees: write(&self.permitted),
            excluded_subtrees: write(&self.excluded),
        })
    }
}

// === impl Subtree ===

impl Subtree {
    /// A name of a certificate's constraints. None within: it speaks of nothing that we sign for. None at all: it cannot be read.
    fn of(name: &GeneralName<'_>) -> Option<Option<Self>> {
        match name {
            GeneralName::DNSName(name) => {
                let name = name.trim_start_matches('.').to_ascii_lowercase();
                Some(Some(Self::Names(name)))
            }
            GeneralName::IPAddress(bytes) => Some(Some(network(bytes)?)),
            _ => Some(None),
        }
    }

    fn params(&self) -> GeneralSubtree {
        match self {
            Self::Addresses(addr, bits) => {
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*addr, *bits))
            }
            Self::Names(name) => GeneralSubtree::DnsName(name.clone()),
        }
    }

    fn is_of_family(&self, addr: &IpAddr) -> bool {
        matches!(self, Self::Addresses(own, _) if own.is_ipv4() == addr.is_ipv4())
    }

    /// Whether it says anything of hosts of this kind.
    fn is_about(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Addresses(..), Host::Ip(_)) | (Self::Names(_), Host::Name(_)) => true,
            (Self::Addresses(..), Host::Name(_)) | (Self::Names(_), Host::Ip(_)) => false,
        }
    }

    fn contains(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Addresses(network, bits), Host::Ip(addr)) => shares(*network, *addr, *bits),
            (Self::Names(zone), Host::Name(name)) => {
                let below = name.strip_suffix(zone.as_str());
                below.is_some_and(|below| {
                    zone.is_empty() || below.is_empty() || below.ends_with('.')
                })
            }
            (Self::Addresses(..), Host::Name(_)) | (Self::Names(_), Host::Ip(_)) => false,
        }
    }
}

impl FromStr for Subtree {
    type Err = String;

    /// `example.com`, `192.0.2.1` or `192.0.2.0/24`.
    fn from_str(text: &str) -> Result<Self, String> {
        let shape = "a name such as `example.com`, which covers all names below it, or addresses such as `10.0.0.0/8`";
        if let Some((addr, bits)) = text.split_once('/') {
            let addr: IpAddr = addr.parse().map_err(|_| shape)?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(addr));
            return Ok(Self::Addresses(addr, bits.ok_or(shape)?));
        }
        match Host::parse(text).map_err(|_| shape)? {
            Host::Ip(addr) => Ok(Self::Addresses(addr, width(addr))),
            Host::Name(name) => Ok(Self::Names(name.to_string())),
        }
    }
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses(addr, bits) => write!(f, "{addr}/{bits}"),
            Self::Names(name) => f.write_str(name),
        }
    }
}

/// An address and a mask of the same length, one after the other.
fn network(bytes: &[u8]) -> Option<Subtree> {
    let (addr, mask) = bytes.split_at_checked(bytes.len() / 2)?;
    let addr: IpAddr = match addr.len() {
        4 => <[u8; 4]>::try_from(addr).ok()?.into(),
        16 => <[u8; 16]>::try_from(addr).ok()?.into(),
        _ => return None,
    };
    let ones: u32 = mask.iter().map(|byte| byte.leading_ones()).sum();
    let all: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    // A mask with holes is nothing that anybody means.
    (ones == all).then_some(Subtree::Addresses(addr, u8::try_from(ones).ok()?))
}

fn width(addr: IpAddr) -> u8 {
    if addr.is_ipv4() { 32 } else { 128 }
}

fn shares(network: IpAddr, addr: IpAddr, bits: u8) -> bool {
    let apart = match (network, addr) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    apart >= u32::from(bits)
}
