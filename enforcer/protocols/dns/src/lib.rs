//! The resolver that agents see.
//!
//! Every query an agent sends to port 53 of whatever server arrives here. Names that some rule could allow are answered
//! with synthetic addresses, all others do not exist; [`Names`] remembers which address stands for which name, so that
//! the proxy can judge a flow by the name that was asked for. Nothing is asked upstream: real resolution happens at the
//! gate, when a granted exchange is dialled, so a lookup is no way to carry data out. The one exception are workloads that
//! an operator has only observed: what would not exist for them is asked for real, after its line is in the ledger.

#![forbid(unsafe_code)]

mod answer;
mod cause;
mod evidence;
mod names;
mod observe;
mod question;
mod resolver;
mod serve;
mod wire;

pub use answer::{Finding, Ground, Outcome, Reply, answer};
pub use cause::Cause;
pub use names::{Exhausted, Family, Names, TTL};
pub use resolver::{Asker, Attribution, Resolver};
pub use serve::{Ending, serve_tcp, serve_udp};
pub use wire::{MAX_QUERY, Transport};
