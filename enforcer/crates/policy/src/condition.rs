//! The fields of `match` beyond place, method and path: one room each, which reads it from the text and judges it.

use enforcer_flow::Host;
use enforcer_prompt::{self as prompt, ModelCall};

use crate::compile::sieve::{Field, Key};
use crate::condition::attachment::AttachmentTest;
use crate::condition::call::CallTest;
use crate::condition::header::HeaderTest;
use crate::condition::mcp::McpTest;
use crate::condition::range::{Range, Unit};
use crate::condition::schema::SchemaTest;
use crate::condition::text::TextTest;
use crate::condition::webhook::WebhookTest;
use crate::condition::words::Words;
use crate::diagnostic::{Fault, Findings, excerpt};
use crate::facts::{self, Facts};
use crate::lexicon::Lexicon;
use crate::parse::fields::{self, listed};
use crate::parse::nearest::did_you_mean;
use crate::parse::tree::Entry;
use crate::truth::{Fact, Stance, Truth};

pub(crate) mod answer;
pub(crate) mod argument;
pub(crate) mod attachment;
pub(crate) mod call;
pub(crate) mod command;
pub(crate) mod field;
pub(crate) mod header;
pub(crate) mod mcp;
pub(crate) mod range;
pub(crate) mod schema;
pub(crate) mod text;
pub(crate) mod webhook;
pub(crate) mod words;

/// What fields are read with.
pub(crate) struct Reader<'r> {
    pub(crate) findings: &'r mut Findings,
    pub(crate) lexicon: &'r mut Lexicon,
}

/// One field with what it asks.
#[derive(Debug)]
pub(crate) struct Condition {
    /// The field's key.
    pub(crate) key: &'static str,
    test: Test,
}

#[derive(Debug)]
enum Test {
    Attachments(AttachmentTest),
    ContentType(Words),
    Cost(Range),
    Group(Words),
    Header(HeaderTest),
    HostData(Range),
    MaxTokens(Range),
    Mcp(McpTest),
    Messages(TextTest),
    Model(Words),
    Operation(Words),
    Principal(Words),
    Provider(Words),
    Query(Words),
    Schema(SchemaTest),
    Size(Range),
    Stream(bool),
    Temperature(Range),
    Text(TextTest),
    Tokens(Range),
    ToolCall(CallTest),
    ToolChoice(Words),
    ToolKind(Words),
    Tools(Words),
    Webhook(WebhookTest),
}

/// The keys of all these fields.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    field::FIELDS.iter().map(|field| field.key)
}

/// Whether a field is about who asks or for which host, and not about a request that would have to be seen.
pub(crate) fn is_of_subject(key: &str) -> bool {
    matches!(key, "group" | "host_data" | "principal")
}

/// Reads one field; none for `answer`, which [`answer`] reads, and for what is wrong.
pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Condition> {
    let key = keys().find(|key| *key == entry.key)?;
    let test = match key {
        "attachments" => Test::Attachments(AttachmentTest::read(entry, reader)?),
        "content_type" => Test::ContentType(Words::read_with(entry, reader, is_media_type)?),
        "cost" => Test::Cost(Range::read(entry, Unit::Usd, reader)?),
        "group" => Test::Group(Words::read(entry, reader)?),
        "header" => Test::Header(HeaderTest::read(entry, reader)?),
        "host_data" => Test::HostData(Range::read(entry, Unit::Fraction, reader)?),
        "max_tokens" => Test::MaxTokens(Range::read(entry, Unit::Count, reader)?),
        "mcp" => Test::Mcp(McpTest::read(entry, reader)?),
        "messages" => Test::Messages(TextTest::read(entry, &["role"], reader)?),
        "model" => Test::Model(Words::read(entry, reader)?),
        "operation" => Test::Operation(one_of(entry, &facts::vocabulary::OPERATIONS, reader)?),
        "principal" => Test::Principal(Words::read(entry, reader)?),
        "provider" => Test::Provider(one_of(entry, &facts::vocabulary::PROVIDERS, reader)?),
        "query" => Test::Query(Words::read(entry, reader)?),
        "schema" => Test::Schema(SchemaTest::read(entry, reader)?),
        "size" => Test::Size(Range::read(entry, Unit::Bytes, reader)?),
        "stream" => Test::Stream(boolean(entry, reader)?),
        "temperature" => Test::Temperature(Range::read(entry, Unit::Fraction, reader)?),
        "text" => Test::Text(TextTest::read(entry, &[], reader)?),
        "tokens" => Test::Tokens(Range::read(entry, Unit::Count, reader)?),
        "tool_call" => Test::ToolCall(CallTest::read(entry, reader)?),
        "tool_choice" => Test::ToolChoice(Words::read(entry, reader)?),
        "tool_kind" => Test::ToolKind(one_of(entry, &call::KINDS, reader)?),
        "tools" => Test::Tools(Words::read(entry, reader)?),
        "webhook" => Test::Webhook(WebhookTest::read(entry, reader)?),
        _ => return None,
    };
    Some(Condition { key, test })
}

// === impl Condition ===

