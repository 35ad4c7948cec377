//! Facts as expressions see them.

use std::borrow::Cow;
use std::collections::HashMap;

use cel::Value;
use enforcer_prompt::json::{Data, Value as Json};
use enforcer_prompt::{self as prompt, ModelCall};

use crate::cel::variable::VARIABLES;
use crate::condition::argument::with_value;
use crate::document::Text;
use crate::facts::texts::Heard;
use crate::facts::{self, Facts};
use crate::truth::Fact;
use crate::{Answer, Estimate, Part};

/// Most values in one fact, lists and maps within it included.
const MAX_VALUES: usize = 20_000;

/// A fact, ready for expressions.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) value: Value,
    /// How many elements the widest list or map in it has.
    pub(crate) width: usize,
}

type Fields = HashMap<String, Value>;

/// The value of a fact by its place among [`VARIABLES`].
pub(crate) fn bind(at: usize, facts: &Facts<'_, '_>) -> Fact<Bound> {
    let question = facts.question;
    let one = |value: Value| Fact::Known(Bound { value, width: 1 });
    let name = VARIABLES.get(at).map(|variable| variable.name);
    match name.unwrap_or_default() {
        "workload" => one(workload(facts)),
        "principal" => Fact::of(question.principal).map(|principal| {
            let groups: Vec<Value> = principal.groups.iter().map(|group| text(group)).collect();
            let width = groups.len();
            let mut map = Fields::new();
            map.insert("name".to_owned(), text(principal.name));
            map.insert("groups".to_owned(), Value::from(groups));
            Bound {
                value: map.into(),
                width,
            }
        }),
        "process" => match question.process {
            Some(process) => {
                let uid = Value::Int(process.uid.into());
                one(Fields::from([("uid".to_owned(), uid)]).into())
            }
            None => Fact::Unknown,
        },
        "request" => request(facts),
        "size" => facts.size().map(|size| count(size).into()),
        "body" => facts.body().then(|read| match read.body.documents() {
            [document] => json(document.root()),
            [] => Fact::Absent,
            _ => Fact::Unknown,
        }),
        "mcp" => list(facts.mcp().then(|calls| {
            let calls: Option<Vec<Bound>> = calls.iter().map(mcp).collect();
            calls.map_or(Fact::Unknown, |calls| Fact::Known(joined(calls)))
        })),
        "messages" => list(facts.heard().map(|heard| joined(heard.iter().map(message)))),
        "answer" => Fact::of(facts.answer).then(answer),
        name => of_model(name, facts),
    }
}

/// The facts of requests to models.
fn of_model(name: &str, facts: &Facts<'_, '_>) -> Fact<Bound> {
    let estimate = facts.request().map(|request| request.estimate);
    let estimate = estimate.unwrap_or_default();
    match facts.model() {
        Fact::Absent => match facts.bodiless() {
            Some(shape) => of_call(name, Fact::Known(&facts::bare(shape)), estimate),
            None => of_call(name, Fact::Absent, estimate),
        },
        call => of_call(name, call, estimate),
    }
}

fn of_call(name: &str, call: Fact<&ModelCall<'_>>, estimate: Estimate) -> Fact<Bound> {
    let known = |count: Option<u64>| count.map_or(Fact::Unknown, Fact::Known);
    match name {
        "provider" => call.map(|call| text(facts::vocabulary::provider(call.provider)).into()),
        "operation" => call.map(|call| text(facts::vocabulary::operation(call.operation)).into()),
        "model" => call.then(|call| match call.model {
            Some(model) => Fact::Known(text(model).into()),
            None if facts::vocabulary::asks_a_model(facts::vocabulary::operation(
                call.operation,
            )) =>
            {
                Fact::Unknown
            }
            None => Fact::Absent,
        }),
        "stream" => call.map(|call| Value::Bool(call.stream).into()),
        "max_tokens" => call.then(|call| Fact::of(call.max_tokens).map(|most| count(most).into())),
        "temperature" => call.map(|call| Value::Float(call.temperature.unwrap_or(1.0)).into()),
        "tokens" => call.then(|_| known(estimate.tokens).map(|tokens| count(tokens).into())),
        "cost" => call.then(|_| {
            #[expect(
                clippy::cast_precision_loss,
                reason = "prices that differ only beyond 2^53 are all far too high"
            )]
            known(estimate.micro_usd).map(|micro| Value::Float(micro as f64 / 1e6).into())
        }),
        "tool_choice" => call.then(|call| match &call.tool_choice {
            None => Fact::Absent,
            Some(choice) => Fact::Known(choice_text(choice).into()),
        }),
        "tools" => list(call.map(|call| joined(call.tools.iter().map(tool)))),
        "attachments" => list(call.map(attachments)),
        "tool_calls" => list(call.then(|call| {
            let calls: Option<Vec<Bound>> = facts::tool_calls(call).map(tool_call).collect();
            calls.map_or(Fact::Unknown, |calls| Fact::Known(joined(calls)))
        })),
        _ => Fact::Unknown,
    }
}

