//! Which interface's events they are, and so where their texts stand.

use serde_json::Value as Json;

use super::sheet::{Piece, Sheet};
use super::{anthropic, assistants, chat, gemini, responses};
use crate::json::Value;
use crate::{Api, Operation, Provider};

/// An interface by where its texts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edit) enum Layout {
    Anthropic,
    Assistants,
    /// Chat completions, and the old completions.
    Chat,
    Gemini,
    /// MCP: no text goes on with another message.
    Mcp,
    /// Responses, realtime sessions, transcriptions.
    Responses,
}

impl Layout {
    /// That of an interface; none where only its events can tell.
    pub(in crate::edit) fn of_api(api: Api) -> Option<Self> {
        let (provider, operation) = match api {
            Api::Mcp => return Some(Self::Mcp),
            Api::Model(provider, operation) => (provider, operation),
            Api::Other => return None,
        };
        match (provider, operation) {
            (Provider::Anthropic, Operation::Chat) => Some(Self::Anthropic),
            (Provider::Gemini, Operation::Chat) => Some(Self::Gemini),
            (_, Operation::Chat) => Some(Self::Chat),
            (Provider::Azure | Provider::OpenAi, Operation::Completions) => Some(Self::Chat),
            (
                _,
                Operation::AudioTranscriptions
                | Operation::AudioTranslations
                | Operation::Conversations
                | Operation::Realtime
                | Operation::Responses,
            ) => Some(Self::Responses),
            (_, Operation::Messages | Operation::Runs | Operation::Threads) => {
                Some(Self::Assistants)
            }
            (
                _,
                Operation::Assistants
                | Operation::AudioSpeech
                | Operation::Batches
                | Operation::Completions
                | Operation::CountTokens
                | Operation::Embeddings
                | Operation::Files
                | Operation::FineTuning
                | Operation::ImageEdits
                | Operation::ImageGenerations
                | Operation::ImageVariations
                | Operation::Models
                | Operation::Moderations
                | Operation::Other
                | Operation::RealtimeSessions
                | Operation::Uploads
                | Operation::VectorStores
                | Operation::Videos,
            ) => None,
        }
    }

    /// That of an event whose interface nobody has named.
    pub(super) fn of(root: &Value<'_>) -> Option<Self> {
        let is_list = |name| root.get(name).is_some_and(|it| it.as_array().is_some());
        let text = |name| root.get(name).and_then(Value::as_str);
        if is_list("choices") {
            return Some(Self::Chat);
        }
        if is_list("candidates") {
            return Some(Self::Gemini);
        }
        if text("jsonrpc").is_some() {
            return Some(Self::Mcp);
        }
        match (text("type"), text("object")) {
            (Some(kind), _) if kind.starts_with("content_block_") => Some(Self::Anthropic),
            (Some("message_delta" | "message_start" | "message_stop"), _) => Some(Self::Anthropic),
            (Some(kind), _) if kind.starts_with("response.") => Some(Self::Responses),
            (Some(kind), _) if kind.ends_with(".delta") || kind.ends_with(".done") => {
                Some(Self::Responses)
            }
            (_, Some(object)) if object.starts_with("thread.") => Some(Self::Assistants),
            (_, _) => None,
        }
    }

    pub(super) fn read<'v>(self, root: &'v Value<'v>, sheet: &mut Sheet<'v>) {
        match self {
            Self::Anthropic => anthropic::read(root, sheet),
            Self::Assistants => assistants::read(root, sheet),
            Self::Chat => chat::read(root, sheet),
            Self::Gemini => gemini::read(root, sheet),
            Self::Mcp => {}
            Self::Responses => responses::read(root, sheet),
        }
    }

    /// An event that brings what is held of a text, made of the one that brought a piece of it.
    pub(super) fn event(self, root: &Value<'_>, piece: &Piece<'_>) -> Json {
        match self {
            Self::Anthropic => anthropic::event(root, piece),
            Self::Assistants => assistants::event(root, piece),
            Self::Chat => chat::event(root, piece),
            Self::Gemini => gemini::event(root, piece),
            Self::Mcp => Json::Null,
            Self::Responses => responses::event(root, piece),
        }
    }

    /// What such an event is called, where the other was called `name`.
    pub(super) fn name(self, name: &[u8]) -> &[u8] {
        match self {
            Self::Anthropic => b"content_block_delta",
            Self::Assistants | Self::Chat | Self::Gemini | Self::Mcp | Self::Responses => name,
        }
    }

    /// Whether events may be something else than documents.
    pub(super) fn is_lax(self) -> bool {
        self == Self::Mcp
    }
}