impl Condition {
    /// The places that it implies, if it can be at these only.
    pub(crate) fn places(&self) -> Option<&'static [&'static str]> {
        match &self.test {
            Test::Webhook(test) => test.places(),
            _ => None,
        }
    }

    /// What rules can be found by that have it: all that can be told from the head, and from who asks.
    pub(crate) fn keys(&self, keys: &mut Vec<Key>) {
        let (field, words) = match &self.test {
            Test::ContentType(words) => (Field::ContentType, words),
            Test::Group(words) => (Field::Group, words),
            Test::Header(test) => return test.keys(keys),
            Test::Principal(words) => (Field::Principal, words),
            Test::Query(words) => (Field::Query, words),
            Test::Attachments(_)
            | Test::Cost(_)
            | Test::HostData(_)
            | Test::MaxTokens(_)
            | Test::Mcp(_)
            | Test::Messages(_)
            | Test::Model(_)
            | Test::Operation(_)
            | Test::Provider(_)
            | Test::Schema(_)
            | Test::Size(_)
            | Test::Stream(_)
            | Test::Temperature(_)
            | Test::Text(_)
            | Test::Tokens(_)
            | Test::ToolCall(_)
            | Test::ToolChoice(_)
            | Test::ToolKind(_)
            | Test::Tools(_)
            | Test::Webhook(_) => return,
        };
        keys.extend(words.exactly().map(|values| Key::new(field, values)));
    }

    /// Whether it may depend on the tool that an MCP server is asked to call.
    pub(crate) fn speaks_of_mcp(&self) -> bool {
        matches!(self.test, Test::Mcp(_))
    }

    pub(crate) fn judge(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        match &self.test {
            Test::ContentType(words) => facts
                .media_type()
                .judge(words.absent(), |word| words.judge(&word, stance)),
            Test::Group(words) => group(words, facts, stance),
            Test::Header(test) => test.judge(facts, stance),
            Test::HostData(range) => match facts.question.host {
                Host::Name(name) => {
                    range.judge(f64::from(enforcer_decode::label::labels(name).score))
                }
                // An address has no labels.
                Host::Ip(_) => range.judge(0.0),
            },
            Test::Mcp(test) => test.judge(facts, stance),
            Test::Messages(test) => test.judge_messages(facts, stance),
            Test::Principal(words) => Fact::of(facts.question.principal)
                .judge(words.absent(), |principal| {
                    words.judge(principal.name, stance)
                }),
            Test::Query(words) => match facts.request() {
                Some(request) => Fact::of(request.query)
                    .judge(words.absent(), |query| words.judge(query, stance)),
                None => Truth::Unknown,
            },
            Test::Schema(test) => test.judge(facts, stance),
            Test::Size(range) => facts
                .size()
                .judge(Truth::No, |bytes| range.judge_count(bytes)),
            Test::Text(test) => test.judge_strings(facts),
            Test::Webhook(test) => test.judge(facts, stance),
            Test::Attachments(_)
            | Test::Cost(_)
            | Test::MaxTokens(_)
            | Test::Model(_)
            | Test::Operation(_)
            | Test::Provider(_)
            | Test::Stream(_)
            | Test::Temperature(_)
            | Test::Tokens(_)
            | Test::ToolCall(_)
            | Test::ToolChoice(_)
            | Test::ToolKind(_)
            | Test::Tools(_) => self.judge_model(facts, stance),
        }
    }

    /// The fields of requests to models. Of what asks no model they are seen not to hold.
    fn judge_model(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let absent = match facts.model() {
            Fact::Absent => facts.bodiless().map_or(Truth::No, |shape| {
                self.judge_call(&facts::bare(shape), facts, stance)
            }),
            Fact::Unread => return self.judge_opening(facts, stance),
            Fact::Known(_) | Fact::Unknown => Truth::No,
        };
        let judge = |call: &ModelCall<'_>| self.judge_call(call, facts, stance);
        facts.model().judge(absent, judge)
    }

    /// Before anything is said: what the head of a WebSocket shows is enough to refuse it, and nothing more.
    fn judge_opening(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let told = |shape: &&prompt::Shape| {
            matches!(self.test, Test::Operation(_) | Test::Provider(_))
                || (matches!(self.test, Test::Model(_)) && shape.model.is_some())
        };
        let Some(shape) = facts.opening().filter(told) else {
            return Truth::Unread;
        };
        match (self.judge_call(&facts::bare(shape), facts, stance), stance) {
            (Truth::No, Stance::Each) => Truth::No,
            (Truth::Yes, Stance::One) => Truth::Yes,
            (Truth::No | Truth::Unknown | Truth::Unread | Truth::Yes, _) => Truth::Unread,
        }
    }

    fn judge_call(&self, call: &ModelCall<'_>, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        match &self.test {
            Test::Attachments(test) => test.judge(call, stance),
            Test::Cost(range) => estimate(facts, |estimate| estimate.micro_usd)
                .map_or(Truth::Unknown, |micro| range.judge(micro / 1e6)),
            Test::MaxTokens(range) => match call.max_tokens {
                Some(tokens) => range.judge_count(tokens),
                // Left out, there is no limit.
                None => range.judge(f64::INFINITY),
            },
            Test::Model(words) => match call.model {
                Some(model) => words.judge(model, stance),
                None if facts::vocabulary::asks_a_model(facts::vocabulary::operation(
                    call.operation,
                )) =>
                {
                    Truth::Unknown
                }
                None => Truth::No,
            },
            Test::Operation(words) => {
                words.judge(facts::vocabulary::operation(call.operation), stance)
            }
            Test::Provider(words) => {
                words.judge(facts::vocabulary::provider(call.provider), stance)
            }
            Test::Stream(wanted) => Truth::of(call.stream == *wanted),
            // The default of every provider.
            Test::Temperature(range) => range.judge(call.temperature.unwrap_or(1.0)),
            Test::Tokens(range) => estimate(facts, |estimate| estimate.tokens)
                .map_or(Truth::Unknown, |tokens| range.judge(tokens)),
            Test::ToolCall(test) => {
                stance.over(facts::tool_calls(call).map(|call| test.judge(call, facts, stance)))
            }
            Test::ToolChoice(words) => {
                tool_choice(call).judge(words.absent(), |choice| words.judge(choice, stance))
            }
            Test::ToolKind(words) => {
                let kinds = call.tools.iter().map(|tool| tool.kind.as_str());
                stance.over(kinds.map(|kind| words.judge(kind, stance)))
            }
            Test::Tools(words) => {
                let names = call.tools.iter().map(|tool| tool.name);
                stance.over(names.map(|name| words.judge(name, stance)))
            }
            // The others are not about requests to models.
            Test::ContentType(_)
            | Test::Group(_)
            | Test::Header(_)
            | Test::HostData(_)
            | Test::Mcp(_)
            | Test::Messages(_)
            | Test::Principal(_)
            | Test::Query(_)
            | Test::Schema(_)
            | Test::Size(_)
            | Test::Text(_)
            | Test::Webhook(_) => Truth::Unknown,
        }
    }

    /// Whether it asks what a request will take, which somebody must estimate.
    pub(crate) fn reads_estimate(&self) -> bool {
        matches!(self.test, Test::Cost(_) | Test::Tokens(_))
    }
}

