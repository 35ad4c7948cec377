//! From the file's tree to a [`Config`]: every key once, every mistake collected.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use enforcer_flow::{Destination, Host};
use enforcer_tls::OwnFiles;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::file::{Node, Value};
use super::section::{Expected, Section, Wrong};
use super::{
    Ca, Config, Control, Costs, Danger, Ledger, Limits, Log, LogFormat, Mistake, Recordings, Spill,
    UnixSockets, Upstream,
};
use super::{containers, lsm};

mod secrets;

/// Longest path of a unix socket, `sun_path` of unix(7) less its end.
const MAX_SOCKET_PATH: usize = 107;
/// Most workloads, flows and connections one daemon may be told to serve.
const MAX_COUNT: usize = 1 << 20;
const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// Lowers the whole file; relative paths start at `base`.
pub(super) fn lower(document: &Node, base: &Path) -> Result<Config, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut root = Section::root(document, &mut mistakes);
    let mut config = folders(&mut root, base);
    root.read("policies", &mut config.policies, |v| path(v, base));
    root.read("workers", &mut config.workers, workers);
    root.read("busy_poll", &mut config.busy_poll, |v| {
        duration(v, Duration::ZERO..=MILLISECOND)
    });
    control(root.section("control"), base, &mut config.control);
    ledger(root.section("ledger"), base, &mut config.ledger);
    ca(root.section("ca"), base, &mut config.ca);
    upstream(root.section("upstream"), base, &mut config.upstream);
    containers::containers(root.section("containers"), base, &mut config.containers);
    root.list("workloads", &mut config.workloads, containers::selected);
    limits(root.section("limits"), &mut config.limits);
    spill(
        root.section("spill"),
        &mut config.spill,
        config.limits.body_bytes,
    );
    recordings(root.section("recordings"), &mut config.recordings);
    costs(root.section("costs"), base, &mut config.costs);
    secrets::secrets(&mut root, base, &mut config.secrets);
    secrets::webhooks(&mut root, &config.secrets, &mut config.webhooks);
    unix_sockets(root.section("unix_sockets"), base, &mut config.unix_sockets);
    root.read("lsm", &mut config.lsm, lsm::lsm);
    danger(root.section("danger"), &mut config.danger);
    log(root.section("log"), &mut config.log);
    if config.control.socket.as_os_str().len() > MAX_SOCKET_PATH {
        let message =
            format!("the control socket's path would be longer than {MAX_SOCKET_PATH} bytes");
        root.contradiction(&["control", "runtime_dir"], &message);
    }
    root.finish();
    if mistakes.is_empty() {
        return Ok(config);
    }
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    Err(mistakes)
}

/// The two folders decide the defaults of what lives below them, so they are read first.
fn folders(root: &mut Section<'_>, base: &Path) -> Config {
    let Config {
        mut state_dir,
        mut runtime_dir,
        ..
    } = Config::default();
    root.read("state_dir", &mut state_dir, |v| path(v, base));
    root.read("runtime_dir", &mut runtime_dir, |v| path(v, base));
    Config::below(state_dir, runtime_dir)
}

fn control(mut section: Section<'_>, base: &Path, config: &mut Control) {
    let Control { socket } = config;
    section.read("socket", socket, |v| path(v, base));
    section.finish();
}

fn ledger(mut section: Section<'_>, base: &Path, config: &mut Ledger) {
    let Ledger {
        path: file,
        rotate_size,
        sync_interval,
    } = config;
    section.read("path", file, |v| path(v, base));
    section.read("rotate_size", rotate_size, |v| {
        size(v, MIB..=1024 * 1024 * MIB)
    });
    section.read("sync_interval", sync_interval, |v| {
        duration(v, Duration::ZERO..=Duration::from_secs(10))
    });
    section.finish();
}

