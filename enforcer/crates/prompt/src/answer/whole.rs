//! Whole answers: one document, or a sequence of them.

use super::{Answer, usage};
use crate::body::Body;
use crate::call::{Message, Part, Role};
use crate::json::{Document, Value};
use crate::mcp;
use crate::provider::{self, Beside};
use crate::read::{self, Notes, Place};
use crate::{Api, Limits, Operation, Provider, Shape, Undecidable};

/// Objects inside each other in which lists are looked for.
const ROWS_DEPTH: usize = 4;

pub(crate) fn read<'b>(
    body: &'b Body<'b>,
    shape: &Shape,
    limits: &Limits,
) -> Result<Answer<'b>, Undecidable> {
    let mut answer = Answer::default();
    match body {
        Body::Json(document) => {
            answer.rows = rows(document.root());
            read_document(&mut answer, document, shape, limits)?;
        }
        Body::JsonLines(documents) => {
            answer.rows = Some(documents.len() as u64);
            if let Api::Model(_, Operation::Batches | Operation::Files) = shape.api {
                for (index, document) in documents.iter().enumerate() {
                    result(&mut answer, &Place::ROOT.index(index), document.root())?;
                }
            }
        }
        Body::Text(text) => answer.messages.push(Message {
            role: Role::Assistant,
            name: None,
            parts: vec![Part::Text(text)],
        }),
        Body::Empty | Body::Form(_) | Body::Multipart(_) | Body::Opaque(_) => {}
    }
    Ok(answer)
}

/// One result of a batch: the answer to one of its requests, in the envelope of its provider.
fn result<'b>(
    answer: &mut Answer<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
) -> Result<(), Undecidable> {
    if let Some(body) = root.at(&["response", "body"]) {
        return openai(answer, place, body, Operation::Responses);
    }
    if let Some(message) = root.at(&["result", "message"]) {
        return anthropic(answer, place, message);
    }
    match root.get("response") {
        Some(response) if response.get("candidates").is_some() => gemini(answer, place, response),
        Some(_) | None => Ok(()),
    }
}

fn read_document<'b>(
    answer: &mut Answer<'b>,
    document: &'b Document<'b>,
    shape: &Shape,
    limits: &Limits,
) -> Result<(), Undecidable> {
    let root = document.root();
    match shape.api {
        Api::Model(provider, operation) => model(answer, root, (provider, operation)),
        Api::Mcp => {
            answer.mcp = mcp::messages(root, limits)?.0;
            Ok(())
        }
        Api::Other if mcp::is_rpc(document) => {
            answer.mcp = mcp::messages(root, limits)?.0;
            Ok(())
        }
        Api::Other => Ok(()),
    }
}

fn model<'b>(
    answer: &mut Answer<'b>,
    root: &'b Value<'b>,
    (provider, operation): (Provider, Operation),
) -> Result<(), Undecidable> {
    // Gemini streams an array of answers when it is not asked for events.
    let one = std::slice::from_ref(root);
    for (index, element) in root.as_array().unwrap_or(one).iter().enumerate() {
        let place = Place::ROOT.index(index);
        let place = if root.as_array().is_some() {
            place
        } else {
            Place::ROOT
        };
        if let Some(it) = ["usage", "usageMetadata"]
            .iter()
            .find_map(|key| element.get(key))
        {
            usage::merge(&mut answer.usage, it);
        }
        let model = element.get("model").or_else(|| element.get("modelVersion"));
        answer.model = model.and_then(Value::as_str).or(answer.model);
        match provider {
            Provider::Anthropic => anthropic(answer, &place, element)?,
            Provider::Gemini => gemini(answer, &place, element)?,
            Provider::Azure | Provider::OpenAi => openai(answer, &place, element, operation)?,
        }
    }
    Ok(())
}

