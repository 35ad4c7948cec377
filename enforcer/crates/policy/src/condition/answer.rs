//! What rules say about answers.

use std::collections::BTreeMap;

use enforcer_prompt::Tool;
use enforcer_prompt::json::{Data, Value as Json};
use sha2::{Digest as _, Sha256};

use crate::condition::Reader;
use crate::condition::call::{CallTest, optional};
use crate::condition::range::{Range, Unit};
use crate::condition::text::TextTest;
use crate::condition::words::Words;
use crate::diagnostic::excerpt;
use crate::facts::{Facts, essence};
use crate::parse::fields::{self, Fields};
use crate::parse::tree::{Entry, Value};
use crate::truth::{Stance, Truth};
use crate::{Action, Answer, AnswerNeeds, Part};

/// What an answer is to be like: its head, and one kind of part.
#[derive(Debug)]
pub(crate) struct AnswerTest {
    status: Option<Range>,
    content_type: Option<Words>,
    part: PartTest,
}

#[derive(Debug)]
enum PartTest {
    Call(CallTest),
    /// The head alone.
    Head,
    /// How sure it is that a text, or what is said of a tool, gives orders to the model.
    Injection(Range),
    Rows(Range),
    Size(Range),
    Text(TextTest),
    Tool(ToolTest),
}

/// What a tool in a listing is to be like.
#[derive(Debug)]
struct ToolTest {
    name: Option<Words>,
    description: Option<TextTest>,
    /// Tools by name, with the fingerprint that each must have not to be matched.
    pins: Option<BTreeMap<Box<str>, Box<str>>>,
}

impl AnswerTest {
    pub(crate) const KEYS: [&'static str; 8] = [
        "status",
        "content_type",
        "size",
        "rows",
        "tool_call",
        "tool",
        "text",
        "injection",
    ];

    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let spot = entry.spot;
        let mut map = Fields::open(entry.into_value(), "`answer`", &Self::KEYS, reader.findings)?;
        let status = map.take("status");
        let status = optional(status.map(|entry| Range::read(entry, Unit::Count, reader)))?;
        let content_type = map.take("content_type");
        let content_type = optional(content_type.map(|entry| Words::read(entry, reader)))?;
        let parts = ["size", "rows", "tool_call", "tool", "text", "injection"];
        let mut given = parts.into_iter().filter_map(|key| map.take(key));
        let (first, second) = (given.next(), given.next());
        if let Some(second) = second {
            let message = "an answer is judged part by part, and these are two parts".to_owned();
            let hint = "make another rule for the second".to_owned();
            reader.findings.error(second.spot, message, Some(hint));
            return None;
        }
        let part = match first {
            None => PartTest::Head,
            Some(entry) => PartTest::read(entry, reader)?,
        };
        if matches!(part, PartTest::Head) && status.is_none() && content_type.is_none() {
            let message = "`answer` without anything about it".to_owned();
            let hint = format!("its keys are {}", fields::listed(&Self::KEYS));
            reader.findings.error(spot, message, Some(hint));
            return None;
        }
        Some(Self {
            status,
            content_type,
            part,
        })
    }

    /// What of an answer must be read to judge it.
    pub(crate) fn needs(&self) -> AnswerNeeds {
        let none = AnswerNeeds::NONE;
        match &self.part {
            PartTest::Call(_) => AnswerNeeds {
                tool_calls: true,
                ..none
            },
            PartTest::Head => AnswerNeeds { head: true, ..none },
            PartTest::Injection(_) => AnswerNeeds {
                listed: true,
                text: true,
                ..none
            },
            PartTest::Rows(_) => AnswerNeeds { rows: true, ..none },
            PartTest::Size(_) => AnswerNeeds {
                bytes: true,
                ..none
            },
            PartTest::Text(_) => AnswerNeeds { text: true, ..none },
            PartTest::Tool(_) => AnswerNeeds {
                listed: true,
                ..none
            },
        }
    }

    /// What becomes of a part that is matched, unless the rule says otherwise.
    pub(crate) fn usual_action(&self) -> Action {
        match self.part {
            PartTest::Tool(_) => Action::Strip,
            PartTest::Call(_)
            | PartTest::Head
            | PartTest::Injection(_)
            | PartTest::Rows(_)
            | PartTest::Size(_)
            | PartTest::Text(_) => Action::Block,
        }
    }

    /// Whether a part can be left out of an answer.
    pub(crate) fn can_strip(&self) -> bool {
        match self.part {
            PartTest::Call(_) | PartTest::Injection(_) | PartTest::Text(_) | PartTest::Tool(_) => {
                true
            }
            PartTest::Head | PartTest::Rows(_) | PartTest::Size(_) => false,
        }
    }

    /// Judges a part of an answer; none when it is not the kind of part this is about.
    pub(crate) fn judge(&self, answer: &Answer<'_>, facts: &Facts<'_, '_>) -> Option<Truth> {
        let part = match (&self.part, &answer.part) {
            (PartTest::Call(test), Part::ToolCall(call)) => test.judge(call, facts, Stance::One),
            (PartTest::Head, Part::Head) => Truth::Yes,
            (PartTest::Injection(range), Part::Text(text)) => orders(text, range),
            (PartTest::Injection(range), Part::Listed(tool)) => orders(&said_of(tool), range),
            (PartTest::Rows(range), Part::Rows(rows)) => range.judge_count(*rows),
            (PartTest::Size(range), Part::Bytes(bytes)) => range.judge_count(*bytes),
            (PartTest::Text(test), Part::Text(text)) => test.judge(&facts.search(text)),
            (PartTest::Tool(test), Part::Listed(tool)) => test.judge(tool, facts),
            (
                PartTest::Call(_)
                | PartTest::Injection(_)
                | PartTest::Rows(_)
                | PartTest::Text(_)
                | PartTest::Tool(_),
                Part::Undecidable(_),
            ) => Truth::Unknown,
            (
                PartTest::Call(_)
                | PartTest::Head
                | PartTest::Injection(_)
                | PartTest::Rows(_)
                | PartTest::Size(_)
                | PartTest::Text(_)
                | PartTest::Tool(_),
                _,
            ) => return None,
        };
        let status = self.status.as_ref();
        let status = status.map_or(Truth::Yes, |range| range.judge_count(answer.status.into()));
        let content_type = match (&self.content_type, answer.media_type) {
            (None, _) => Truth::Yes,
            (Some(words), None) => words.absent(),
            (Some(words), Some(word)) => words.judge(&essence(word), Stance::One),
        };
        Some(status.and(content_type).and(part))
    }
}