/// The named lists of a policy.
pub(crate) fn lists(lists: &[(Cow<'_, str>, Vec<Text<'_>>)]) -> Value {
    let lists = lists.iter().map(|(name, values)| {
        let values: Vec<Value> = values.iter().map(|value| text(&value.text)).collect();
        (name.to_string(), Value::from(values))
    });
    lists.collect::<Fields>().into()
}

fn workload(facts: &Facts<'_, '_>) -> Value {
    let (workload, attributes) = (facts.question.workload, facts.question.attributes);
    let labels = attributes.all_labels();
    let labels: Fields = labels
        .map(|(name, value)| (name.to_owned(), text(value)))
        .collect();
    map([
        ("name", text(&workload.name)),
        ("image", maybe(attributes.image)),
        ("container", maybe(attributes.container)),
        ("pod", maybe(attributes.pod)),
        ("namespace", maybe(attributes.namespace)),
        ("unit", maybe(attributes.unit)),
        ("labels", labels.into()),
    ])
}

fn request(facts: &Facts<'_, '_>) -> Fact<Bound> {
    let Some(request) = facts.request() else {
        return Fact::Unknown;
    };
    let question = facts.question;
    let mut fields = vec![
        ("method", text(request.method)),
        ("path", text(request.path)),
        ("query", maybe(request.query)),
        ("host", text(&question.host.to_string())),
        ("port", Value::Int(question.port.into())),
        ("protocol", text(question.protocol.as_str())),
    ];
    let mut width = fields.len();
    if let Some(headers) = request.headers {
        let mut all = Fields::new();
        for name in headers.keys() {
            let values: Option<Vec<&str>> = headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().ok())
                .collect();
            // One that is not text is left out; asking for it is an error, and so a doubt.
            if let Some(values) = values {
                all.insert(name.as_str().to_owned(), text(&values.join(", ")));
            }
        }
        width = width.max(all.len());
        fields.push(("headers", all.into()));
        match facts.media_type() {
            Fact::Known(media_type) => fields.push(("content_type", text(&media_type))),
            Fact::Absent => fields.push(("content_type", Value::Null)),
            Fact::Unknown | Fact::Unread => {}
        }
    }
    Fact::Known(Bound {
        value: map(fields),
        width,
    })
}

fn message(heard: &Heard) -> Bound {
    let role = heard.role.unwrap_or("other");
    map([("role", text(role)), ("text", text(&heard.text))]).into()
}

fn tool(tool: &prompt::Tool<'_>) -> Bound {
    map([
        ("name", text(tool.name)),
        ("kind", text(tool.kind.as_str())),
        ("description", maybe(tool.description)),
    ])
    .into()
}

fn tool_call(call: &prompt::ToolCall<'_>) -> Option<Bound> {
    let Bound { value, width } = arguments(&call.arguments)?;
    Some(Bound {
        value: map([("name", text(call.name)), ("arguments", value)]),
        width,
    })
}

fn mcp(call: &facts::Call<'_>) -> Option<Bound> {
    let Bound { value, width } = match call.arguments {
        Fact::Absent => Value::Null.into(),
        Fact::Known(own) => arguments(own)?,
        Fact::Unknown | Fact::Unread => return None,
    };
    Some(Bound {
        value: map([
            ("method", maybe(call.method)),
            ("tool", maybe(call.tool)),
            ("prompt", maybe(call.prompt)),
            ("resource", maybe(call.resource)),
            ("arguments", value),
        ]),
        width,
    })
}

