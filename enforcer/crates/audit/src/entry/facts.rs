//! What several entries say alike; whoever knows it fills it once.

use std::time::Duration;

use enforcer_flow::{
    ClientAddr, ExchangeId, FlowId, Host, OriginalDst, Process, Protocol, Workload,
};

use crate::Fingerprint;

/// What kind of enforcer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It serves labelled cgroups until told to stop.
    Daemon,
    /// It serves one command.
    Run,
}

/// What is known of a connection. Before it is attributed some of it is not.
#[derive(Clone, Copy, Debug)]
pub struct FlowFacts<'a> {
    /// Its name.
    pub flow: FlowId,
    /// The labelled cgroup it came from.
    pub workload: Option<&'a Workload>,
    /// The process that opened it.
    pub process: Option<&'a Process>,
    /// The agent's end.
    pub client: ClientAddr,
    /// Where the agent wanted to go.
    pub original_dst: Option<OriginalDst>,
}

/// What is known of an exchange when it is judged; filled once, used for the grant or the denial.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeFacts<'a> {
    /// Its name.
    pub exchange: ExchangeId,
    /// The connection it belongs to.
    pub flow: FlowId,
    /// The labelled cgroup it came from.
    pub workload: &'a Workload,
    /// The process that opened the connection.
    pub process: &'a Process,
    /// What is spoken.
    pub protocol: Protocol,
    /// The verified name or the address literal.
    pub host: &'a Host,
    /// The destination port.
    pub port: u16,
    /// The HTTP method.
    pub method: Option<&'a str>,
    /// The HTTP path without its query.
    pub path: Option<&'a str>,
    /// How long the query is; its text may hold secrets and is not written.
    pub query_bytes: Option<u64>,
    /// What stood in the places where credentials stand. The first 16 are written.
    pub credentials: &'a [Fingerprint],
    /// What was judged of the body, where a rule reads it.
    pub content: Option<ContentFacts<'a>>,
}

/// What a body that was judged is about: names and numbers, never what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentFacts<'a> {
    /// How long it was, as sent.
    pub bytes: u64,
    /// Whose interface it is for.
    pub provider: Option<&'a str>,
    /// What is asked of a model.
    pub operation: Option<&'a str>,
    /// The model.
    pub model: Option<&'a str>,
    /// How many messages it holds.
    pub messages: Option<u64>,
    /// How many tools it offers.
    pub tools: Option<u64>,
    /// The method, of a message to an MCP server.
    pub mcp: Option<&'a str>,
    /// The tool that is called, or the resource that is read.
    pub tool: Option<&'a str>,
}

/// A name lookup.
#[derive(Clone, Copy, Debug)]
pub struct NameFacts<'a> {
    /// The labelled cgroup that asked.
    pub workload: Option<&'a Workload>,
    /// The process that asked.
    pub process: Option<&'a Process>,
    /// The name asked for, as it came.
    pub name: &'a str,
    /// The record type: `A`, `AAAA`, …
    pub record: &'a str,
}

/// How much went through, and how long it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the agent to the upstream.
    pub bytes_up: u64,
    /// From the upstream to the agent.
    pub bytes_down: u64,
    /// From open to end.
    pub duration: Duration,
}