// === impl PartTest ===

impl PartTest {
    fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let spot = entry.spot;
        let part = match &*entry.key {
            "size" => Self::Size(Range::read(entry, Unit::Bytes, reader)?),
            "rows" => Self::Rows(Range::read(entry, Unit::Count, reader)?),
            "tool_call" => Self::Call(CallTest::read(entry, reader)?),
            "tool" => Self::Tool(ToolTest::read(entry, reader)?),
            "injection" => Self::Injection(Range::read(entry, Unit::Fraction, reader)?),
            _ => Self::Text(TextTest::read(entry, &[], reader)?),
        };
        if let Self::Injection(range) | Self::Rows(range) | Self::Size(range) = &part
            && range.is_bounded_above()
        {
            let message = "answers are judged while they come, and may always grow".to_owned();
            let hint = "use `over` or `at_least` alone".to_owned();
            reader.findings.error(spot, message, Some(hint));
            return None;
        }
        Some(part)
    }
}

// === impl ToolTest ===

impl ToolTest {
    fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let known = ["name", "description", "pin"];
        let mut map = Fields::open(entry.into_value(), "a listed tool", &known, reader.findings)?;
        let name = map.take("name");
        let description = map.take("description");
        let pins = map.take("pin");
        Some(Self {
            name: optional(name.map(|entry| Words::read(entry, reader)))?,
            description: optional(description.map(|entry| TextTest::read(entry, &[], reader)))?,
            pins: optional(pins.map(|entry| pins_of(entry, reader)))?,
        })
    }

    fn judge(&self, tool: &Tool<'_>, facts: &Facts<'_, '_>) -> Truth {
        let name = self.name.as_ref();
        let name = name.map_or(Truth::Yes, |words| words.judge(tool.name, Stance::One));
        let description = self
            .description
            .as_ref()
            .map_or(Truth::Yes, |test| test.judge(&facts.search(&said_of(tool))));
        let pin = self.pins.as_ref().map_or(Truth::Yes, |pins| {
            let pin = pins.get(tool.name);
            pin.map_or(Truth::No, |pin| Truth::of(**pin != *tool_digest(tool)))
        });
        name.and(description).and(pin)
    }
}

