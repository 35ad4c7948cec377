//! Realtime sessions and responses over WebSocket: what the agent sends, event by event, and sessions made over HTTP.

use super::{items, responses};
use crate::call::ModelCall;
use crate::json::Value;
use crate::read::{self, Notes, Place};
use crate::{Cause, Undecidable};

const KNOWN: &[&str] = &["type", "session", "item", "response", "input", "audio"];

/// Events that no answer comes of by itself. Whatever is not known may ask for one.
const SILENT: [&str; 11] = [
    "conversation.item.create",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "input_audio_buffer.append",
    "input_audio_buffer.clear",
    "input_audio_buffer.commit",
    "output_audio_buffer.clear",
    "response.cancel",
    "session.update",
    "transcription_session.update",
];

/// An event from the agent.
pub(crate) fn event<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT;
    let kind = read::member(&place, root, "type")?;
    call.silent = SILENT.contains(&kind);
    match kind {
        "session.update" | "transcription_session.update" => {
            nested(call, &place, root, "session", notes)
        }
        // Realtime nests what is wanted, responses over WebSocket do not.
        "response.create" if root.get("response").is_some() => {
            nested(call, &place, root, "response", notes)
        }
        "response.create" | "response.steer" => responses::settings(call, &place, root, notes),
        "conversation.item.create" => {
            let Some(item) = root.get("item") else {
                return Err(place.key("item").wrong(Cause::Schema, root));
            };
            let mut beside = items::Beside::default();
            let message = items::item(&place.key("item"), item, &mut beside, notes)?;
            call.messages.extend(message);
            call.tools.append(&mut beside.tools);
            call.context.append(&mut beside.context);
            Ok(())
        }
        "input_audio_buffer.append" => {
            let audio = read::member(&place, root, "audio")?;
            call.attachments
                .push(super::super::attachment::from_base64("audio", None, audio));
            Ok(())
        }
        // They move what was said already, or stop it.
        "conversation.item.delete"
        | "conversation.item.retrieve"
        | "conversation.item.truncate"
        | "input_audio_buffer.clear"
        | "input_audio_buffer.commit"
        | "output_audio_buffer.clear"
        | "response.cancel" => Ok(()),
        _ => {
            for member in root.members() {
                notes.member(&place, member, KNOWN)?;
            }
            Ok(())
        }
    }
}

/// `realtime/sessions`, `realtime/client_secrets`, `realtime/calls`: the session is the body, or in it.
pub(super) fn session<'b>(
    call: &mut ModelCall<'b>,
    root: &'b Value<'b>,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    let place = Place::ROOT;
    if root.get("session").is_some() {
        for member in root.members() {
            match member.key() {
                "session" => nested(call, &place, root, "session", notes)?,
                "expires_after" | "sdp" => {}
                _ => notes.member(&place, member, KNOWN)?,
            }
        }
        return Ok(());
    }
    responses::settings(call, &place, root, notes)
}

fn nested<'b>(
    call: &mut ModelCall<'b>,
    place: &Place<'_>,
    root: &'b Value<'b>,
    key: &str,
    notes: &mut Notes<'b>,
) -> Result<(), Undecidable> {
    match root.get(key) {
        Some(inner) => responses::settings(call, &place.key(key), inner, notes),
        None => Err(place.key(key).wrong(Cause::Schema, root)),
    }
}
