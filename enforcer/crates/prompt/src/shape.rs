//! From a request's head to what its body must be.

mod media;
mod path;

pub(crate) use path::decode as percent_decoded;

/// What a request's head says, as far as its body's meaning depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head<'a> {
    /// The host asked for, normalised: lower case, no port.
    pub host: &'a str,
    /// The method.
    pub method: &'a str,
    /// The path as sent, without the query.
    pub path: &'a str,
    /// The query as sent, without `?`.
    pub query: Option<&'a str>,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// Whether it carries headers that only MCP has (`Mcp-Session-Id`, `Mcp-Protocol-Version`, `Mcp-Method`, …).
    pub mcp: bool,
    /// Whether it asks to become a WebSocket.
    pub websocket: bool,
}

/// What an answer's head says.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerHead<'a> {
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
}

/// What a body must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Whose interface, and what of it.
    pub api: Api,
    /// How the body is written.
    pub media: Media,
    /// The model, where the path or the query names it.
    pub model: Option<String>,
    /// An id that the path names: a thread, a file, a batch, a conversation.
    pub context: Option<String>,
    /// Whether the path or the query asks for a stream.
    pub stream: bool,
    /// Whether the method brings a body.
    pub expects_body: bool,
    /// Whether the host is known to have this interface; otherwise the path only suggests it.
    pub certain: bool,
}

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Api {
    /// MCP over streamable HTTP, as the head says; bodies that turn out to be MCP are it too.
    Mcp,
    /// A model's.
    Model(Provider, Operation),
    /// None that is known.
    Other,
}

/// Whose shape of requests it is; any host may speak it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Anthropic's messages.
    Anthropic,
    /// OpenAI's interface at Azure.
    Azure,
    /// Google's Gemini, also at Vertex.
    Gemini,
    /// OpenAI's.
    #[default]
    OpenAi,
}

/// What is asked of a model's interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Assistants, as objects.
    Assistants,
    /// `audio/speech`.
    AudioSpeech,
    /// `audio/transcriptions`.
    AudioTranscriptions,
    /// `audio/translations`.
    AudioTranslations,
    /// Batches.
    Batches,
    /// `chat/completions`, `messages`, `generateContent`.
    Chat,
    /// The old `completions`.
    Completions,
    /// Conversations and their items.
    Conversations,
    /// Tokens are counted and nothing is said.
    CountTokens,
    /// Embeddings.
    Embeddings,
    /// Files.
    Files,
    /// Fine-tuning.
    FineTuning,
    /// `images/edits`.
    ImageEdits,
    /// `images/generations`.
    ImageGenerations,
    /// `images/variations`.
    ImageVariations,
    /// Messages of a thread.
    Messages,
    /// The models, listed.
    Models,
    /// Moderations.
    Moderations,
    /// A provider's interface, and nothing that is known here.
    #[default]
    Other,
    /// Realtime sessions, over WebSocket.
    Realtime,
    /// Sessions and client secrets for realtime, made over HTTP.
    RealtimeSessions,
    /// `responses`, over HTTP or WebSocket.
    Responses,
    /// Runs of a thread, with tool outputs.
    Runs,
    /// Threads.
    Threads,
    /// Uploads in parts.
    Uploads,
    /// Vector stores.
    VectorStores,
    /// Videos.
    Videos,
}

