//! Names to addresses, asked only on behalf of a permit.
//!
//! The agent's own idea of an address is never used: it asked for a name, policy judged the name, and the enforcer
//! resolves it here.

use std::net::IpAddr;

use enforcer_flow::Host;
use hickory_resolver::TokioResolver;

use crate::upstream::DialError;

/// At most this many addresses of one name are tried.
const MAX_ADDRESSES: usize = 8;

/// The host's resolver. It lives in one runtime, as its sockets do.
pub(crate) struct Resolve {
    /// None when the host has no resolver configuration: then only `connect_to` and address literals can be dialled.
    resolver: Option<TokioResolver>,
}

impl Resolve {
    /// Reads the system's configuration (`/etc/resolv.conf`, `/etc/hosts`).
    pub(crate) fn from_system() -> Self {
        let resolver = TokioResolver::builder_tokio()
            .and_then(|builder| builder.build())
            .inspect_err(|error| {
                tracing::warn!(%error, "the host has no usable resolver configuration; names must be mapped by `upstream.connect_to`");
            })
            .ok();
        Self { resolver }
    }

    /// The addresses of a host, families interleaved so that one broken family delays by one attempt only.
    pub(crate) async fn addresses(&self, host: &Host) -> Result<Vec<IpAddr>, DialError> {
        let name = match host {
            Host::Ip(addr) => return Ok(vec![*addr]),
            Host::Name(name) => name,
        };
        let resolver = self.resolver.as_ref().ok_or(DialError::Unresolved)?;
        // The trailing dot keeps search domains out: the name was judged in full.
        let answer = resolver
            .lookup_ip(format!("{name}."))
            .await
            .map_err(|_| DialError::Unresolved)?;
        let (mut first, mut second): (Vec<_>, Vec<_>) = answer.iter().partition(IpAddr::is_ipv6);
        first.reverse();
        second.reverse();
        let mut addresses = Vec::new();
        while addresses.len() < MAX_ADDRESSES && !(first.is_empty() && second.is_empty()) {
            addresses.extend(first.pop());
            addresses.extend(second.pop());
        }
        if addresses.is_empty() {
            return Err(DialError::Unresolved);
        }
        Ok(addresses)
    }
}
