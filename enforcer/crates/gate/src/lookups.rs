//! Lookups asked of the host's own name servers, for workloads that are only observed. None is asked without the ledger's
//! receipt for it.

use enforcer_audit::Receipt;
use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, Record, RecordType};
use tokio::runtime::Handle;

/// The host's name servers. Its sockets live in the runtime it was made in.
#[derive(Debug)]
pub struct Lookups {
    resolver: Option<TokioResolver>,
    runtime: Handle,
}

/// What the name servers know.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// They did not say.
    Failed,
    /// There is no such name.
    NoName,
    /// These, or none of this type.
    Records(Vec<Record>),
}

// === impl Lookups ===

impl Lookups {
    /// Those of the system's configuration. Must be called within a runtime.
    #[must_use]
    pub fn from_system() -> Self {
        let built = TokioResolver::builder_tokio().and_then(|builder| builder.build());
        Self::new(built.ok())
    }

    /// These ones.
    #[must_use]
    pub fn new(resolver: Option<TokioResolver>) -> Self {
        Self {
            resolver,
            runtime: Handle::current(),
        }
    }

    /// Asks for a name as it is, without search domains. The receipt is that of the line which says so.
    pub async fn ask(&self, _receipt: &Receipt, name: Name, kind: RecordType) -> Known {
        let Some(resolver) = self.resolver.clone() else {
            return Known::Failed;
        };
        let asked = self
            .runtime
            .spawn(async move { resolver.lookup(name, kind).await });
        match asked.await {
            Ok(Ok(found)) => Known::Records(found.answers().to_vec()),
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(none)))) => match none.response_code {
                ResponseCode::NXDomain => Known::NoName,
                ResponseCode::NoError => Known::Records(Vec::new()),
                _ => Known::Failed,
            },
            Ok(Err(_)) | Err(_) => Known::Failed,
        }
    }
}
