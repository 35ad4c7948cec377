//! Words that rules have for what requests to models are: providers, operations, roles.

use enforcer_prompt::{Operation, Provider, Role};

/// The word for a provider.
pub(crate) fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::Anthropic => "anthropic",
        Provider::Azure => "azure",
        Provider::Gemini => "gemini",
        Provider::OpenAi => "openai",
    }
}

/// Every word that [`provider`] has.
pub(crate) const PROVIDERS: [&str; 4] = ["anthropic", "azure", "gemini", "openai"];

/// The word for an operation; what belongs together has one.
pub(crate) fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Assistants | Operation::Threads | Operation::Messages | Operation::Runs => {
            "assistants"
        }
        Operation::AudioSpeech | Operation::AudioTranscriptions | Operation::AudioTranslations => {
            "audio"
        }
        Operation::Batches => "batches",
        Operation::Chat => "chat",
        Operation::Completions => "completions",
        Operation::Conversations => "conversations",
        Operation::CountTokens => "count_tokens",
        Operation::Embeddings => "embeddings",
        Operation::Files => "files",
        Operation::FineTuning => "fine_tuning",
        Operation::ImageEdits | Operation::ImageGenerations | Operation::ImageVariations => {
            "images"
        }
        Operation::Models => "models",
        Operation::Moderations => "moderations",
        Operation::Other => "other",
        Operation::Realtime | Operation::RealtimeSessions => "realtime",
        Operation::Responses => "responses",
        Operation::Uploads => "uploads",
        Operation::VectorStores => "vector_stores",
        Operation::Videos => "videos",
    }
}

/// Every word that [`operation`] has.
pub(crate) const OPERATIONS: [&str; 19] = [
    "assistants",
    "audio",
    "batches",
    "chat",
    "completions",
    "conversations",
    "count_tokens",
    "embeddings",
    "files",
    "fine_tuning",
    "images",
    "models",
    "moderations",
    "other",
    "realtime",
    "responses",
    "uploads",
    "vector_stores",
    "videos",
];

/// Whether an operation asks a model, so that it must say which.
pub(crate) fn asks_a_model(operation: &str) -> bool {
    !matches!(
        operation,
        "assistants"
            | "batches"
            | "conversations"
            | "files"
            | "models"
            | "uploads"
            | "vector_stores"
    )
}

/// The roles that rules name.
pub(crate) const ROLES: [&str; 5] = ["assistant", "developer", "system", "tool", "user"];

/// The word for a role; none for one that is not known here.
pub(crate) fn role(role: Role<'_>) -> Option<&'static str> {
    match role {
        Role::Assistant => Some("assistant"),
        Role::Developer => Some("developer"),
        Role::Other(_) => None,
        Role::System => Some("system"),
        Role::Tool => Some("tool"),
        Role::User => Some("user"),
    }
}
