//! Accept, attribute, classify, hand on. Nothing protocol-specific.
//!
//! A [`Site`] is one network namespace in which agents are served: its listeners run on the front runtime. Every accepted
//! connection goes to one [`Workers`] thread and stays there, with both legs of its exchanges. Each step of a connection
//! is a type that the next one consumes: accepted, attributed (the kernel's record gives destination and workload; without
//! one it is refused), classified (its first bytes give the protocol), served.

#![forbid(unsafe_code)]

mod attribute;
mod classify;
mod connection;
mod dispatch;
mod distrust;
mod opaque;
mod proxy;
mod site;
mod socket;
mod trust_check;
mod worker;

pub use attribute::Attribution;
pub use distrust::{Distrust, Distrusted};
pub use proxy::{Limits, Proxy, ProxyParts};
pub use site::Site;
pub use worker::{WorkerError, Workers, WorkersConfig};
