//! `GET /v1/realtime` and `GET /v1/responses` over WebSocket: what is said back to each message.

use serde_json::{Value, json};

use crate::upstream::openai::turn::{Conversation, Tool, Turn, text_of};
use crate::upstream::openai::{pieces, responses, tokens};
use crate::upstream::route::Service;

/// A WebSocket's other end.
pub(in crate::upstream) enum Talker {
    /// Says back what it hears.
    Echo,
    /// A realtime session: what was said in it so far.
    Realtime(Service, Box<Conversation>),
    /// Responses, each to a message of its own.
    Responses(Service),
}

// === impl Talker ===

impl Talker {
    pub(in crate::upstream) fn realtime(service: &Service) -> Self {
        Self::Realtime(service.clone(), Box::default())
    }

    /// The messages that answer one.
    pub(in crate::upstream) async fn answer(&mut self, text: &str) -> Vec<String> {
        let said: Value = serde_json::from_str(text).unwrap_or_default();
        let events = match self {
            Self::Echo => return vec![text.to_owned()],
            Self::Realtime(service, conversation) => heard(service, conversation, &said),
            Self::Responses(service) => responses::events(service, &said).await,
        };
        events.iter().map(Value::to_string).collect()
    }
}

fn heard(service: &Service, conversation: &mut Conversation, said: &Value) -> Vec<Value> {
    match said["type"].as_str().unwrap_or_default() {
        "conversation.item.create" => {
            let item = &said["item"];
            if item["type"] == "function_call_output" {
                conversation.results.push(text_of(&item["output"]));
            } else {
                conversation.user = text_of(&item["content"]);
                conversation.results.clear();
            }
            vec![said.clone()]
        }
        "session.update" => {
            let offered = said["session"]["tools"]
                .as_array()
                .map_or(&[][..], Vec::as_slice);
            conversation.tools = offered.iter().filter_map(tool).collect();
            vec![
                json!({"type": "session.updated", "event_id": "event_s", "session": said["session"]}),
            ]
        }
        "response.create" => respond(service.serial(), conversation),
        // Somebody has finished speaking, and is answered without having asked.
        "input_audio_buffer.commit" => respond(service.serial(), conversation),
        _ => vec![said.clone()],
    }
}

fn tool(offered: &Value) -> Option<Tool> {
    Some(Tool {
        name: offered["name"].as_str()?.to_owned(),
        parameters: offered["parameters"].clone(),
    })
}

fn respond(serial: u64, conversation: &Conversation) -> Vec<Value> {
    let (response, item) = (format!("resp_{serial}"), format!("item_{serial}"));
    let at = |kind: &str, mut more: Value| {
        more["type"] = json!(kind);
        more["event_id"] = json!(format!("event_{serial}"));
        more["response_id"] = json!(response);
        more["output_index"] = json!(0);
        more
    };
    let mut events = Vec::new();
    let (done, said) = match conversation.next() {
        Turn::Call { name, arguments } => {
            let call = |status: &str, arguments: &str| json!({"id": item, "object": "realtime.item", "type": "function_call", "status": status, "call_id": format!("call_{serial}"), "name": name, "arguments": arguments});
            let kind = "response.function_call_arguments";
            let place = json!({"item_id": item, "call_id": format!("call_{serial}")});
            let with = |key: &str, value: &str| {
                let mut event = place.clone();
                event[key] = json!(value);
                event
            };
            events.push(at(
                "response.output_item.added",
                json!({"item": call("in_progress", "")}),
            ));
            for piece in arguments.split_inclusive(':') {
                events.push(at(&format!("{kind}.delta"), with("delta", piece)));
            }
            let mut whole = with("arguments", &arguments);
            whole["name"] = json!(name);
            events.push(at(&format!("{kind}.done"), whole));
            (call("completed", &arguments), arguments)
        }
        Turn::Say(text) => {
            let message = |status: &str, content: Value| json!({"id": item, "object": "realtime.item", "type": "message", "status": status, "role": "assistant", "content": content});
            events.push(at(
                "response.output_item.added",
                json!({"item": message("in_progress", json!([]))}),
            ));
            let place = json!({"item_id": item, "content_index": 0});
            for piece in pieces(&text) {
                let mut delta = place.clone();
                delta["delta"] = json!(piece);
                events.push(at("response.output_text.delta", delta));
            }
            let mut whole = place.clone();
            whole["text"] = json!(text);
            events.push(at("response.output_text.done", whole));
            let content = json!([{"type": "output_text", "text": text}]);
            (message("completed", content), text)
        }
    };
    events.push(at("response.output_item.done", json!({"item": done})));
    let (heard, spoken) = (tokens(&conversation.user), tokens(&said));
    let usage =
        json!({"total_tokens": heard + spoken, "input_tokens": heard, "output_tokens": spoken});
    let whole = json!({"id": response, "object": "realtime.response", "status": "completed", "output": [done], "usage": usage});
    events.push(
        json!({"type": "response.done", "event_id": format!("event_{serial}"), "response": whole}),
    );
    events
}
