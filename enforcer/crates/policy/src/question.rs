//! What is asked: typed facts about one exchange, and nothing else.

use enforcer_flow::{Host, Protocol, Workload};

/// May this workload do this?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub workload: &'a Workload,
    /// What it speaks, as far as it was opened.
    pub protocol: Protocol,
    /// Where to.
    pub host: &'a Host,
    /// At which port.
    pub port: u16,
    /// The request, where the protocol has one and it was read. What is not known never helps to allow.
    pub request: Option<Request<'a>>,
}

/// The head of an HTTP request, as far as rules speak of it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as sent.
    pub method: &'a str,
    /// The path as sent: not decoded, without the query.
    pub path: &'a str,
}
