//! A request to a model, whatever the provider calls its fields.

use crate::json::Value;
use crate::{Operation, Provider};

/// One request to a model, borrowed from its body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelCall<'b> {
    /// Whose interface it is.
    pub provider: Provider,
    /// Which of its operations.
    pub operation: Operation,
    /// The model, deployment or engine; from the body, or from the path where it is there.
    pub model: Option<&'b str>,
    /// What stands above the conversation: `instructions`, a session's instructions.
    pub instructions: Vec<&'b str>,
    /// The conversation, in order; system prompts that have a field of their own come first.
    pub messages: Vec<Message<'b>>,
    /// The tools that the model is offered.
    pub tools: Vec<Tool<'b>>,
    /// What it is told about using them.
    pub tool_choice: Option<ToolChoice<'b>>,
    /// Files that are no part of a message: uploads, masks, references by id.
    pub attachments: Vec<Attachment<'b>>,
    /// How many tokens it may answer with.
    pub max_tokens: Option<u64>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// How many answers, or pictures.
    pub n: Option<u64>,
    /// Context that the provider holds and this body does not show: an earlier response, a thread, a conversation, a
    /// stored prompt, cached content.
    pub context: Vec<&'b str>,
    /// Whether it asks for no answer: an event of a socket that only adds to what is said, or moves it.
    pub silent: bool,
    /// What is in the body and is not known here, by place.
    pub unknown: Vec<Unknown<'b>>,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'b> {
    /// Who speaks.
    pub role: Role<'b>,
    /// The participant's name, where given.
    pub name: Option<&'b str>,
    /// What is said.
    pub parts: Vec<Part<'b>>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role<'b> {
    /// The model.
    Assistant,
    /// The program's author, to the model.
    Developer,
    /// A role that is not known here.
    Other(&'b str),
    /// The system prompt.
    System,
    /// What a tool gave back.
    Tool,
    /// The person, or the program for it.
    User,
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Part<'b> {
    /// A picture, sound, document or file.
    Attachment(Attachment<'b>),
    /// The model declined.
    Refusal(&'b str),
    /// Words.
    Text(&'b str),
    /// What the model thought, where it is readable.
    Thinking(&'b str),
    /// The model asked for a tool.
    ToolCall(ToolCall<'b>),
    /// A tool's answer.
    ToolResult(ToolResult<'b>),
    /// A type that is not known here.
    Unknown(Unknown<'b>),
}

/// Something that is not known here, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Unknown<'b> {
    /// A JSON pointer to it.
    pub place: String,
    /// The type or the key that is not known.
    pub name: &'b str,
    /// All of it.
    pub value: &'b Value<'b>,
}

/// A file by value or by reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment<'b> {
    /// `image`, `audio`, `video`, `document` or `file`.
    pub kind: &'static str,
    /// Its media type, where it is said.
    pub media_type: Option<&'b str>,
    /// Its file name, where it is said.
    pub name: Option<&'b str>,
    /// Its size in bytes, decoded, where it is in the body.
    pub size: Option<u64>,
    /// An URL, or the provider's id of it, where it is not in the body.
    pub reference: Option<&'b str>,
}

/// A tool that a model is offered, or that an MCP server lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool<'b> {
    /// Who would run it.
    pub kind: ToolKind,
    /// Its name; for a provider's own tool the type.
    pub name: &'b str,
    /// What the model is told about it.
    pub description: Option<&'b str>,
    /// The schema of its arguments.
    pub parameters: Option<&'b Value<'b>>,
    /// The server's URL or label, for tools of a remote MCP server.
    pub server: Option<&'b str>,
    /// All of it, as declared.
    pub value: &'b Value<'b>,
}

/// Who runs a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolKind {
    /// The agent, on its screen, shell or editor, by the provider's own schema.
    Computer,
    /// The agent, with free text as input.
    Custom,
    /// The agent, with JSON as arguments.
    Function,
    /// The provider.
    Hosted,
    /// The provider, at a remote MCP server; or the server that lists it.
    Mcp,
    /// Nobody: it is a prompt that an MCP server lists.
    Prompt,
    /// Nobody: it is a resource that an MCP server lists, named by its URI.
    Resource,
    /// Nobody: it is a template of resources that an MCP server lists, named by its URI.
    ResourceTemplate,
    /// Nobody knows.
    Unknown,
}

/// What the model is told about using tools.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolChoice<'b> {
    /// It may choose among these only.
    Allowed(Vec<&'b str>),
    /// It chooses.
    Auto,
    /// It must use none.
    None,
    /// Something that is not known here.
    Other(&'b Value<'b>),
    /// It must use some tool.
    Required,
    /// It must use this one.
    Tool(&'b str),
}

/// A model asks for a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall<'b> {
    /// Who runs it.
    pub kind: ToolKind,
    /// Which tool; for a provider's own tool the type.
    pub name: &'b str,
    /// With what.
    pub arguments: Arguments<'b>,
    /// The provider's id of the call.
    pub id: Option<&'b str>,
    /// The MCP server's label, where it is one.
    pub server: Option<&'b str>,
}

/// Arguments of a tool call: text that should be JSON, or a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Arguments<'b> {
    /// JSON inside a string, not parsed; or free text of a custom tool.
    Text(&'b str),
    /// A value of the document.
    Value(&'b Value<'b>),
}

/// What a tool gave back.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult<'b> {
    /// Of which call.
    pub id: Option<&'b str>,
    /// Of which tool, where it is said.
    pub name: Option<&'b str>,
    /// Its texts and attachments.
    pub parts: Vec<Part<'b>>,
    /// Whether the agent says that it failed.
    pub failed: bool,
}

// === impl Role ===

impl Role<'_> {
    /// As rules name it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Assistant => "assistant",
            Self::Developer => "developer",
            Self::Other(name) => name,
            Self::System => "system",
            Self::Tool => "tool",
            Self::User => "user",
        }
    }
}

// === impl ToolKind ===

impl ToolKind {
    /// As rules name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Computer => "computer",
            Self::Custom => "custom",
            Self::Function => "function",
            Self::Hosted => "hosted",
            Self::Mcp => "mcp",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::ResourceTemplate => "resource_template",
            Self::Unknown => "unknown",
        }
    }
}

// === impl Message ===

impl<'b> Message<'b> {
    /// What somebody says in plain words.
    pub(crate) fn user(text: &'b str) -> Self {
        Self {
            role: Role::User,
            name: None,
            parts: vec![Part::Text(text)],
        }
    }
}
