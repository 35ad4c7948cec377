//! The only way out: ask, permit, dial, record.
//!
//! A protocol brings what it read as an [`Ask`]; the gate asks policy, writes the answer into the ledger, and hands back
//! an [`Exchange`] (which writes its own ending, even when dropped) with a [`Permit`], or a [`Refusal`]. [`Upstream`]
//! dials nothing without a `Permit`, and a `Permit` cannot exist without the ledger's receipt.
//!
//! The gate never reads a protocol's bytes and never decides by itself: `policy` decides, `audit` witnesses.

#![forbid(unsafe_code)]

mod costs;
mod endings;
mod exchange;
mod far;
mod flow;
mod gate;
mod judge;
mod lookups;
mod masking;
mod meter;
mod permit;
mod quota;
mod reading;
mod refusal;
mod relay;
mod resolve;
mod spared;
mod tab;
mod upstream;

pub use costs::Costs;
pub use exchange::Exchange;
pub use far::Far;
pub use flow::Flow;
pub use gate::{Ask, Gate, Granted, Head, Terms};
pub use judge::Judge;
pub use lookups::{Known, Lookups};
pub use masking::{MaskedHead, Masking, Sessions};
pub use meter::Meter;
pub use permit::Permit;
pub use quota::{Count, Held, Quota};
pub use reading::Reading;
pub use refusal::{Fault, Refusal};
pub use relay::{Broken, relay, stalled};
pub use upstream::{DialError, Upstream, UpstreamConfig};
