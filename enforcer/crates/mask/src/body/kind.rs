//! What a body is, by what its head says of it.

/// What a body is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes that are no text, of a type that says so.
    Binary,
    /// A table; with tabs between its cells or whatever its first row has.
    Csv {
        /// Tabs.
        tabs: bool,
    },
    /// Server-sent events.
    Events,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// One JSON document.
    Json,
    /// JSON documents behind each other: a line each, or a separator before each.
    JsonLines,
    /// Parts with heads of their own, behind this boundary.
    Multipart(String),
    /// Text of any kind: plain, markdown, HTML, scripts.
    Text,
    /// No type, or one that nobody knows: text as long as it is UTF-8.
    Unknown,
    /// A character set in which letters are other bytes, or parts without a boundary: nobody can look into it.
    Unreadable,
    /// XML of any kind.
    Xml,
    /// YAML.
    Yaml,
}

impl Kind {
    /// What a `Content-Type` says.
    ///
    /// ```
    /// use enforcer_mask::body::Kind;
    ///
    /// assert_eq!(Kind::of(Some("application/vnd.api+json; charset=utf-8")), Kind::Json);
    /// assert_eq!(Kind::of(Some("text/plain; charset=utf-16")), Kind::Unreadable);
    /// assert_eq!(Kind::of(None), Kind::Unknown);
    /// ```
    #[must_use]
    pub fn of(content_type: Option<&str>) -> Self {
        let Some(content_type) = content_type else {
            return Self::Unknown;
        };
        let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let essence = essence.trim().to_ascii_lowercase();
        let kind = Self::named(&essence, parameters);
        match parameter(parameters, "charset") {
            Some(charset) if !kind.holds_bytes() && !ascii(&charset) => Self::Unreadable,
            Some(_) | None => kind,
        }
    }

    fn named(essence: &str, parameters: &str) -> Self {
        let (group, name) = essence.split_once('/').unwrap_or((essence, ""));
        match (group, name) {
            ("multipart", _) => match parameter(parameters, "boundary") {
                Some(boundary) if (1..=70).contains(&boundary.len()) => Self::Multipart(boundary),
                Some(_) | None => Self::Unreadable,
            },
            (_, "x-www-form-urlencoded") => Self::Form,
            (_, "x-ndjson" | "ndjson" | "jsonl" | "jsonlines" | "x-jsonlines" | "json-seq") => {
                Self::JsonLines
            }
            (_, "stream+json" | "json-lines") => Self::JsonLines,
            (_, name) if name == "json" || name.ends_with("+json") => Self::Json,
            ("text", "event-stream") => Self::Events,
            (_, "csv") => Self::Csv { tabs: false },
            (_, "tab-separated-values" | "tsv") => Self::Csv { tabs: true },
            ("application", "xhtml+xml") => Self::Text,
            (_, name) if name == "xml" || name.ends_with("+xml") => Self::Xml,
            (_, name) if name == "yaml" || name == "x-yaml" || name.ends_with("+yaml") => {
                Self::Yaml
            }
            ("text", _) | (_, "javascript" | "graphql" | "sql" | "x-sh" | "toml") => Self::Text,
            ("image" | "audio" | "video" | "font" | "model", _) => Self::Binary,
            (_, "grpc" | "protobuf" | "x-protobuf" | "msgpack" | "cbor" | "wasm" | "pdf") => {
                Self::Binary
            }
            (_, "zip" | "gzip" | "x-tar" | "zstd" | "x-7z-compressed") => Self::Binary,
            _ => Self::Unknown,
        }
    }

    /// Whether a character set says nothing of it.
    const fn holds_bytes(&self) -> bool {
        match self {
            Self::Binary | Self::Multipart(_) | Self::Unreadable => true,
            Self::Csv { .. }
            | Self::Events
            | Self::Form
            | Self::Json
            | Self::JsonLines
            | Self::Text
            | Self::Unknown
            | Self::Xml
            | Self::Yaml => false,
        }
    }
}

/// A parameter of a content type.
fn parameter(parameters: &str, wanted: &str) -> Option<String> {
    let mut rest = parameters;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (name, behind) = rest.split_once('=')?;
        let (value, after) = match behind.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => behind.split_once(';').unwrap_or((behind, "")),
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        rest = after;
    }
}

/// Whether letters and digits are the bytes of ASCII in it.
fn ascii(charset: &str) -> bool {
    let charset = charset.to_ascii_lowercase();
    [
        "utf-8", "utf8", "us-ascii", "ascii", "latin1", "gbk", "gb2312", "gb18030", "big5",
    ]
    .contains(&charset.as_str())
        || ["iso-8859-", "windows-", "euc-", "koi8-"]
            .iter()
            .any(|known| charset.starts_with(known))
}
