//! What was judged of a body, and what of an answer or a message was not passed on.

use super::PartRuled;
use super::facts::ContentFacts;
use super::line::DETAIL;
use super::object::{CODE, Object};

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
    line.shown("exchange", exchange, CODE);
    line.shown("flow", flow, CODE);
    line.code("part", part);
    if let Some(name) = name {
        line.text("name", name, CODE);
    }
    if let Some(count) = count {
        line.number("count", *count);
    }
    line.code("cause", cause);
    if let Some(rule) = rule {
        line.code("rule", rule);
    }
    if let Some(reason) = reason {
        line.shown("reason", reason, DETAIL);
    }
}

pub(super) fn content(line: &mut Object<'_>, facts: &ContentFacts<'_>) {
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
