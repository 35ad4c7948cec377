//! Paths of OpenAI's interface: at home, at Azure, and at hosts that are compatible with it.

use super::decode;
use crate::{Api, Head, Operation, Provider, Shape};

pub(super) fn recognise(
    path: &[&str],
    home: Option<Provider>,
    head: &Head<'_>,
    shape: &mut Shape,
) -> Option<(Provider, Operation)> {
    if home == Some(Provider::Gemini) && !path.contains(&"openai") {
        return None;
    }
    // Azure's servers do not tell cases apart.
    let lower: Vec<String> = path.iter().map(|it| it.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let (base, azure) = base(&lower, home)?;
    if azure && let Some(deployment) = deployment(&lower) {
        shape.model = path.get(deployment).map(|it| (*it).to_owned());
    }
    let operation = operation(&lower[base..], &path[base..], head, shape)?;
    let provider = match home {
        _ if azure => Provider::Azure,
        Some(Provider::Azure) => Provider::Azure,
        Some(Provider::Anthropic | Provider::Gemini | Provider::OpenAi) | None => Provider::OpenAi,
    };
    Some((provider, operation))
}

/// Where the interface's own path begins, and whether it is Azure's.
fn base(path: &[&str], home: Option<Provider>) -> Option<(usize, bool)> {
    if let Some(deployment) = deployment(path) {
        return Some((deployment + 1, true));
    }
    let version = |segment: &str| {
        segment
            .strip_prefix('v')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let mut start = path
        .iter()
        .rposition(|segment| *segment == "openai" || version(segment))
        .map(|at| at + 1);
    if home == Some(Provider::OpenAi) || home == Some(Provider::Azure) {
        // The first of them counts: what follows are ids that may look like anything.
        start = path
            .iter()
            .position(|segment| version(segment))
            .or_else(|| path.iter().position(|segment| *segment == "openai"))
            .map(|at| at + 1);
    }
    let azure = home == Some(Provider::Azure);
    if let Some(start) = start {
        return Some((start, azure));
    }
    // Hosts without a version in their paths; two words are enough to know it by.
    let chat = path
        .windows(2)
        .position(|two| two == ["chat", "completions"])?;
    Some((chat, azure))
}

/// `…/openai/deployments/NAME/…`: where the name is.
fn deployment(path: &[&str]) -> Option<usize> {
    let at = path
        .windows(2)
        .position(|two| two == ["openai", "deployments"])?;
    (path.len() > at + 3).then_some(at + 2)
}

fn operation(
    path: &[&str],
    original: &[&str],
    head: &Head<'_>,
    shape: &mut Shape,
) -> Option<Operation> {
    let id = |shape: &mut Shape, at: usize| {
        shape.context = original.get(at).map(|it| (*it).to_owned());
    };
    Some(match path {
        ["chat", "completions"] => Operation::Chat,
        // One that is stored comes with its calls.
        ["chat", "completions", _] if !shape.expects_body => {
            id(shape, 2);
            Operation::Chat
        }
        ["completions"] => Operation::Completions,
        ["embeddings"] => Operation::Embeddings,
        ["moderations"] => Operation::Moderations,
        ["responses", "input_tokens"] => Operation::CountTokens,
        ["responses"] | ["responses", "compact"] => Operation::Responses,
        ["responses", _, ..] => {
            id(shape, 1);
            Operation::Responses
        }
        ["conversations"] => Operation::Conversations,
        ["conversations", ..] => {
            id(shape, 1);
            Operation::Conversations
        }
        ["audio", "speech"] => Operation::AudioSpeech,
        ["audio", "transcriptions"] => Operation::AudioTranscriptions,
        ["audio", "translations"] => Operation::AudioTranslations,
        ["images", "generations"] => Operation::ImageGenerations,
        ["images", "edits"] => Operation::ImageEdits,
        ["images", "variations"] => Operation::ImageVariations,
        ["realtime"] if head.websocket => Operation::Realtime,
        ["realtime", ..] => Operation::RealtimeSessions,
        ["threads", "runs"] => Operation::Runs,
        ["threads", _, "runs", ..] => {
            id(shape, 1);
            Operation::Runs
        }
        ["threads", _, "messages", ..] => {
            id(shape, 1);
            Operation::Messages
        }
        [word, ..] => {
            let operation = resource(word)?;
            // What stands below `fine_tuning` is a kind of things, no thing.
            if original.len() > 1 && operation != Operation::FineTuning {
                id(shape, 1);
            }
            operation
        }
        [] => return None,
    })
}

/// Things that have ids and verbs below them.
fn resource(word: &str) -> Option<Operation> {
    Some(match word {
        "assistants" => Operation::Assistants,
        "batches" => Operation::Batches,
        "files" => Operation::Files,
        "fine_tuning" | "fine-tunes" => Operation::FineTuning,
        "models" => Operation::Models,
        "threads" => Operation::Threads,
        "uploads" => Operation::Uploads,
        "vector_stores" => Operation::VectorStores,
        "videos" => Operation::Videos,
        _ => return None,
    })
}

/// A model or a deployment that is named in the query, and whether a stream is asked for there.
pub(super) fn query(query: &str, shape: &mut Shape) {
    let realtime = matches!(shape.api, Api::Model(_, Operation::Realtime));
    let mut named = 0;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            // Elsewhere the body names it, and what the query says would be nothing but a claim.
            "model" | "deployment" if realtime => {
                named += 1;
                shape.model = shape.model.take().or_else(|| decode(value));
            }
            "stream" => shape.stream |= value == "true",
            _ => {}
        }
    }
    // Which of two would count is the server's secret.
    if named > 1 {
        shape.model = None;
    }
}
