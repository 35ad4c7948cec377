//! A part of an answer, written down.

use enforcer_prompt::json::Document;
use enforcer_prompt::{self as prompt, Arguments, ToolCall, ToolKind};

use crate::condition::range::{Unit, number};
use crate::condition::schema::to_json;
use crate::diagnostic::Findings;
use crate::parse::fields::{self, Fields, listed};
use crate::parse::tree::Entry;
use crate::{Answer, Part};

/// A part of an answer, as a case has it.
#[derive(Debug)]
pub(super) struct Answered {
    status: u16,
    media_type: Option<String>,
    part: Written,
}

#[derive(Debug)]
enum Written {
    Bytes(u64),
    Head,
    /// A tool, prompt or resource in a listing, as JSON.
    Listed(ToolKind, String),
    Rows(u64),
    Text(String),
    /// A tool's name and its arguments as JSON.
    ToolCall(String, String),
    Undecidable,
}

impl Answered {
    const KEYS: [&'static str; 10] = [
        "status",
        "content_type",
        "size",
        "rows",
        "text",
        "tool_call",
        "tool",
        "prompt",
        "resource",
        "undecidable",
    ];

    pub(super) fn read(entry: Entry<'_>, findings: &mut Findings) -> Option<Self> {
        let mut map = Fields::open(entry.into_value(), "`answer`", &Self::KEYS, findings)?;
        let status = map.take("status");
        let status = status.and_then(|entry| fields::text(entry, findings));
        let status = status
            .and_then(|text| text.text.parse().ok())
            .unwrap_or(200);
        let media_type = map.take("content_type");
        let media_type = media_type.and_then(|entry| fields::text(entry, findings));
        // The first two are about the head.
        let mut parts = Self::KEYS.into_iter().skip(2);
        let part = match parts.find_map(|key| map.take(key)) {
            None => Written::Head,
            Some(entry) => Written::read(entry, findings)?,
        };
        Some(Self {
            status,
            media_type: media_type.map(|text| text.text.into_owned()),
            part,
        })
    }

    /// Lends it as the part it stands for.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&Answer<'_>) -> T) -> T {
        let limits = prompt::Limits::default();
        let undecidable = Part::Undecidable(prompt::Cause::Malformed);
        let ask = |part: Part<'_>| {
            ask(&Answer {
                status: self.status,
                media_type: self.media_type.as_deref(),
                part,
            })
        };
        match &self.part {
            Written::Bytes(bytes) => ask(Part::Bytes(*bytes)),
            Written::Head => ask(Part::Head),
            Written::Rows(rows) => ask(Part::Rows(*rows)),
            Written::Text(text) => ask(Part::Text(text)),
            Written::Undecidable => ask(undecidable),
            Written::ToolCall(name, arguments) => ask(Part::ToolCall(&ToolCall {
                kind: ToolKind::Function,
                name,
                arguments: Arguments::Text(arguments),
                id: None,
                server: None,
            })),
            Written::Listed(kind, json) => match Document::parse(json.as_bytes(), &limits) {
                Err(_) => ask(undecidable),
                Ok(document) => {
                    let value = document.root();
                    let text = |key| value.get(key).and_then(|own| own.as_str());
                    let name = if *kind == ToolKind::Resource {
                        text("uri")
                    } else {
                        text("name")
                    };
                    ask(Part::Listed(&prompt::Tool {
                        kind: *kind,
                        name: name.unwrap_or_default(),
                        description: text("description"),
                        parameters: value.get("inputSchema"),
                        server: None,
                        value,
                    }))
                }
            },
        }
    }
}

impl Written {
    fn read(entry: Entry<'_>, findings: &mut Findings) -> Option<Self> {
        let spot = entry.spot;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "numbers here are not negative, and no case needs more than 2^64"
        )]
        let count = |text: &str, unit| number(text, unit).map(|number| number as u64);
        let key = entry.key.clone().into_owned();
        let counted = match &*key {
            "size" => Some(Unit::Bytes),
            "rows" => Some(Unit::Count),
            _ => None,
        };
        match (&*key, counted) {
            (_, Some(unit)) => {
                let text = fields::text(entry, findings)?;
                match count(&text.text, unit) {
                    Ok(rows) if unit == Unit::Count => Some(Self::Rows(rows)),
                    Ok(bytes) => Some(Self::Bytes(bytes)),
                    Err(fault) => {
                        findings.fault(spot, fault);
                        None
                    }
                }
            }
            ("text", None) => Some(Self::Text(fields::text(entry, findings)?.text.into_owned())),
            ("undecidable", None) => Some(Self::Undecidable),
            ("tool" | "prompt" | "resource", None) => {
                let kind = match &*key {
                    "prompt" => ToolKind::Prompt,
                    "resource" => ToolKind::Resource,
                    _ => ToolKind::Mcp,
                };
                Some(Self::Listed(kind, to_json(&entry.value).to_string()))
            }
            (_, None) => {
                let known = ["name", "arguments"];
                let what = format!("a tool call, with {}", listed(&known));
                let mut map = Fields::open(entry.into_value(), "a tool call", &known, findings)?;
                let Some(name) = map.require("name", findings) else {
                    findings.error(spot, what, None);
                    return None;
                };
                let arguments = map.take("arguments");
                let arguments = arguments.map(|entry| to_json(&entry.value));
                let arguments = arguments.unwrap_or_else(|| serde_json::json!({}));
                let arguments = match arguments {
                    serde_json::Value::String(text) => text,
                    other => other.to_string(),
                };
                let name = fields::text(name, findings)?;
                Some(Self::ToolCall(name.text.into_owned(), arguments))
            }
        }
    }
}
