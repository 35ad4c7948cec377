//! What a question says, read once and only as far as a rule asks.

use std::cell::{OnceCell, RefCell};

use enforcer_prompt::{self as prompt, McpMethod, ModelCall, Part, ToolKind};

use crate::cel::value::{self, Bound};
use crate::facts::texts::{Heard, Strings};
use crate::lexicon::{Automata, Hits};
use crate::truth::Fact;
use crate::{Answer, Body, Question, Request};

mod head;
pub(crate) mod texts;
pub(crate) mod vocabulary;

/// A question, what is known of the answer, and what was read out of both so far.
pub(crate) struct Facts<'s, 'a> {
    pub(crate) question: &'s Question<'a>,
    pub(crate) answer: Option<&'s Answer<'s>>,
    /// A message that is imagined in place of the body, to know whether it could be allowed.
    imagined: Option<Call<'s>>,
    automata: &'s Automata,
    shape: OnceCell<Option<prompt::Shape>>,
    heard: OnceCell<Vec<Heard>>,
    strings: OnceCell<Option<Hits>>,
    /// What expressions have asked for, by place.
    bound: RefCell<Vec<Option<Fact<Bound>>>>,
}

/// A message to an MCP server, as far as rules speak of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'s> {
    pub(crate) method: Option<&'s str>,
    pub(crate) tool: Option<&'s str>,
    pub(crate) prompt: Option<&'s str>,
    pub(crate) resource: Option<&'s str>,
    pub(crate) arguments: Fact<&'s prompt::Arguments<'s>>,
}

// === impl Facts ===

impl<'s, 'a> Facts<'s, 'a> {
    pub(crate) fn new(question: &'s Question<'a>, automata: &'s Automata) -> Self {
        Self {
            question,
            answer: None,
            imagined: None,
            automata,
            shape: OnceCell::new(),
            heard: OnceCell::new(),
            strings: OnceCell::new(),
            bound: RefCell::new(Vec::new()),
        }
    }

    /// The same for a part of the answer.
    pub(crate) fn of_answer(
        question: &'s Question<'a>,
        answer: &'s Answer<'s>,
        automata: &'s Automata,
    ) -> Self {
        Self {
            answer: Some(answer),
            ..Self::new(question, automata)
        }
    }

    /// The same with another message in place of the body.
    pub(crate) fn imagining(
        question: &'s Question<'a>,
        call: Call<'s>,
        automata: &'s Automata,
    ) -> Self {
        Self {
            imagined: Some(call),
            ..Self::new(question, automata)
        }
    }

    pub(crate) fn request(&self) -> Option<&Request<'a>> {
        self.question.request.as_ref()
    }

    /// The body, whatever it is for.
    pub(crate) fn body(&self) -> Fact<crate::Read<'a>> {
        if self.imagined.is_some() {
            return Fact::Unknown;
        }
        match self.request().map(|request| request.body) {
            Some(Body::None) => Fact::Absent,
            Some(Body::Read(read)) => Fact::Known(read),
            Some(Body::Later | Body::Unread) => Fact::Unread,
            Some(Body::Undecidable(_)) | None => Fact::Unknown,
        }
    }

    /// The request to a model, if it is one.
    pub(crate) fn model(&self) -> Fact<&'a ModelCall<'a>> {
        if self.imagined.is_some() {
            return Fact::Absent;
        }
        self.body().then(|read| match read.content {
            prompt::Content::Model(call) => Fact::Known(&**call),
            prompt::Content::Empty | prompt::Content::Mcp { .. } | prompt::Content::Plain => {
                Fact::Absent
            }
        })
    }

    /// The messages to an MCP server, if it is one.
    pub(crate) fn mcp(&self) -> Fact<Vec<Call<'_>>> {
        if let Some(call) = self.imagined {
            return Fact::Known(vec![call]);
        }
        self.body().then(|read| match read.content {
            prompt::Content::Mcp { messages, .. } => {
                Fact::Known(messages.iter().map(call).collect())
            }
            prompt::Content::Empty | prompt::Content::Model(_) | prompt::Content::Plain => {
                Fact::Absent
            }
        })
    }

    /// Whether an MCP server is asked to list what it has.
    pub(crate) fn lists(&self) -> bool {
        match self.mcp() {
            Fact::Known(calls) => calls
                .iter()
                .any(|call| call.method.is_some_and(|method| LISTINGS.contains(&method))),
            Fact::Absent | Fact::Unknown | Fact::Unread => false,
        }
    }

    /// How long the body is.
    pub(crate) fn size(&self) -> Fact<u64> {
        if self.imagined.is_some() {
            return Fact::Unknown;
        }
        match self.request().and_then(|request| request.length) {
            Some(length) => Fact::Known(length),
            None => match self.body() {
                Fact::Absent => Fact::Known(0),
                other => other.map(|read| read.bytes),
            },
        }
    }

    /// The media type the head says, in lower case and without parameters.
    pub(crate) fn media_type(&self) -> Fact<String> {
        let Some(headers) = self.request().and_then(|request| request.headers) else {
            return Fact::Unknown;
        };
        let mut values = headers.get_all(http::header::CONTENT_TYPE).iter();
        match (values.next(), values.next()) {
            (None, _) => Fact::Absent,
            (Some(value), None) => match value.to_str() {
                Ok(value) => Fact::Known(essence(value)),
                Err(_) => Fact::Unknown,
            },
            (Some(_), Some(_)) => Fact::Unknown,
        }
    }

    /// What is said, each with its role and what is found in it.
    pub(crate) fn heard(&self) -> Fact<&[Heard]> {
        self.model().map(|call| {
            let heard = self.heard.get_or_init(|| texts::hear(call, self.automata));
            heard.as_slice()
        })
    }

    /// What is found in any string of the body; unknown when there is something in it that is no text.
    pub(crate) fn strings(&self) -> Fact<&Hits> {
        self.body().then(|read| {
            let hits = self.strings.get_or_init(|| {
                let mut strings = Strings::new(self.automata);
                strings.body(read.body).then(|| strings.into_hits())
            });
            match hits {
                Some(hits) => Fact::Known(hits),
                None => Fact::Unknown,
            }
        })
    }

    /// A fact for expressions, by its place among the variables.
    pub(crate) fn bound(&self, at: usize) -> Fact<Bound> {
        if let Some(Some(bound)) = self.bound.borrow().get(at) {
            return bound.clone();
        }
        let value = value::bind(at, self);
        let mut bound = self.bound.borrow_mut();
        if bound.len() <= at {
            bound.resize(at + 1, None);
        }
        if let Some(place) = bound.get_mut(at) {
            *place = Some(value.clone());
        }
        value
    }

    /// What is found in a text of the answer.
    pub(crate) fn search(&self, text: &str) -> Hits {
        self.automata.search(text)
    }
}