fn ca(mut section: Section<'_>, base: &Path, config: &mut Ca) {
    let Ca {
        dir,
        own,
        permitted_names,
        overlap,
    } = config;
    section.read("dir", dir, |v| path(v, base));
    let (mut certificate, mut key) = (None, None);
    section.read("cert_file", &mut certificate, |v| path(v, base).map(Some));
    section.read("key_file", &mut key, |v| path(v, base).map(Some));
    section.list("permitted_names", permitted_names, |v| {
        v.text().unwrap_or_default().parse()
    });
    section.read("overlap", overlap, |v| duration(v, Duration::ZERO..=YEAR));
    match (certificate, key) {
        (Some(certificate), Some(key)) => *own = Some(OwnFiles { certificate, key }),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => section.contradiction(
            &["cert_file", "key_file"],
            "a CA of your own needs both `cert_file` and `key_file`",
        ),
    }
    section.finish();
}

fn unix_sockets(mut section: Section<'_>, base: &Path, config: &mut UnixSockets) {
    let UnixSockets { allow, refuse } = config;
    section.list("allow", allow, |v| path(v, base));
    section.list("refuse", refuse, policy_name);
    section.finish();
}

fn danger(mut section: Section<'_>, config: &mut Danger) {
    let Danger { observe } = config;
    section.list("observe", observe, policy_name);
    section.finish();
}

fn upstream(mut section: Section<'_>, base: &Path, config: &mut Upstream) {
    let Upstream {
        connect_to,
        extra_roots,
        connect_timeout,
        response_timeout,
        idle_timeout,
        max_idle_per_host,
        max_connections,
    } = config;
    section.entries("connect_to", |name, value| {
        let destination = destination(name).map_err(Wrong::Key)?;
        let addr = socket_addr(value).map_err(Wrong::Value)?;
        match connect_to.insert(destination, addr) {
            None => Ok(()),
            Some(_) => Err(Wrong::Key("names the same destination again".to_owned())),
        }
    });
    section.list("extra_roots", extra_roots, |v| path(v, base));
    section.read("connect_timeout", connect_timeout, timeout);
    section.read("response_timeout", response_timeout, timeout);
    section.read("idle_timeout", idle_timeout, timeout);
    section.read("max_idle_per_host", max_idle_per_host, |v| {
        count(v, 0..=MAX_COUNT)
    });
    section.read("max_connections", max_connections, positive);
    section.finish();
}

fn limits(mut section: Section<'_>, config: &mut Limits) {
    let Limits {
        workloads,
        flows,
        flows_per_workload,
        streams_per_flow,
        header_bytes,
        body_bytes,
        body_timeout,
        body_memory,
        body_memory_per_workload,
        held_text_timeout,
        message_bytes,
        first_byte_timeout,
        handshake_timeout,
        header_timeout,
        idle_timeout,
        drain_timeout,
    } = config;
    section.read("workloads", workloads, positive);
    section.read("flows", flows, positive);
    section.read("flows_per_workload", flows_per_workload, positive);
    section.read("streams_per_flow", streams_per_flow, streams);
    section.read("header_bytes", header_bytes, header_bytes_size);
    section.read("body_bytes", body_bytes, body_size);
    section.read("body_timeout", body_timeout, timeout);
    section.read("body_memory", body_memory, memory_size);
    section.read(
        "body_memory_per_workload",
        body_memory_per_workload,
        memory_size,
    );
    section.read("held_text_timeout", held_text_timeout, timeout);
    section.read("message_bytes", message_bytes, body_size);
    section.read("first_byte_timeout", first_byte_timeout, timeout);
    section.read("handshake_timeout", handshake_timeout, timeout);
    section.read("header_timeout", header_timeout, timeout);
    section.read("idle_timeout", idle_timeout, timeout);
    section.read("drain_timeout", drain_timeout, |v| {
        duration(v, Duration::ZERO..=HOUR)
    });
    if *flows_per_workload > *flows {
        let message = format!(
            "one workload may have {flows_per_workload} flows (`flows_per_workload`), all of them only {flows} (`flows`)"
        );
        section.contradiction(&["flows_per_workload", "flows"], &message);
    }
    if *body_memory_per_workload > *body_memory {
        let message = "one workload may keep more bytes of bodies (`body_memory_per_workload`) than all of them (`body_memory`)";
        section.contradiction(&["body_memory_per_workload", "body_memory"], message);
    }
    // A socket keeps a message of each side, and a body its decoded form.
    if (*body_bytes).max(*message_bytes).saturating_mul(2) > *body_memory_per_workload {
        let message = "a workload's memory for bodies (`body_memory_per_workload`) must hold two bodies (`body_bytes`) and two messages (`message_bytes`)";
        let keys = ["body_memory_per_workload", "body_bytes", "message_bytes"];
        section.contradiction(&keys, message);
    }
    section.finish();
}