/// All that a server says of a tool.
fn said_of(tool: &Tool<'_>) -> String {
    let mut texts = vec![tool.name];
    texts.extend(tool.description);
    tool.value.strings(&mut |text| texts.push(text));
    texts.join("\n")
}

/// Whether a text is as likely to give orders to the model that reads it.
fn orders(text: &str, range: &Range) -> Truth {
    range.judge(f64::from(enforcer_injection::judge(text.as_bytes()).score))
}

fn pins_of(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<BTreeMap<Box<str>, Box<str>>> {
    let spot = entry.spot;
    let Value::Map(entries) = entry.into_value().value else {
        let message = "`pin` takes a map of tools and their fingerprints".to_owned();
        let hint = "`enforcer policy pin FILE` prints it for a listing".to_owned();
        reader.findings.error(spot, message, Some(hint));
        return None;
    };
    let mut pins = BTreeMap::new();
    for entry in entries {
        let name = entry.key.clone();
        let text = fields::text(entry, reader.findings)?;
        let digits = text.text.strip_prefix("sha256:").unwrap_or_default();
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != 64 || !digits.bytes().all(hex) {
            let message = format!("`{}` is no fingerprint", excerpt(&text.text));
            let hint = "write `sha256:` and 64 hexadecimal digits, as `enforcer policy pin FILE` prints them";
            reader
                .findings
                .error(text.spot, message, Some(hint.to_owned()));
            return None;
        }
        pins.insert((*name).into(), (*text.text).into());
    }
    Some(pins)
}

/// The tools, prompts and resources of a listing with their fingerprints: of a server's whole message, its result, or the
/// list alone.
///
/// # Errors
/// Why it cannot be read.
pub fn pins(listing: &[u8]) -> Result<Vec<(String, String)>, enforcer_prompt::Undecidable> {
    let limits = enforcer_prompt::Limits::default();
    let document = enforcer_prompt::json::Document::parse(listing, &limits)?;
    let root = document.root();
    let result = root.get("result").unwrap_or(root);
    let lists = ["tools", "prompts", "resources"].map(|key| result.get(key));
    let whole = lists.iter().all(Option::is_none).then_some(root);
    let all = lists.into_iter().flatten().chain(whole);
    let pins = all.flat_map(|list| list.elements()).filter_map(|listed| {
        // A resource is known by its URI, whatever it is called.
        let name = listed.get("uri").or_else(|| listed.get("name"))?;
        Some((name.as_str()?.to_owned(), digest(listed)))
    });
    Ok(pins.collect())
}

/// The fingerprint of all that a server says of a tool, whatever the order it says it in: `sha256:` and hexadecimal digits.
#[must_use]
pub fn tool_digest(tool: &Tool<'_>) -> String {
    digest(tool.value)
}

fn digest(value: &Json<'_>) -> String {
    let mut canonical = String::new();
    canonicalise(value, &mut canonical);
    let digest = Sha256::digest(canonical);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// JSON with sorted keys and no white space.
fn canonicalise(value: &Json<'_>, out: &mut String) {
    let string =
        |text: &str, out: &mut String| out.push_str(&serde_json::Value::from(text).to_string());
    match value.data() {
        Data::Array(elements) => {
            out.push('[');
            for element in elements {
                canonicalise(element, out);
                out.push(',');
            }
            out.push(']');
        }
        Data::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.key().cmp(b.key()));
            out.push('{');
            for member in members {
                string(member.key(), out);
                out.push(':');
                canonicalise(member.value(), out);
                out.push(',');
            }
            out.push('}');
        }
        Data::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Data::Null => out.push_str("null"),
        Data::Number(number) => out.push_str(number.as_str()),
        Data::String(text) => string(text, out),
    }
}
