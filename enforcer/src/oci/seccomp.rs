//! The rules on system calls of a container: sockets of four families, no io_uring. Whatever else the engine's own rules say
//! stays as it is.
//!
//! A rule cannot say "none of these" of one argument, so families are listed: those that stay, or those that go. On x86 the
//! 32-bit entry is closed: its programs make sockets by a call that has the family where no rule can see it, and the library
//! behind runtimes would let that call past with every family that is allowed.

use enforcer_kernel::confine::{FAMILIES, IO_URING};
use oci_spec::runtime::{
    Arch, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompBuilder,
    LinuxSeccompOperator, LinuxSyscallBuilder,
};
use serde_json::Value;

use super::{SpecError, list};

/// The calls whose first argument is a family.
const SOCKETS: [&str; 2] = ["socket", "socketpair"];
/// How 32-bit programs may make sockets, with the family where no rule can see it.
const MULTIPLEXED: &str = "socketcall";
/// What whoever asks for another family is told.
const EAFNOSUPPORT: u32 = 97;
const EPERM: u32 = 1;

/// Changes the rules of a container, or gives it some.
pub(super) fn confine(linux: &mut Value) -> Result<(), SpecError> {
    if linux.get("seccomp").is_none_or(Value::is_null) {
        linux["seccomp"] = unconfined()?;
    }
    let seccomp = &mut linux["seccomp"];
    if let Some(entries) = seccomp
        .get_mut("architectures")
        .and_then(Value::as_array_mut)
    {
        entries.retain(|entry| entry != "SCMP_ARCH_X86");
    }
    let allows_by_default = seccomp["defaultAction"] == "SCMP_ACT_ALLOW";
    let syscalls = list(seccomp, "syscalls")?;
    let allowed = take_from_allowed(syscalls);
    for name in SOCKETS {
        if allows_by_default || allowed.contains(&name) {
            syscalls.extend(families(name, allows_by_default)?);
        }
    }
    if allows_by_default {
        let calls = IO_URING.iter().map(|(name, _)| *name).chain([MULTIPLEXED]);
        for name in calls {
            syscalls.push(refused(name, None, EPERM)?);
        }
    }
    Ok(())
}

/// Takes the calls at hand out of all rules that allow them. Returns which of [`SOCKETS`] were allowed.
///
/// Rules that refuse some sockets by further arguments go too, because the library takes no rule beside one that goes
/// further. Those of engines are about audit's netlink, for which the kernel itself asks a capability that is gone.
fn take_from_allowed(syscalls: &mut Vec<Value>) -> Vec<&'static str> {
    let mut allowed = Vec::new();
    for rule in syscalls.iter_mut() {
        let lets_past = ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY"]
            .iter()
            .any(|action| rule["action"] == **action);
        let goes_further = rule["args"].as_array().is_some_and(|args| !args.is_empty());
        let Some(names) = rule.get_mut("names").and_then(Value::as_array_mut) else {
            continue;
        };
        if !lets_past {
            names.retain(|name| !goes_further || !SOCKETS.iter().any(|socket| name == socket));
            continue;
        }
        names.retain(|name| {
            let name = name.as_str().unwrap_or_default();
            allowed.extend(SOCKETS.iter().filter(|socket| **socket == name));
            let is_ring = IO_URING.iter().any(|(ring, _)| *ring == name);
            !SOCKETS.contains(&name) && !is_ring && name != MULTIPLEXED
        });
    }
    syscalls.retain(|rule| {
        rule["names"]
            .as_array()
            .is_some_and(|names| !names.is_empty())
    });
    allowed
}

/// The families that may be asked for, where nothing is allowed unsaid, and those that may not.
fn families(name: &str, allows_by_default: bool) -> Result<Vec<Value>, SpecError> {
    let kept: Vec<u64> = FAMILIES
        .iter()
        .filter_map(|one| u64::try_from(*one).ok())
        .collect();
    let last = kept.iter().copied().max().unwrap_or_default();
    let mut rules = Vec::new();
    for family in 0..=last {
        let is = argument(family, LinuxSeccompOperator::ScmpCmpEq)?;
        if !kept.contains(&family) {
            rules.push(refused(name, Some(is), EAFNOSUPPORT)?);
        } else if !allows_by_default {
            rules.push(rule(
                name,
                LinuxSeccompAction::ScmpActAllow,
                Some(is),
                None,
            )?);
        }
    }
    let beyond = argument(last, LinuxSeccompOperator::ScmpCmpGt)?;
    rules.push(refused(name, Some(beyond), EAFNOSUPPORT)?);
    Ok(rules)
}

fn refused(name: &str, argument: Option<LinuxSeccompArg>, error: u32) -> Result<Value, SpecError> {
    rule(
        name,
        LinuxSeccompAction::ScmpActErrno,
        argument,
        Some(error),
    )
}

fn rule(
    name: &str,
    action: LinuxSeccompAction,
    argument: Option<LinuxSeccompArg>,
    error: Option<u32>,
) -> Result<Value, SpecError> {
    let mut rule = LinuxSyscallBuilder::default()
        .names([name.to_owned()])
        .action(action);
    if let Some(argument) = argument {
        rule = rule.args([argument]);
    }
    if let Some(error) = error {
        rule = rule.errno_ret(error);
    }
    Ok(serde_json::to_value(rule.build()?)?)
}

fn argument(value: u64, op: LinuxSeccompOperator) -> Result<LinuxSeccompArg, SpecError> {
    Ok(LinuxSeccompArgBuilder::default()
        .index(0_usize)
        .value(value)
        .op(op)
        .build()?)
}

/// The rules of a container that its engine gave none: everything is allowed, by every entry that this machine has.
fn unconfined() -> Result<Value, SpecError> {
    let entries = if cfg!(target_arch = "x86_64") {
        vec![Arch::ScmpArchX86_64, Arch::ScmpArchX32]
    } else {
        vec![Arch::ScmpArchAarch64, Arch::ScmpArchArm]
    };
    let seccomp = LinuxSeccompBuilder::default()
        .default_action(LinuxSeccompAction::ScmpActAllow)
        .architectures(entries)
        .build()?;
    Ok(serde_json::to_value(seccomp)?)
}