fn spill(mut section: Section<'_>, config: &mut Spill, longest: usize) {
    let Spill {
        above,
        max_bytes,
        max_bytes_per_workload,
        max_files,
        max_files_per_workload,
    } = config;
    section.read("above", above, threshold);
    section.read("max_bytes", max_bytes, memory_size);
    let per_workload = "max_bytes_per_workload";
    section.read(per_workload, max_bytes_per_workload, memory_size);
    section.read("max_files", max_files, positive);
    section.read("max_files_per_workload", max_files_per_workload, positive);
    if max_bytes_per_workload > max_bytes {
        let message = "one workload may keep more bytes on disk (`max_bytes_per_workload`) than all of them (`max_bytes`)";
        section.contradiction(&[per_workload, "max_bytes"], message);
    }
    if max_files_per_workload > max_files {
        let message = "one workload may have more files open (`max_files_per_workload`) than all of them (`max_files`)";
        section.contradiction(&["max_files_per_workload", "max_files"], message);
    }
    if above.is_some() && longest > *max_bytes_per_workload {
        let message = "a workload's share of the disk (`max_bytes_per_workload`) must hold one of the longest bodies (`limits.body_bytes`)";
        section.contradiction(&[per_workload, "max_bytes", "above"], message);
    }
    section.finish();
}

/// From where on something happens, or `off`.
fn threshold(value: &Value) -> Result<Option<usize>, Expected> {
    if value.is_off() {
        return Ok(None);
    }
    body_size(value)
        .map(Some)
        .map_err(|expected| format!("`off`, or {expected}"))
}

fn recordings(mut section: Section<'_>, config: &mut Recordings) {
    let Recordings { max_bytes } = config;
    section.read("max_bytes", max_bytes, |v| size(v, MIB..=1024 * 1024 * MIB));
    section.finish();
}

fn costs(mut section: Section<'_>, base: &Path, config: &mut Costs) {
    let Costs { prices, budgets } = config;
    section.read("prices", prices, |v| path(v, base).map(Some));
    section.read("budgets", budgets, |v| path(v, base));
    section.finish();
}

fn log(mut section: Section<'_>, config: &mut Log) {
    let Log { level, format } = config;
    section.read("level", level, log_level);
    section.read("format", format, log_format);
    section.finish();
}

fn path(value: &Value, base: &Path) -> Result<PathBuf, Expected> {
    let text = value.text().filter(|t| !t.is_empty() && !t.contains('\0'));
    text.map(|t| base.join(t))
        .ok_or_else(|| "a path".to_owned())
}

fn policy_name(value: &Value) -> Result<String, Expected> {
    let named = value.text().filter(|text| !text.is_empty());
    let named = named.filter(|text| enforcer_identity::Label::new(Some(text)).is_ok());
    named
        .map(str::to_owned)
        .ok_or_else(|| "a policy's name, or `*`".to_owned())
}

fn workers(value: &Value) -> Result<NonZeroUsize, Expected> {
    let range = 1..=1024;
    let expected = whole_number(&range);
    NonZeroUsize::new(count(value, range)?).ok_or(expected)
}

fn positive(value: &Value) -> Result<usize, Expected> {
    count(value, 1..=MAX_COUNT)
}

fn streams(value: &Value) -> Result<u32, Expected> {
    let range = 1..=65_535;
    let expected = whole_number(&range);
    u32::try_from(count(value, range)?).map_err(|_| expected)
}