fn openai<'b>(
    answer: &mut Answer<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
    operation: Operation,
) -> Result<(), Undecidable> {
    if let Some(choices) = root.get("choices") {
        return self::choices(answer, &place.key("choices"), choices);
    }
    if let Some(output) = root.get("output").filter(|it| it.as_array().is_some()) {
        answer
            .finish
            .extend(root.get("status").and_then(Value::as_str));
        return self::output(answer, &place.key("output"), output);
    }
    if let Some(text) = root.get("text").and_then(Value::as_str) {
        answer.messages.push(said(Part::Text(text)));
    }
    let required = ["required_action", "submit_tool_outputs", "tool_calls"];
    if let Some(calls) = root.at(&required) {
        let at = place.key("required_action");
        for (index, element) in read::list(&at, calls)?.iter().enumerate() {
            let call = provider::chat_call(&at.index(index), element)?;
            answer.messages.push(said(Part::ToolCall(call)));
        }
    }
    if matches!(operation, Operation::Conversations | Operation::Responses)
        && let Some(data) = root.get("data")
    {
        return self::output(answer, &place.key("data"), data);
    }
    Ok(())
}

fn choices<'b>(
    answer: &mut Answer<'b>,
    at: &Place<'_>,
    choices: &'b Value<'b>,
) -> Result<(), Undecidable> {
    for (index, choice) in read::list(at, choices)?.iter().enumerate() {
        let at = at.index(index);
        let reason = read::optional(&at, choice, "finish_reason")?;
        answer.finish.extend(reason);
        if let Some(message) = choice.get("message") {
            let mut notes = Notes::default();
            let mut message = provider::chat_message(&at.key("message"), message, &mut notes)?;
            message
                .parts
                .extend(notes.unknown.into_iter().map(Part::Unknown));
            answer.messages.push(message);
        } else if let Some(text) = read::optional(&at, choice, "text")? {
            answer.messages.push(said(Part::Text(text)));
        }
    }
    Ok(())
}

fn output<'b>(
    answer: &mut Answer<'b>,
    at: &Place<'_>,
    items: &'b Value<'b>,
) -> Result<(), Undecidable> {
    let mut beside = Beside::default();
    let mut notes = Notes::default();
    for (index, element) in read::list(at, items)?.iter().enumerate() {
        let message = provider::item(&at.index(index), element, &mut beside, &mut notes)?;
        answer.messages.extend(message);
    }
    Ok(())
}

fn anthropic<'b>(
    answer: &mut Answer<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
) -> Result<(), Undecidable> {
    answer
        .finish
        .extend(read::optional(place, root, "stop_reason")?);
    let Some(content) = root.get("content") else {
        return Ok(());
    };
    let mut tools = Vec::new();
    answer.messages.push(Message {
        role: Role::Assistant,
        name: None,
        parts: provider::blocks(&place.key("content"), content, &mut tools)?,
    });
    Ok(())
}

fn gemini<'b>(
    answer: &mut Answer<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
) -> Result<(), Undecidable> {
    let Some(candidates) = root.get("candidates") else {
        return Ok(());
    };
    let at = place.key("candidates");
    for (index, candidate) in read::list(&at, candidates)?.iter().enumerate() {
        let at = at.index(index);
        answer
            .finish
            .extend(read::optional(&at, candidate, "finishReason")?);
        if let Some(content) = candidate.get("content") {
            let mut message = provider::gemini_message(&at.key("content"), content)?;
            message.role = Role::Assistant;
            answer.messages.push(message);
        }
    }
    Ok(())
}

fn said(part: Part<'_>) -> Message<'_> {
    Message {
        role: Role::Assistant,
        name: None,
        parts: vec![part],
    }
}

/// The longest list that is reached through objects alone; what is in a row is no row.
pub(crate) fn rows(root: &Value<'_>) -> Option<u64> {
    let mut most = None;
    let mut level = vec![root];
    for _ in 0..ROWS_DEPTH {
        let mut next = Vec::new();
        for value in level {
            if let Some(elements) = value.as_array() {
                most = most.max(Some(elements.len() as u64));
            }
            next.extend(value.members().iter().map(crate::json::Member::value));
        }
        level = next;
    }
    most
}
