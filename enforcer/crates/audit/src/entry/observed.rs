//! Facts about what went on beside the rules: what observing let through, and programs that were not where they belong.

use std::fmt::Display;
use std::net::IpAddr;

use enforcer_flow::{FlowId, Host, Workload};

use super::object::{CODE, Object};
use super::{KernelRefused, line};

/// An address that would have been refused.
#[derive(Clone, Copy, Debug)]
pub struct AddressObserved<'a> {
    /// Which connection.
    pub flow: FlowId,
    /// Whose.
    pub workload: &'a Workload,
    /// The name that led to it.
    pub host: &'a Host,
    /// The port.
    pub port: u16,
    /// The address.
    pub address: IpAddr,
    /// The code of the refusal.
    pub cause: &'a str,
}

/// A program that was not where it must be.
#[derive(Clone, Copy)]
pub struct HookFault<'a> {
    /// The workload it was to hold, if it is known still.
    pub workload: Option<&'a Workload>,
    /// Its cgroup.
    pub cgroup: enforcer_flow::CgroupId,
    /// The program.
    pub hook: &'a str,
    /// What was wrong: `missing`, `detached`, `elsewhere`, …
    pub cause: &'a str,
    /// What came of mending it: none when it holds again.
    pub problem: Option<&'a dyn Display>,
}

pub(super) fn address_observed(line: &mut Object<'_>, observed: &AddressObserved<'_>) {
    let AddressObserved {
        flow,
        workload,
        host,
        port,
        address,
        cause,
    } = observed;
    line.shown("flow", flow, CODE);
    line::workload(line, workload);
    line.shown("host", host, CODE);
    line.number("port", *port);
    line.shown("address", address, CODE);
    line.code("would", "deny");
    line.code("cause", cause);
}

pub(super) fn hook_fault(line: &mut Object<'_>, fault: &HookFault<'_>) {
    let HookFault {
        workload,
        cgroup,
        hook,
        cause,
        problem,
    } = fault;
    if let Some(workload) = workload {
        line::workload(line, workload);
    }
    line.number("cgroup", cgroup.0);
    line.code("hook", hook);
    line.code("cause", cause);
    line.code(
        "outcome",
        if problem.is_none() {
            "mended"
        } else {
            "broken"
        },
    );
    if let Some(problem) = problem {
        line.shown("problem", problem, line::DETAIL);
    }
}

pub(super) fn kernel_refused(
    line: &mut Object<'_>,
    refused: &KernelRefused<'_>,
    instead: Option<&'static str>,
) {
    let KernelRefused {
        workload,
        cgroup,
        process,
        hook,
        cause,
        protocol,
        dst,
    } = refused;
    line::known_workload(line, *workload);
    line.number("cgroup", cgroup.0);
    line::process(line, process);
    line.code("hook", hook);
    would(line, instead);
    line.code("cause", cause);
    line.code("protocol", protocol);
    if let Some(dst) = dst {
        line.shown("dst", dst, CODE);
    }
}

/// What would have been decided, where something else was done.
pub(super) fn would(line: &mut Object<'_>, instead: Option<&'static str>) {
    if let Some(instead) = instead {
        line.code("would", instead);
    }
}
