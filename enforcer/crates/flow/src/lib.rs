//! The vocabulary every room shares: who speaks, where it meant to go, and how we name one passage.
//!
//! Constructors normalise; nothing here has behaviour beyond that. No I/O, no policy, no protocol.

#![forbid(unsafe_code)]

mod address;
mod attributes;
mod host;
mod id;
mod principal;
mod protocol;
mod secret;
mod workload;

pub use address::{ClientAddr, Destination, OriginalDst};
pub use attributes::{Attributes, Container, Pod};
pub use host::{CHECK_NAME, CHECK_ZONE, Host, HostError};
pub use id::{CgroupId, ExchangeId, FlowId, NetnsCookie};
pub use principal::{Principal, PrincipalError};
pub use protocol::{Protocol, Side};
pub use secret::Secret;
pub use workload::{Process, Stance, Workload};
