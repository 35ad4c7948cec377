//! What fields there are, in words: for the schema that editors use and for the page that teaches the language.

/// What kind of value a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// A map of arguments' names and tests.
    Arguments,
    /// `true` or `false`.
    Boolean,
    /// Commands.
    Commands,
    /// A map of names and words.
    Headers,
    /// A map with these fields.
    Map(&'static [Field]),
    /// A number or bounds.
    Number,
    /// One of a closed list of words, or several, or `not:` these.
    OneOf(&'static [&'static str]),
    /// A map of tools' names and fingerprints.
    Pins,
    /// A JSON Schema.
    Schema,
    /// A size or bounds.
    Size,
    /// Keywords, or a map of keywords and patterns, with roles or without.
    Text { roles: bool },
    /// Words, or a map with these fields.
    WordsOr(&'static [Field]),
    /// Words with `*` in them, or `not:` these.
    Words,
}

/// A field of `match` or of a map in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) takes: Takes,
    /// What it is about, in one sentence.
    pub(crate) about: &'static str,
}

const fn field(key: &'static str, takes: Takes, about: &'static str) -> Field {
    Field { key, takes, about }
}

const CALL: &[Field] = &[
    field("name", Takes::Words, "the tool's name"),
    field("arguments", Takes::Arguments, "the tool's arguments"),
    field(
        "command",
        Takes::Commands,
        "a command that the arguments run in a shell",
    ),
];

const ATTACHMENTS: &[Field] = &[
    field(
        "kind",
        Takes::OneOf(&["image", "audio", "video", "document", "file"]),
        "what it is",
    ),
    field("content_type", Takes::Words, "its media type"),
    field("name", Takes::Words, "its file name"),
    field(
        "reference",
        Takes::Words,
        "its URL or the provider's id of it",
    ),
    field("size", Takes::Size, "its size, where it is in the body"),
    field("count", Takes::Number, "how many there are"),
];

const MCP: &[Field] = &[
    field("server", Takes::Words, "host and path of the server"),
    field("method", Takes::Words, "the method, such as `tools/call`"),
    field(
        "tool",
        Takes::Words,
        "the tool that is called; denied ones are hidden from listings",
    ),
    field("prompt", Takes::Words, "the prompt that is asked for"),
    field("resource", Takes::Words, "the resource that is asked for"),
    field("arguments", Takes::Arguments, "the tool's arguments"),
    field(
        "command",
        Takes::Commands,
        "a command that the arguments run in a shell",
    ),
];

const WEBHOOK: &[Field] = &[
    field(
        "kind",
        Takes::OneOf(&["discord", "generic", "github", "slack", "teams"]),
        "the service",
    ),
    field(
        "id",
        Takes::Words,
        "what the service knows the hook by, such as `T0123/B0456`",
    ),
];

const LISTED: &[Field] = &[
    field("name", Takes::Words, "the tool's name"),
    field(
        "description",
        Takes::Text { roles: false },
        "anything the listing says of it",
    ),
    field(
        "pin",
        Takes::Pins,
        "fingerprints; a tool that has another one is matched",
    ),
];

const ANSWER: &[Field] = &[
    field("status", Takes::Number, "the status"),
    field("content_type", Takes::Words, "the media type"),
    field("size", Takes::Size, "the body's size; `over` or `at_least`"),
    field(
        "rows",
        Takes::Number,
        "elements of the JSON array it is or holds; `over` or `at_least`",
    ),
    field(
        "tool_call",
        Takes::WordsOr(CALL),
        "a tool call that the model asks for",
    ),
    field(
        "tool",
        Takes::Map(LISTED),
        "a tool that an MCP server lists",
    ),
    field(
        "text",
        Takes::Text { roles: false },
        "what the model, a tool or a page says",
    ),
    field(
        "injection",
        Takes::Number,
        "how sure it is, from 0 to 1, that a text or a tool's description gives orders to the model; `over` or `at_least`",
    ),
];

/// The fields beyond place, method and path, in the order of their names.
pub(crate) const FIELDS: &[Field] = &[
    field(
        "answer",
        Takes::Map(ANSWER),
        "a part of the answer; only in rules that deny",
    ),
    field(
        "attachments",
        Takes::Map(ATTACHMENTS),
        "what is attached to a request to a model",
    ),
    field("content_type", Takes::Words, "the request's media type"),
    field(
        "cost",
        Takes::Number,
        "the request's estimated price in US dollars",
    ),
    field("group", Takes::Words, "a group of the principal"),
    field("header", Takes::Headers, "headers of the request"),
    field(
        "host_data",
        Takes::Number,
        "how sure it is, from 0 to 1, that the labels of the host's name carry data",
    ),
    field(
        "max_tokens",
        Takes::Number,
        "the most tokens the answer may have; unlimited when left out",
    ),
    field("mcp", Takes::Map(MCP), "a message to an MCP server"),
    field(
        "messages",
        Takes::Text { roles: true },
        "what is said to a model",
    ),
    field("model", Takes::Words, "the model"),
    field(
        "operation",
        Takes::OneOf(&crate::facts::vocabulary::OPERATIONS),
        "what is asked of a model's host",
    ),
    field(
        "principal",
        Takes::Words,
        "the person on whose behalf the workload acts",
    ),
    field(
        "provider",
        Takes::OneOf(&crate::facts::vocabulary::PROVIDERS),
        "whose interface a request to a model has",
    ),
    field("query", Takes::Words, "the query, as sent"),
    field(
        "schema",
        Takes::Schema,
        "a JSON Schema that the body conforms to",
    ),
    field("size", Takes::Size, "the body's size"),
    field(
        "stream",
        Takes::Boolean,
        "whether the answer is to be streamed",
    ),
    field(
        "temperature",
        Takes::Number,
        "the sampling temperature; 1 when left out",
    ),
    field("text", Takes::Text { roles: false }, "any text in the body"),
    field("tokens", Takes::Number, "the request's estimated tokens"),
    field(
        "tool_call",
        Takes::WordsOr(CALL),
        "a tool call in the history that a request repeats",
    ),
    field(
        "tool_choice",
        Takes::Words,
        "`auto`, `none`, `required`, `allowed` or the one tool that must be used",
    ),
    field(
        "tool_kind",
        Takes::OneOf(&crate::condition::call::KINDS),
        "the kind of a tool that the model is offered",
    ),
    field(
        "tools",
        Takes::Words,
        "the name of a tool that the model is offered",
    ),
    field(
        "webhook",
        Takes::WordsOr(WEBHOOK),
        "a webhook of a known service",
    ),
];
