//! OpenAI's interface, also as Azure and others offer it.

mod assistants;
mod audio;
mod batches;
mod chat;
mod completions;
mod embeddings;
mod files;
mod fine_tuning;
mod images;
mod items;
mod moderations;
mod realtime;
mod responses;
mod tools;

pub(crate) use chat::{function as function_call, message as chat_message, tool_call as chat_call};
pub(crate) use items::{Beside, call as item_call, is_said, item};
pub(crate) use tools::run_by as item_run_by;

use crate::body::Fields;
use crate::call::{Attachment, ModelCall, Part};
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Operation, Undecidable};

/// What is said as a text or as a list of parts, of which each interface has kinds of its own.
fn text_or_parts<'b>(
    at: &Place<'_>,
    value: &'b Value<'b>,
    part: impl Fn(&Place<'_>, &'b Value<'b>) -> Result<Part<'b>, Undecidable>,
) -> Result<Vec<Part<'b>>, Undecidable> {
    if let Some(text) = value.as_str() {
        return Ok(vec![Part::Text(text)]);
    }
    let elements = read::list(at, value)?.iter().enumerate();
    elements
        .map(|(index, element)| part(&at.index(index), element))
        .collect()
}

pub(super) fn read<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    match call.operation {
        Operation::Assistants | Operation::Messages | Operation::Runs | Operation::Threads => {
            assistants::read(call, root, notes)
        }
        Operation::AudioSpeech | Operation::AudioTranscriptions | Operation::AudioTranslations => {
            audio::read(call, root, notes)
        }
        Operation::Batches => batches::read(call, root, notes),
        Operation::Chat => chat::read(call, root, notes),
        Operation::Completions => completions::read(call, root, notes),
        Operation::Conversations | Operation::CountTokens | Operation::Responses => {
            responses::read(call, root, notes)
        }
        Operation::Embeddings => embeddings::read(call, root, notes),
        Operation::Files | Operation::Uploads | Operation::VectorStores => {
            files::read(call, root, notes)
        }
        Operation::FineTuning => fine_tuning::read(call, root, notes),
        Operation::ImageEdits
        | Operation::ImageGenerations
        | Operation::ImageVariations
        | Operation::Videos => images::read(call, root, notes),
        Operation::Moderations => moderations::read(call, root, notes),
        Operation::Realtime => realtime::event(call, root, notes),
        Operation::RealtimeSessions => realtime::session(call, root, notes),
        Operation::Models | Operation::Other => other(call, root, notes),
    }
}

/// Whether a request of this kind means nothing without a body.
pub(super) fn needs_body(operation: Operation) -> bool {
    match operation {
        Operation::AudioSpeech
        | Operation::AudioTranscriptions
        | Operation::AudioTranslations
        | Operation::Chat
        | Operation::Completions
        | Operation::CountTokens
        | Operation::Embeddings
        | Operation::ImageEdits
        | Operation::ImageGenerations
        | Operation::ImageVariations
        | Operation::Moderations => true,
        Operation::Assistants
        | Operation::Batches
        | Operation::Conversations
        | Operation::Files
        | Operation::FineTuning
        | Operation::Messages
        | Operation::Models
        | Operation::Other
        | Operation::Realtime
        | Operation::RealtimeSessions
        | Operation::Responses
        | Operation::Runs
        | Operation::Threads
        | Operation::Uploads
        | Operation::VectorStores
        | Operation::Videos => false,
    }
}

/// Whether a request of this kind may bring files in parts.
pub(super) fn takes_files(operation: Operation) -> bool {
    match operation {
        Operation::AudioSpeech
        | Operation::AudioTranscriptions
        | Operation::AudioTranslations
        | Operation::Files
        | Operation::ImageEdits
        | Operation::ImageVariations
        | Operation::Other
        | Operation::RealtimeSessions
        | Operation::Uploads
        | Operation::Videos => true,
        Operation::Assistants
        | Operation::Batches
        | Operation::Chat
        | Operation::Completions
        | Operation::Conversations
        | Operation::CountTokens
        | Operation::Embeddings
        | Operation::FineTuning
        | Operation::ImageGenerations
        | Operation::Messages
        | Operation::Models
        | Operation::Moderations
        | Operation::Realtime
        | Operation::Responses
        | Operation::Runs
        | Operation::Threads
        | Operation::VectorStores => false,
    }
}

/// Fields and files of a multipart request; the names are the same for all of them.
pub(super) fn multipart<'b>(
    call: &mut ModelCall<'b>,
    fields: &'b Fields<'b>,
) -> Result<(), Undecidable> {
    for field in &fields.fields {
        let (name, value) = (&*field.name, &*field.value);
        let wrong = || Undecidable::new(Cause::Schema, name, 0);
        match name {
            "model" => call.model = call.model.or(Some(value)),
            "prompt" | "input" => call.messages.push(crate::Message::user(value)),
            "n" => call.n = Some(value.parse().map_err(|_| wrong())?),
            "stream" => call.stream = value.parse().map_err(|_| wrong())?,
            "temperature" => {
                let number: f64 = value.parse().map_err(|_| wrong())?;
                call.temperature = Some(number).filter(|it| it.is_finite());
            }
            "instructions" => call.instructions.push(value),
            _ => {}
        }
    }
    for file in &fields.files {
        call.attachments.push(Attachment {
            kind: kind_of(file.media_type),
            media_type: file.media_type,
            name: file.name.as_deref(),
            size: Some(file.bytes.len() as u64),
            reference: None,
        });
    }
    Ok(())
}

fn kind_of(media_type: Option<&str>) -> &'static str {
    match media_type.and_then(|it| it.split('/').next()) {
        Some("image") => "image",
        Some("audio") => "audio",
        Some("video") => "video",
        Some(_) | None => "file",
    }
}

/// An interface that is not known: its model, if it names one, and everything as unknown.
fn other<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    for member in root.members() {
        match member.key() {
            "model" => call.model = read::text(&Place::ROOT.key("model"), member.value())?,
            _ => notes.member(&Place::ROOT, member, &["model"])?,
        }
    }
    Ok(())
}