/// What asks an MCP server to list what it has.
const LISTINGS: [&str; 4] = [
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "tools/list",
];

// === impl Call ===

impl<'s> Call<'s> {
    /// The message by which something in a listing would be asked for. None for what is asked for in no way of its own.
    pub(crate) fn of(listed: &prompt::Tool<'s>) -> Option<Self> {
        let call = Self {
            method: None,
            tool: None,
            prompt: None,
            resource: None,
            arguments: Fact::Unknown,
        };
        let name = Some(listed.name);
        match listed.kind {
            ToolKind::Prompt => Some(Self {
                method: Some("prompts/get"),
                prompt: name,
                ..call
            }),
            ToolKind::Resource => Some(Self {
                method: Some("resources/read"),
                resource: name,
                arguments: Fact::Absent,
                ..call
            }),
            // Which resources will come of it is not known.
            ToolKind::ResourceTemplate => None,
            ToolKind::Computer
            | ToolKind::Custom
            | ToolKind::Function
            | ToolKind::Hosted
            | ToolKind::Mcp
            | ToolKind::Unknown => Some(Self {
                method: Some("tools/call"),
                tool: name,
                ..call
            }),
        }
    }
}

fn call<'s>(message: &'s prompt::McpMessage<'s>) -> Call<'s> {
    match &message.method {
        McpMethod::Request {
            method,
            name,
            uri,
            arguments,
            ..
        } => Call {
            method: Some(method),
            tool: name.filter(|_| *method == "tools/call"),
            prompt: name.filter(|_| *method == "prompts/get"),
            resource: *uri,
            arguments: Fact::of(arguments.as_ref()),
        },
        McpMethod::Failure(_) | McpMethod::Result { .. } => Call {
            method: None,
            tool: None,
            prompt: None,
            resource: None,
            arguments: Fact::Absent,
        },
    }
}

/// A media type in lower case, without parameters.
pub(crate) fn essence(value: &str) -> String {
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// The request to a model that a head without a body makes.
pub(crate) fn bare(shape: &prompt::Shape) -> ModelCall<'_> {
    let mut call = ModelCall::default();
    if let prompt::Api::Model(provider, operation) = shape.api {
        (call.provider, call.operation) = (provider, operation);
    }
    call.model = shape.model.as_deref();
    call.stream = shape.stream;
    call
}

/// The tool calls in what is said.
pub(crate) fn tool_calls<'s>(
    call: &'s ModelCall<'s>,
) -> impl Iterator<Item = &'s prompt::ToolCall<'s>> {
    parts(call).filter_map(|part| match part {
        Part::ToolCall(call) => Some(call),
        Part::Attachment(_)
        | Part::Refusal(_)
        | Part::Text(_)
        | Part::Thinking(_)
        | Part::ToolResult(_)
        | Part::Unknown(_) => None,
    })
}

/// What is attached, to messages, to tools' results and to the whole.
pub(crate) fn attachments<'s>(
    call: &'s ModelCall<'s>,
) -> impl Iterator<Item = &'s prompt::Attachment<'s>> {
    let in_parts = parts(call).flat_map(|part| match part {
        Part::Attachment(attachment) => vec![attachment],
        Part::ToolResult(result) => result
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::Attachment(attachment) => Some(attachment),
                Part::Refusal(_)
                | Part::Text(_)
                | Part::Thinking(_)
                | Part::ToolCall(_)
                | Part::ToolResult(_)
                | Part::Unknown(_) => None,
            })
            .collect(),
        Part::Refusal(_)
        | Part::Text(_)
        | Part::Thinking(_)
        | Part::ToolCall(_)
        | Part::Unknown(_) => Vec::new(),
    });
    in_parts.chain(&call.attachments)
}

fn parts<'s>(call: &'s ModelCall<'s>) -> impl Iterator<Item = &'s Part<'s>> {
    call.messages.iter().flat_map(|message| &message.parts)
}
