//! What a body says, the same for all providers. None and empty mean that it is seen not to be there.

use serde_json::Value;

/// A request's body, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// How long it is, as sent.
    pub bytes: u64,
    /// Its media type in lower case, without parameters.
    pub media_type: Option<Box<str>>,
    /// All of it, if it is JSON.
    pub json: Option<Value>,
    /// Whose shape it has, if it is for a model.
    pub provider: Option<Provider>,
    /// What is asked of the model.
    pub operation: Option<Operation>,
    /// The model.
    pub model: Option<Box<str>>,
    /// What is said, instructions included (as [`Role::System`]), in the order it stands there.
    pub messages: Vec<Message>,
    /// The tools the model may ask for.
    pub tools: Vec<Tool>,
    /// What the request says about the use of tools.
    pub tool_choice: Option<Box<str>>,
    /// The tool calls in the history that the request repeats.
    pub tool_calls: Vec<ToolCall>,
    /// What is attached.
    pub attachments: Vec<Attachment>,
    /// The most tokens the answer may have.
    pub max_tokens: Option<u64>,
    /// Whether the answer is to be streamed.
    pub stream: Option<bool>,
    /// The sampling temperature.
    pub temperature: Option<f64>,
    /// What is asked of an MCP server.
    pub mcp: Option<Mcp>,
    /// Every other text in the body: the strings and keys of JSON that has no known shape, the fields of forms, plain
    /// text.
    pub texts: Vec<Box<str>>,
}

/// Whose shape a body has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Anthropic's messages.
    Anthropic,
    /// Azure's OpenAI.
    Azure,
    /// A host that speaks as OpenAI does.
    Compatible,
    /// Google's Gemini.
    Gemini,
    /// OpenAI.
    OpenAi,
}

/// What is asked of a model's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Assistants, threads and their runs.
    Assistants,
    /// Speech and transcripts.
    Audio,
    /// Batches.
    Batches,
    /// Chat completions and messages.
    Chat,
    /// Plain completions.
    Completions,
    /// Embeddings.
    Embeddings,
    /// Files.
    Files,
    /// Fine-tuning.
    FineTuning,
    /// Images.
    Images,
    /// The list of models.
    Models,
    /// Moderations.
    Moderations,
    /// Realtime sessions.
    Realtime,
    /// Responses.
    Responses,
    /// Uploads in parts.
    Uploads,
}

/// Something said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// By whom.
    pub role: Role,
    /// What, with its parts joined by line feeds.
    pub text: String,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The model.
    Assistant,
    /// The author of the program, with more weight than the user.
    Developer,
    /// The program's instructions.
    System,
    /// A tool, by its result.
    Tool,
    /// The person, or the agent in its place.
    User,
}

/// A tool that is offered to the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// What kind of tool: `function`, `web_search`, `mcp` and so on.
    pub kind: Box<str>,
    /// Its name; its kind where it has none of its own.
    pub name: Box<str>,
    /// What it is said to do.
    pub description: Option<Box<str>>,
}

/// A tool call.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The tool's name.
    pub name: Box<str>,
    /// Its arguments; none when they cannot be read in one way only.
    pub arguments: Option<Value>,
}

/// Something attached to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its media type, as said or as its kind implies.
    pub media_type: Option<Box<str>>,
    /// How long it is, if it is in the body.
    pub bytes: Option<u64>,
    /// Where it is, if it is not.
    pub url: Option<Box<str>>,
}

/// A message to an MCP server.
#[derive(Clone, Debug, PartialEq)]
pub struct Mcp {
    /// The method.
    pub method: Box<str>,
    /// The tool, of `tools/call`.
    pub tool: Option<Box<str>>,
    /// The tool's arguments.
    pub arguments: Option<Value>,
}

/// A tool in an MCP server's listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: Box<str>,
    /// What it is said to do, with what its arguments are said to be.
    pub description: String,
    /// A fingerprint of all the listing says of it: `sha256:` and hexadecimal digits.
    pub digest: Box<str>,
}

// === impl Provider ===

impl Provider {
    /// Every one, in the order of their words.
    pub const ALL: [Self; 5] = [
        Self::Anthropic,
        Self::Azure,
        Self::Compatible,
        Self::Gemini,
        Self::OpenAi,
    ];

    /// The word used in policies and the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Azure => "azure",
            Self::Compatible => "compatible",
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
        }
    }
}

// === impl Operation ===

impl Operation {
    /// Every one, in the order of their words.
    pub const ALL: [Self; 14] = [
        Self::Assistants,
        Self::Audio,
        Self::Batches,
        Self::Chat,
        Self::Completions,
        Self::Embeddings,
        Self::Files,
        Self::FineTuning,
        Self::Images,
        Self::Models,
        Self::Moderations,
        Self::Realtime,
        Self::Responses,
        Self::Uploads,
    ];

    /// The word used in policies and the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assistants => "assistants",
            Self::Audio => "audio",
            Self::Batches => "batches",
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Files => "files",
            Self::FineTuning => "fine_tuning",
            Self::Images => "images",
            Self::Models => "models",
            Self::Moderations => "moderations",
            Self::Realtime => "realtime",
            Self::Responses => "responses",
            Self::Uploads => "uploads",
        }
    }
}

// === impl Role ===

impl Role {
    /// Every one, in the order of their words.
    pub const ALL: [Self; 5] = [
        Self::Assistant,
        Self::Developer,
        Self::System,
        Self::Tool,
        Self::User,
    ];

    /// The word used in policies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assistant => "assistant",
            Self::Developer => "developer",
            Self::System => "system",
            Self::Tool => "tool",
            Self::User => "user",
        }
    }
}
