//! Where texts stand in events of the responses interface, of realtime sessions and of transcriptions: an event whose type
//! ends in `.delta` brings a piece, others of its family all of it.

use serde_json::{Value as Json, json};

use super::super::text::Form;
use super::channel::{Key, Which};
use super::known;
use super::sheet::{Path, Piece, Sheet, Step, alike};
use crate::json::Value;

const ALIKE: &[&str] = &[
    "call_id",
    "content_index",
    "item_id",
    "output_index",
    "response_id",
    "summary_index",
    "type",
];

/// Families of events about the text of one part.
const PARTS: &[&str] = &[
    "response.audio_transcript",
    "response.output_audio_transcript",
    "response.output_text",
    "response.reasoning_summary",
    "response.reasoning_summary_text",
    "response.reasoning_text",
    "response.refusal",
    "response.text",
];

/// What events of a response are called before anything else.
const RESPONSE: &str = "response.";

/// Between a response and its item.
const OF: char = '\n';

pub(super) fn read<'v>(root: &'v Value<'v>, sheet: &mut Sheet<'v>) {
    let kind = root.get("type").and_then(Value::as_str).unwrap_or_default();
    if let Some(family) = kind.strip_suffix(".delta") {
        return piece(root, family, sheet);
    }
    if kind.contains("annotation.") || kind.contains("annotation_") {
        sheet.points = Some(key(root, "response.output_text"));
        return;
    }
    let Some((family, "done" | "completed" | "failed" | "incomplete" | "cancelled")) =
        kind.rsplit_once('.')
    else {
        return;
    };
    let one = Which::One(key(root, family));
    if !family.starts_with(RESPONSE) {
        sheet.forgets.push(one.clone());
    }
    sheet.ends.push(one);
    if family.ends_with("_part") {
        let parts = PARTS.iter().map(|family| Which::One(key(root, family)));
        sheet.ends.extend(parts);
    }
    if let Some(item) = root.get("item") {
        let id = item.get("id").and_then(Value::as_str);
        sheet.ends.push(Which::Of(owner(root, RESPONSE, id)));
        sheet.ends.push(Which::Of(owner(root, RESPONSE, None)));
    }
    if let Some(response) = root.get("response") {
        let id = response.get("id").and_then(Value::as_str);
        // Several may be going on in one session, but then their events say which they are of.
        for id in [id.unwrap_or_default(), ""] {
            let within = Which::Within(format!("{id}{OF}"));
            sheet.ends.push(within.clone());
            sheet.forgets.push(within);
        }
    }
}

fn piece<'v>(root: &'v Value<'v>, family: &str, sheet: &mut Sheet<'v>) {
    let Some(delta) = root.get("delta") else {
        return;
    };
    let form = match family.ends_with("arguments") {
        true => Form::Json,
        false => Form::Plain,
    };
    // Sounds are no words.
    let is_sound = family.ends_with("audio");
    if let (true, Some(sound)) = (is_sound, delta.as_str()) {
        if known::is_bytes(known::Role::Sealed, sound) {
            sheet.sounds.push(delta);
        }
        return;
    }
    if delta.as_str().is_some() {
        sheet.pieces.push(Piece {
            key: key(root, family),
            value: delta,
            form,
            place: "/delta".to_owned(),
            path: Path::member("delta"),
        });
    }
    for member in delta.members() {
        if !known::role(member.key()).may_be_said() || member.value().as_str().is_none() {
            continue;
        }
        let mut key = key(root, family);
        key.slot.push_str(member.key());
        sheet.pieces.push(Piece {
            key,
            value: member.value(),
            form,
            place: format!("/delta/{}", member.key()),
            path: Path::member("delta").to(Step::Member(member.key())),
        });
    }
}

/// A text by its item and its part.
fn key(event: &Value<'_>, family: &str) -> Key {
    let item = event.get("item_id").and_then(Value::as_str);
    let part = ["content_index", "summary_index"]
        .iter()
        .find_map(|name| event.get(name))
        .and_then(Value::as_u64);
    Key {
        owner: owner(event, family, item),
        slot: format!("{family}#{}", part.unwrap_or_default()),
    }
}

/// An item by its response and its id, or its place where it has none. What a person said is of no response, and may still
/// be written down when its item is done.
fn owner(event: &Value<'_>, family: &str, item: Option<&str>) -> String {
    if !family.starts_with(RESPONSE) {
        return format!("{}{OF}{OF}", item.unwrap_or_default());
    }
    let response = event.get("response_id").and_then(Value::as_str);
    let response = response.unwrap_or_default();
    let index = event.get("output_index").and_then(Value::as_u64);
    match (item, index) {
        (Some(item), _) => format!("{response}{OF}{item}"),
        (None, index) => format!("{response}{OF}{OF}{}", index.unwrap_or_default()),
    }
}

/// An event that brings what is held of a text.
pub(super) fn event(root: &Value<'_>, piece: &Piece<'_>) -> Json {
    let mut event = alike(root, ALIKE);
    if let Json::Object(members) = piece.path.document() {
        event.extend(members);
    }
    if let Some(delta) = event.get_mut("delta").and_then(Json::as_object_mut)
        && let Some(kind) = root.at(&["delta", "type"]).and_then(Value::as_str)
    {
        delta.insert("type".to_owned(), json!(kind));
    }
    if root.get("logprobs").is_some() {
        event.insert("logprobs".to_owned(), json!([]));
    }
    // Events of sessions have ids; there is none yet for this one.
    if let Some(id) = root.get("event_id").and_then(Value::as_str) {
        event.insert("event_id".to_owned(), json!(format!("{id}_rest")));
    }
    event.into()
}