/// A principal is in a group when one of its groups is among the words, whoever asks.
fn group(words: &Words, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
    let Some(principal) = facts.question.principal else {
        return words.absent();
    };
    let groups = principal.groups.iter();
    let mut judged = groups.map(|group| words.judge(group, stance));
    match words.absent() {
        Truth::Yes => Truth::of(judged.all(|truth| truth == Truth::Yes)),
        Truth::No | Truth::Unknown | Truth::Unread => {
            Truth::of(judged.any(|truth| truth == Truth::Yes))
        }
    }
}

fn tool_choice<'s>(call: &'s ModelCall<'s>) -> Fact<&'s str> {
    use enforcer_prompt::ToolChoice;
    match &call.tool_choice {
        None => Fact::Absent,
        Some(ToolChoice::Allowed(_)) => Fact::Known("allowed"),
        Some(ToolChoice::Auto) => Fact::Known("auto"),
        Some(ToolChoice::None) => Fact::Known("none"),
        Some(ToolChoice::Other(_)) => Fact::Unknown,
        Some(ToolChoice::Required) => Fact::Known("required"),
        Some(ToolChoice::Tool(name)) => Fact::Known(name),
    }
}

fn estimate(facts: &Facts<'_, '_>, of: impl Fn(crate::Estimate) -> Option<u64>) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts that differ only beyond 2^53 are all far too large"
    )]
    let value = |count: u64| count as f64;
    of(facts.request()?.estimate).map(value)
}

/// Words of a closed list.
fn one_of(entry: Entry<'_>, known: &[&str], reader: &mut Reader<'_>) -> Option<Words> {
    let what = entry.key.clone();
    Words::read_with(entry, reader, |word| {
        if known.contains(&word) {
            return Ok(());
        }
        let fault = Fault::new(format!("`{}` is no {what} that is known", excerpt(word)));
        Err(fault.with_hint(match did_you_mean(word, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write one of {}", listed(known)),
        }))
    })
}

fn boolean(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<bool> {
    let text = fields::text(entry, reader.findings)?;
    match &*text.text {
        "true" => Some(true),
        "false" => Some(false),
        other => {
            let message = format!("`{}` is neither true nor false", excerpt(other));
            let hint = "write `true` or `false`".to_owned();
            reader.findings.error(text.spot, message, Some(hint));
            None
        }
    }
}

fn is_media_type(word: &str) -> Result<(), Fault> {
    let sound = (word.contains('/') || word == "*")
        && word
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b';');
    match sound && word.to_ascii_lowercase() == word {
        true => Ok(()),
        false => {
            let fault = Fault::new(format!("`{}` is no media type", excerpt(word)));
            Err(fault.with_hint(
                "write it in lower case without parameters, as in `application/json` or `image/*`",
            ))
        }
    }
}