/// How a body is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// `text/event-stream`.
    EventStream,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json` and `…+json`.
    Json,
    /// JSON documents, one a line.
    JsonLines,
    /// `multipart/form-data` and its relatives, with their boundary.
    Multipart(String),
    /// No content type.
    None,
    /// A content type that is not looked into, in lower case and without parameters.
    Other(String),
    /// `text/…`.
    Text,
    /// A content type that contradicts itself, or a charset other than UTF-8.
    Unreadable,
}

/// What the body under this head must be.
#[must_use]
pub fn recognise(head: &Head<'_>) -> Shape {
    let media = media::of(head.content_type);
    let expects_body = !["GET", "HEAD", "DELETE", "OPTIONS"].contains(&head.method);
    let mut shape = Shape {
        api: if head.mcp { Api::Mcp } else { Api::Other },
        media,
        model: None,
        context: None,
        stream: false,
        expects_body,
        certain: head.mcp,
    };
    if !head.mcp {
        path::recognise(head, &mut shape);
    }
    // What goes over the WebSocket is events, whatever the handshake says.
    if head.websocket {
        shape.media = Media::Json;
    }
    shape
}

// === impl Shape ===

impl Shape {
    /// What an answer to a request of this shape is.
    #[must_use]
    pub fn answer(&self, head: &AnswerHead<'_>) -> Shape {
        let failed = !(200..300).contains(&head.status) && head.status != 101;
        Shape {
            // What an interface says when it fails is no answer of a model.
            api: if failed { Api::Other } else { self.api },
            media: media::of(head.content_type),
            model: None,
            context: None,
            stream: self.stream,
            expects_body: false,
            certain: self.certain,
        }
    }
}

impl Shape {
    /// The same for an answer that may hold the results of a batch: files, of which the head does not say what they are, if
    /// `bytes` begin like one.
    #[must_use]
    pub fn results(&self, bytes: &[u8]) -> Option<Shape> {
        let stored = matches!(
            self.api,
            Api::Model(_, Operation::Batches | Operation::Files)
        );
        let begins = bytes.trim_ascii_start().first() == Some(&b'{');
        let is_lines = match self.media {
            Media::JsonLines => true,
            Media::None | Media::Other(_) | Media::Text => begins,
            Media::EventStream
            | Media::Form
            | Media::Json
            | Media::Multipart(_)
            | Media::Unreadable => false,
        };
        (stored && is_lines).then(|| Shape {
            media: Media::JsonLines,
            ..self.clone()
        })
    }
}

// === impl Provider ===

impl Provider {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Anthropic, Self::Azure, Self::Gemini, Self::OpenAi];

    /// As rules name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Azure => "azure",
            Self::Gemini => "gemini",
            Self::OpenAi => "openai",
        }
    }
}

// === impl Operation ===

impl Operation {
    /// Every one.
    pub const ALL: [Self; 27] = [
        Self::Assistants,
        Self::AudioSpeech,
        Self::AudioTranscriptions,
        Self::AudioTranslations,
        Self::Batches,
        Self::Chat,
        Self::Completions,
        Self::Conversations,
        Self::CountTokens,
        Self::Embeddings,
        Self::Files,
        Self::FineTuning,
        Self::ImageEdits,
        Self::ImageGenerations,
        Self::ImageVariations,
        Self::Messages,
        Self::Models,
        Self::Moderations,
        Self::Other,
        Self::Realtime,
        Self::RealtimeSessions,
        Self::Responses,
        Self::Runs,
        Self::Threads,
        Self::Uploads,
        Self::VectorStores,
        Self::Videos,
    ];

    /// As rules name it; what belongs together has one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assistants | Self::Messages | Self::Runs | Self::Threads => "assistants",
            Self::AudioSpeech | Self::AudioTranscriptions | Self::AudioTranslations => "audio",
            Self::Batches => "batches",
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Conversations => "conversations",
            Self::CountTokens => "count_tokens",
            Self::Embeddings => "embeddings",
            Self::Files => "files",
            Self::FineTuning => "fine_tuning",
            Self::ImageEdits | Self::ImageGenerations | Self::ImageVariations => "images",
            Self::Models => "models",
            Self::Moderations => "moderations",
            Self::Other => "other",
            Self::Realtime | Self::RealtimeSessions => "realtime",
            Self::Responses => "responses",
            Self::Uploads => "uploads",
            Self::VectorStores => "vector_stores",
            Self::Videos => "videos",
        }
    }
}
