//! The fields of what is asked for and comes of it.

use std::fmt::Display;

use enforcer_flow::{ExchangeId, FlowId};

use super::line::{DETAIL, broken, passed, workload};
use super::object::{CODE, Object};
use super::observed::would;
use super::{
    ContentFacts, ExchangeAborted, ExchangeClosed, ExchangeDenied, ExchangeFacts, PartRuled,
};
use crate::{BodyFacts, RecordingFacts};

/// The bound of a URL path.
const PATH: usize = 2048;
/// How many credentials one line names.
const CREDENTIALS: usize = 16;

pub(super) fn part_ruled(line: &mut Object<'_>, ruled: &PartRuled<'_>) {
    let PartRuled {
        exchange,
        flow,
        part,
        name,
        count,
        cause,
        rule,
        reason,
    } = ruled;
    identified(line, *exchange, *flow);
    line.code("part", part);
    if let Some(name) = name {
        line.text("name", name, CODE);
    }
    if let Some(count) = count {
        line.number("count", *count);
    }
    decided(line, cause, *rule, *reason);
}

/// Which exchange, and on which connection.
pub(super) fn identified(line: &mut Object<'_>, exchange: ExchangeId, flow: FlowId) {
    line.shown("exchange", &exchange, CODE);
    line.shown("flow", &flow, CODE);
}

/// Why it was decided so, and by what rule, if one spoke.
fn decided(line: &mut Object<'_>, cause: &str, rule: Option<&str>, reason: Option<&dyn Display>) {
    line.code("cause", cause);
    if let Some(rule) = rule {
        line.code("rule", rule);
    }
    if let Some(reason) = reason {
        line.shown("reason", reason, DETAIL);
    }
}

pub(super) fn exchange_granted(line: &mut Object<'_>, facts: &ExchangeFacts<'_>, rule: &str) {
    exchange(line, facts);
    line.code("rule", rule);
    credentials(line, facts);
}

pub(super) fn exchange(line: &mut Object<'_>, facts: &ExchangeFacts<'_>) {
    let ExchangeFacts {
        exchange,
        flow,
        workload,
        process,
        protocol,
        host,
        port,
        method,
        path,
        query_bytes,
        credentials: _,
        content,
    } = facts;
    identified(line, *exchange, *flow);
    self::workload(line, workload);
    super::line::process(line, process);
    line.code("protocol", protocol.as_str());
    line.shown("host", host, CODE);
    line.number("port", *port);
    if let Some(method) = method {
        line.text("method", method, CODE);
    }
    if let Some(path) = path {
        line.text("path", path, PATH);
    }
    if let Some(query_bytes) = query_bytes {
        line.number("query_bytes", *query_bytes);
    }
    if let Some(content) = content {
        line.object("content", |line| self::content(line, content));
    }
}

fn content(line: &mut Object<'_>, facts: &ContentFacts<'_>) {
    let ContentFacts {
        bytes,
        provider,
        operation,
        model,
        messages,
        tools,
        mcp,
        tool,
    } = facts;
    line.number("bytes", *bytes);
    let words = [
        ("provider", provider),
        ("operation", operation),
        ("model", model),
        ("mcp", mcp),
        ("tool", tool),
    ];
    for (key, word) in words {
        if let Some(word) = word {
            line.text(key, word, CODE);
        }
    }
    for (key, count) in [("messages", messages), ("tools", tools)] {
        if let Some(count) = count {
            line.number(key, *count);
        }
    }
}

fn credentials(line: &mut Object<'_>, facts: &ExchangeFacts<'_>) {
    let all = facts.credentials;
    if all.is_empty() {
        return;
    }
    line.list("credentials", all.iter().take(CREDENTIALS));
    if all.len() > CREDENTIALS {
        line.number("more_credentials", all.len() - CREDENTIALS);
    }
}

pub(super) fn exchange_denied(
    line: &mut Object<'_>,
    denied: &ExchangeDenied<'_>,
    instead: Option<&'static str>,
) {
    let ExchangeDenied {
        facts,
        cause,
        rule,
        reason,
    } = denied;
    exchange(line, facts);
    would(line, instead);
    decided(line, cause, *rule, *reason);
    credentials(line, facts);
}

pub(super) fn exchange_closed(line: &mut Object<'_>, closed: &ExchangeClosed) {
    let ExchangeClosed {
        exchange,
        flow,
        status,
        traffic,
        upstream_addr,
        recording,
    } = closed;
    identified(line, *exchange, *flow);
    if let Some(status) = status {
        line.number("status", *status);
    }
    passed(line, traffic);
    if let Some(addr) = upstream_addr {
        line.shown("upstream_addr", addr, CODE);
    }
    recorded(line, *exchange, recording.as_ref());
}

fn recorded(line: &mut Object<'_>, exchange: ExchangeId, facts: Option<&RecordingFacts>) {
    let Some(facts) = facts else {
        return;
    };
    let RecordingFacts {
        digest,
        request,
        answer,
    } = facts;
    line.object("recording", |line| {
        line.shown("file", &format_args!("{exchange}.json"), CODE);
        line.shown("sha256", digest, CODE);
        for (key, body) in [("request", request), ("answer", answer)] {
            let Some(BodyFacts { bytes, cut, digest }) = body else {
                continue;
            };
            line.object(key, |line| {
                line.number("bytes", *bytes);
                line.number("cut", *cut);
                line.shown("sha256", digest, CODE);
            });
        }
    });
}

pub(super) fn exchange_aborted(line: &mut Object<'_>, aborted: &ExchangeAborted<'_>) {
    let ExchangeAborted {
        exchange,
        flow,
        side,
        cause,
        detail,
        traffic,
        recording,
    } = aborted;
    identified(line, *exchange, *flow);
    broken(line, (*side, cause, *detail), traffic);
    recorded(line, *exchange, recording.as_ref());
}
