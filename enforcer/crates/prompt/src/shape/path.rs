//! Hosts and paths to interfaces. A host that is known decides; on any other the path must say enough.

mod openai;

use super::{Api, Head, Operation, Provider, Shape};

/// Longer paths are of no interface that is known.
const SEGMENTS: usize = 24;

pub(super) fn recognise(head: &Head<'_>, shape: &mut Shape) {
    let home = home(head.host);
    let Some(segments) = segments(head.path) else {
        shape.api = home.map_or(Api::Other, |provider| {
            Api::Model(provider, Operation::Other)
        });
        return;
    };
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    let found = gemini(&path, shape)
        .or_else(|| vertex(&path, shape))
        .or_else(|| anthropic(&path, home, shape))
        .or_else(|| openai::recognise(&path, home, head, shape));
    shape.api = match (found, home) {
        (Some((provider, operation)), _) => Api::Model(provider, operation),
        (None, Some(provider)) => Api::Model(provider, Operation::Other),
        (None, None) => Api::Other,
    };
    shape.certain = home.is_some();
    if let Some(query) = head.query {
        openai::query(query, shape);
    }
}

/// Whose host it is.
fn home(host: &str) -> Option<Provider> {
    const HOSTS: &[(&str, Provider)] = &[
        ("api.anthropic.com", Provider::Anthropic),
        ("api.openai.com", Provider::OpenAi),
        ("cognitiveservices.azure.com", Provider::Azure),
        ("cognitiveservices.azure.us", Provider::Azure),
        ("generativelanguage.googleapis.com", Provider::Gemini),
        ("openai.azure.cn", Provider::Azure),
        ("openai.azure.com", Provider::Azure),
        ("openai.azure.us", Provider::Azure),
        ("services.ai.azure.com", Provider::Azure),
    ];
    HOSTS
        .iter()
        .find(|(name, _)| {
            host.strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
        .map(|(_, provider)| *provider)
}

/// A path's segments, decoded; empty ones are passed over, as many servers do. None for paths that servers resolve in ways
/// of their own.
fn segments(path: &str) -> Option<Vec<String>> {
    let mut segments = Vec::new();
    for raw in path.split('/').filter(|raw| !raw.is_empty()) {
        let segment = decode(raw)?;
        if segments.len() == SEGMENTS
            || segment == "."
            || segment == ".."
            || segment.contains(['/', '\\', ';', '\0'])
        {
            return None;
        }
        segments.push(segment);
    }
    Some(segments)
}

/// Percent-decoded once.
pub(crate) fn decode(raw: &str) -> Option<String> {
    if !raw.contains('%') {
        return Some(raw.to_owned());
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// `…/models/MODEL:verb`.
fn gemini(path: &[&str], shape: &mut Shape) -> Option<(Provider, Operation)> {
    let (last, before) = path.split_last()?;
    if let Some((model, verb)) = last.rsplit_once(':') {
        let kind = before.last().copied().unwrap_or_default();
        if !matches!(kind, "models" | "tunedModels" | "endpoints") {
            return None;
        }
        let operation = match verb {
            "generateContent" => Operation::Chat,
            "streamGenerateContent" => {
                shape.stream = true;
                Operation::Chat
            }
            "countTokens" | "computeTokens" => Operation::CountTokens,
            "embedContent" | "batchEmbedContents" => Operation::Embeddings,
            _ => return None,
        };
        let publisher = before.iter().rev().nth(1).copied();
        if before.contains(&"publishers") && publisher != Some("google") {
            return None;
        }
        shape.model = Some(model.to_owned());
        return Some((Provider::Gemini, operation));
    }
    None
}

/// Anthropic's models at Vertex: `…/publishers/anthropic/models/MODEL:rawPredict`.
fn vertex(path: &[&str], shape: &mut Shape) -> Option<(Provider, Operation)> {
    let [.., "publishers", "anthropic", "models", last] = path else {
        return None;
    };
    let (model, verb) = last.rsplit_once(':')?;
    let operation = match (model, verb) {
        ("count-tokens", "rawPredict") => {
            return Some((Provider::Anthropic, Operation::CountTokens));
        }
        (_, "rawPredict") => Operation::Chat,
        (_, "streamRawPredict") => {
            shape.stream = true;
            Operation::Chat
        }
        (_, _) => return None,
    };
    shape.model = Some(model.to_owned());
    Some((Provider::Anthropic, operation))
}

/// `…/v1/messages` and what else is Anthropic's alone.
fn anthropic(
    path: &[&str],
    home: Option<Provider>,
    shape: &mut Shape,
) -> Option<(Provider, Operation)> {
    let version = path.iter().position(|segment| *segment == "v1")?;
    let known = home == Some(Provider::Anthropic);
    let operation = match &path[version + 1..] {
        ["messages"] => Operation::Chat,
        ["messages", "count_tokens"] => Operation::CountTokens,
        ["messages", "batches"] => Operation::Batches,
        ["messages", "batches", id, ..] => {
            shape.context = Some((*id).to_owned());
            Operation::Batches
        }
        _ if !known => return None,
        ["complete"] => Operation::Completions,
        ["models", ..] => Operation::Models,
        ["files", ..] => Operation::Files,
        // Anthropic offers OpenAI's shape too.
        ["chat", "completions"] => return Some((Provider::OpenAi, Operation::Chat)),
        _ => Operation::Other,
    };
    Some((Provider::Anthropic, operation))
}