fn attachments(call: &ModelCall<'_>) -> Bound {
    joined(facts::attachments(call).map(|attachment| {
        map([
            ("kind", text(attachment.kind)),
            ("content_type", maybe(attachment.media_type)),
            ("name", maybe(attachment.name)),
            ("reference", maybe(attachment.reference)),
            ("size", attachment.size.map_or(Value::Null, count)),
        ])
        .into()
    }))
}

fn answer(answer: &Answer<'_>) -> Fact<Bound> {
    let mut fields = vec![
        ("status", Value::Int(answer.status.into())),
        ("content_type", maybe(answer.media_type)),
    ];
    let mut width = 1;
    match answer.part {
        Part::Bytes(bytes) => fields.push(("size", count(bytes))),
        Part::Head => {}
        Part::Listed(own) => fields.push(("tool", tool(own).value)),
        Part::Rows(rows) => fields.push(("rows", count(rows))),
        Part::Text(own) => fields.push(("text", text(own))),
        Part::ToolCall(call) => match tool_call(call) {
            Some(bound) => {
                width = bound.width;
                fields.push(("tool_call", bound.value));
            }
            None => return Fact::Unknown,
        },
        Part::Undecidable(_) => return Fact::Unknown,
    }
    Fact::Known(Bound {
        value: map(fields),
        width,
    })
}

/// Arguments as a value; text that is no JSON is text. None when there is too much of it.
fn arguments(arguments: &prompt::Arguments<'_>) -> Option<Bound> {
    let bound = with_value(arguments, json);
    match (bound, arguments) {
        (Some(Fact::Known(bound)), _) => Some(bound),
        (Some(_), _) | (None, prompt::Arguments::Value(_)) => None,
        (None, prompt::Arguments::Text(own)) => Some(text(own).into()),
    }
}

fn json(value: &Json<'_>) -> Fact<Bound> {
    let (mut left, mut width) = (MAX_VALUES, 1);
    match convert(value, &mut left, &mut width) {
        Some(value) => Fact::Known(Bound { value, width }),
        None => Fact::Unknown,
    }
}

/// None when there are too many values.
fn convert(value: &Json<'_>, left: &mut usize, width: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    Some(match value.data() {
        Data::Array(elements) => {
            *width = (*width).max(elements.len());
            let elements: Option<Vec<Value>> = elements
                .iter()
                .map(|element| convert(element, left, width))
                .collect();
            elements?.into()
        }
        Data::Object(members) => {
            *width = (*width).max(members.len());
            let members: Option<Fields> = members
                .iter()
                .map(|member| {
                    let value = convert(member.value(), left, width)?;
                    Some((member.key().to_owned(), value))
                })
                .collect();
            members?.into()
        }
        Data::Bool(truth) => Value::Bool(*truth),
        Data::Null => Value::Null,
        Data::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64()),
        },
        Data::String(own) => text(own),
    })
}

/// A list that may not be there is an empty one.
fn list(fact: Fact<Bound>) -> Fact<Bound> {
    match fact {
        Fact::Absent => Fact::Known(joined([])),
        Fact::Known(_) | Fact::Unknown | Fact::Unread => fact,
    }
}

fn joined(elements: impl IntoIterator<Item = Bound>) -> Bound {
    let (mut values, mut width) = (Vec::new(), 1);
    for bound in elements {
        width = width.max(bound.width);
        values.push(bound.value);
    }
    Bound {
        width: width.max(values.len()),
        value: values.into(),
    }
}

fn map<'k>(fields: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let fields = fields.into_iter();
    let fields: Fields = fields.map(|(key, value)| (key.to_owned(), value)).collect();
    fields.into()
}

fn choice_text(choice: &prompt::ToolChoice<'_>) -> Value {
    use prompt::ToolChoice;
    match choice {
        ToolChoice::Allowed(_) => text("allowed"),
        ToolChoice::Auto => text("auto"),
        ToolChoice::None => text("none"),
        ToolChoice::Other(_) => text("other"),
        ToolChoice::Required => text("required"),
        ToolChoice::Tool(name) => text(name),
    }
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn maybe(value: Option<&str>) -> Value {
    value.map_or(Value::Null, text)
}

fn count(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

impl From<Value> for Bound {
    fn from(value: Value) -> Self {
        Self { value, width: 1 }
    }
}
