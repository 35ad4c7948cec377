//! HTTP/1.1 and HTTP/2 to the agent, HTTP/1.1 (or HTTP/2 where needed) to the upstream.
//!
//! [`serve()`] runs one agent connection. Each request on it is one exchange: what it says becomes an ask, a grant is
//! forwarded over a pooled connection, a refusal is answered in words that an SDK understands. Bodies stream; nothing
//! here reads one whole unless a rule reads it. Policy, the ledger and dialling are the gate's.

#![forbid(unsafe_code)]

mod answer;
mod aside;
mod asked;
mod body;
mod coding;
mod credentials;
mod exchange;
mod forward;
mod gather;
mod headers;
mod judged;
mod judging;
mod kept;
mod masking;
mod obligation;
mod pool;
mod recording;
mod refuse;
mod request;
mod serve;
mod shape;
mod socket;
mod upgrade;

pub use aside::Aside;
pub use body::{BodyError, RequestBody, ResponseBody};
pub use judging::Judging;
pub use kept::Spilling;
pub use pool::{Pool, PoolConfig};
pub use serve::{Agent, Limits, Proven, ServeError, Version, serve};