fn count(value: &Value, range: RangeInclusive<usize>) -> Result<usize, Expected> {
    let number = value.integer().and_then(|n| usize::try_from(n).ok());
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| whole_number(&range))
}

fn whole_number(range: &RangeInclusive<usize>) -> Expected {
    format!("a whole number from {} to {}", range.start(), range.end())
}

fn header_bytes_size(value: &Value) -> Result<usize, Expected> {
    let bytes = size(value, 8 * KIB..=MIB)?;
    usize::try_from(bytes).map_err(|_| "fewer bytes".to_owned())
}

fn body_size(value: &Value) -> Result<usize, Expected> {
    let bytes = size(value, KIB..=1024 * MIB)?;
    usize::try_from(bytes).map_err(|_| "fewer bytes".to_owned())
}

fn memory_size(value: &Value) -> Result<usize, Expected> {
    let bytes = size(value, MIB..=1024 * 1024 * MIB)?;
    usize::try_from(bytes).map_err(|_| "fewer bytes".to_owned())
}

fn size(value: &Value, range: RangeInclusive<u64>) -> Result<u64, Expected> {
    let plain = value.integer().and_then(|n| u64::try_from(n).ok());
    let unit = || Some(value.text()?.parse::<ByteSize>().ok()?.as_u64());
    plain
        .or_else(unit)
        .filter(|bytes| range.contains(bytes))
        .ok_or_else(|| {
            let (least, most) = (ByteSize(*range.start()), ByteSize(*range.end()));
            format!("a size such as `64KiB`, from {least} to {most}")
        })
}

fn timeout(value: &Value) -> Result<Duration, Expected> {
    duration(value, MILLISECOND..=DAY)
}

fn duration(value: &Value, range: RangeInclusive<Duration>) -> Result<Duration, Expected> {
    let signed = value
        .text()
        .and_then(|t| t.parse::<jiff::SignedDuration>().ok());
    signed
        .and_then(|length| Duration::try_from(length).ok())
        .filter(|length| range.contains(length))
        .ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!("a duration such as `30s` or `250ms`, from {least:?} to {most:?}")
        })
}

fn destination(text: &str) -> Result<Destination, String> {
    let shape = "expected `host:port`, such as `api.openai.com:443` or `[2001:db8::1]:443`";
    let (host, port) = text.rsplit_once(':').ok_or(shape)?;
    let port = port.parse().ok().filter(|port| *port != 0).ok_or(shape)?;
    if host.contains(':') && !host.starts_with('[') {
        return Err(shape.to_owned());
    }
    let host = Host::parse(host).map_err(|error| format!("{error}; {shape}"))?;
    Ok(Destination { host, port })
}

fn socket_addr(value: &Value) -> Result<SocketAddr, Expected> {
    let addr = value.text().and_then(|t| t.parse::<SocketAddr>().ok());
    addr.filter(|addr| addr.port() != 0)
        .ok_or_else(|| "`address:port`, such as `127.0.0.1:8443` or `[::1]:8443`".to_owned())
}

fn log_level(value: &Value) -> Result<String, Expected> {
    if value.is_off() {
        return Ok("off".to_owned());
    }
    let text = value.text().filter(|text| is_log_filter(text));
    text.map(str::to_owned).ok_or_else(|| {
        "`error`, `warn`, `info`, `debug`, `trace`, `off`, or directives such as `info,enforcer_gate=debug`".to_owned()
    })
}

/// A single word that is no level would be taken for a target's name and silence everything else.
fn is_log_filter(text: &str) -> bool {
    let is_level = |word: &str| word.trim().parse::<LevelFilter>().is_ok();
    EnvFilter::try_new(text).is_ok()
        && text
            .split(',')
            .all(|part| part.contains('=') || is_level(part))
}

fn log_format(value: &Value) -> Result<LogFormat, Expected> {
    match value.text() {
        Some("json") => Ok(LogFormat::Json),
        Some("text") => Ok(LogFormat::Text),
        Some(_) | None => Err("`text` or `json`".to_owned()),
    }
}
