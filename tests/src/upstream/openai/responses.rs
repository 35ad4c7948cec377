//! `POST /v1/responses`, whole and streamed.

use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::upstream::answer::{self, Feed};
use crate::upstream::body::Answer;
use crate::upstream::openai::turn::{Conversation, Tool, Turn, text_of};
use crate::upstream::openai::{MADE, pieces, refused, tokens};
use crate::upstream::route::Service;

/// One response being told.
struct Telling {
    serial: u64,
    asked: Value,
    turn: Turn,
}

/// The stream's events, numbered as they are written.
struct Numbered {
    sink: Sink,
    next: u64,
}

/// Where events go.
enum Sink {
    Feed(Feed),
    /// They are kept, for whoever sends them in another way.
    Kept(Vec<Value>),
}

pub(super) fn answer(service: &Service, asked: &Value) -> Response<Answer> {
    if !asked["previous_response_id"].is_null() {
        let message = "responses are not kept here";
        return refused("previous_response_not_found", message);
    }
    let Some(conversation) = read(asked) else {
        return refused("missing_input", "`input` must be text or a list of items");
    };
    let telling = Telling {
        serial: service.serial(),
        asked: asked.clone(),
        turn: conversation.next(),
    };
    if asked["stream"] == true {
        return answer::events(async move |feed| {
            drop(telling.stream(Numbered::to(Sink::Feed(feed))).await);
        });
    }
    let whole = telling.response("completed", &json!([telling.item("completed")]));
    answer::json(StatusCode::OK, &whole)
}

/// The events by which a request is answered over a WebSocket.
pub(super) async fn events(service: &Service, asked: &Value) -> Vec<Value> {
    let Some(conversation) = read(asked) else {
        let error =
            json!({"code": "missing_input", "message": "`input` is missing", "param": null});
        return vec![json!({"type": "error", "status": 400, "error": error})];
    };
    let telling = Telling {
        serial: service.serial(),
        asked: asked.clone(),
        turn: conversation.next(),
    };
    match telling.stream(Numbered::to(Sink::Kept(Vec::new()))).await {
        Sink::Kept(events) => events,
        Sink::Feed(_) => Vec::new(),
    }
}

// === impl Telling ===

impl Telling {
    async fn stream(self, mut events: Numbered) -> Sink {
        let begun = self.response("in_progress", &json!([]));
        let begin = json!({"response": begun});
        let item = self.item("in_progress");
        let done = self.item("completed");
        let end = json!({"response": self.response("completed", &json!([done]))});
        let _ = async {
            events.send("response.created", begin.clone()).await?;
            events.send("response.in_progress", begin).await?;
            let added = json!({"output_index": 0, "item": item});
            events.send("response.output_item.added", added).await?;
            self.content(&mut events).await?;
            let done = json!({"output_index": 0, "item": done});
            events.send("response.output_item.done", done).await?;
            events.send("response.completed", end).await
        }
        .await;
        events.sink
    }

    async fn content(&self, events: &mut Numbered) -> Option<()> {
        match &self.turn {
            Turn::Call { name, arguments } => {
                let kind = "response.function_call_arguments";
                for piece in arguments.split_inclusive(':') {
                    let delta = self.at(json!({"delta": piece}), false);
                    events.send(&format!("{kind}.delta"), delta).await?;
                }
                let whole = json!({"arguments": arguments, "name": name});
                let done = self.at(whole, false);
                events.send(&format!("{kind}.done"), done).await
            }
            Turn::Say(text) => {
                let empty = self.at(json!({"part": part("")}), true);
                events.send("response.content_part.added", empty).await?;
                for piece in pieces(text) {
                    let delta = self.at(json!({"delta": piece, "logprobs": []}), true);
                    events.send("response.output_text.delta", delta).await?;
                }
                let whole = self.at(json!({"text": text, "logprobs": []}), true);
                events.send("response.output_text.done", whole).await?;
                let full = self.at(json!({"part": part(text)}), true);
                events.send("response.content_part.done", full).await
            }
        }
    }

    /// Says where in the response an event belongs.
    fn at(&self, mut event: Value, in_content: bool) -> Value {
        event["item_id"] = json!(self.item_id());
        event["output_index"] = json!(0);
        if in_content {
            event["content_index"] = json!(0);
        }
        event
    }

    fn item_id(&self) -> String {
        let kind = match &self.turn {
            Turn::Call { .. } => "fc",
            Turn::Say(_) => "msg",
        };
        format!("{kind}_{:016x}", self.serial)
    }

    fn item(&self, status: &str) -> Value {
        let is_done = status == "completed";
        match &self.turn {
            Turn::Call { name, arguments } => json!({
                "type": "function_call",
                "id": self.item_id(),
                "call_id": format!("call_{:016x}", self.serial),
                "name": name,
                "arguments": if is_done { arguments } else { "" },
                "status": status,
            }),
            Turn::Say(text) => {
                let content = if is_done {
                    json!([part(text)])
                } else {
                    json!([])
                };
                json!({
                    "type": "message",
                    "id": self.item_id(),
                    "role": "assistant",
                    "content": content,
                    "status": status,
                })
            }
        }
    }

    fn response(&self, status: &str, output: &Value) -> Value {
        let usage = if status == "completed" {
            self.usage()
        } else {
            Value::Null
        };
        json!({
            "id": format!("resp_{:016x}", self.serial),
            "object": "response",
            "created_at": MADE,
            "status": status,
            "background": false,
            "error": null,
            "incomplete_details": null,
            "instructions": self.asked["instructions"],
            "max_output_tokens": null,
            "model": self.asked["model"],
            "output": output,
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "reasoning": {"effort": null, "summary": null},
            "store": false,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": self.asked["tools"].as_array().map_or(&[][..], Vec::as_slice),
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage,
            "metadata": {},
        })
    }

    fn usage(&self) -> Value {
        let heard = tokens(&self.asked["input"].to_string());
        let said = match &self.turn {
            Turn::Call { arguments, .. } => tokens(arguments),
            Turn::Say(text) => tokens(text),
        };
        json!({
            "input_tokens": heard,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": said,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": heard + said,
        })
    }
}

// === impl Numbered ===

impl Numbered {
    fn to(sink: Sink) -> Self {
        Self { sink, next: 0 }
    }

    /// `None` once nobody listens.
    async fn send(&mut self, kind: &str, mut event: Value) -> Option<()> {
        event["type"] = json!(kind);
        event["sequence_number"] = json!(self.next);
        self.next += 1;
        match &mut self.sink {
            Sink::Feed(feed) => {
                let sent = feed.event(Some(kind), &event.to_string()).await;
                sent.then_some(())
            }
            Sink::Kept(events) => {
                events.push(event);
                Some(())
            }
        }
    }
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn read(asked: &Value) -> Option<Conversation> {
    let mut conversation = Conversation::default();
    match &asked["input"] {
        Value::String(text) => conversation.user.clone_from(text),
        Value::Array(items) => items.iter().for_each(|item| hear(&mut conversation, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    }
    if asked["tool_choice"] != "none" {
        let offered = asked["tools"].as_array().map_or(&[][..], Vec::as_slice);
        conversation.tools = offered
            .iter()
            .filter(|tool| tool["type"] == "function")
            .filter_map(|tool| {
                Some(Tool {
                    name: tool["name"].as_str()?.to_owned(),
                    parameters: tool["parameters"].clone(),
                })
            })
            .collect();
    }
    Some(conversation)
}

fn hear(conversation: &mut Conversation, item: &Value) {
    if item["type"] == "function_call_output" {
        conversation.results.push(text_of(&item["output"]));
    } else if item["role"] == "user" {
        conversation.user = text_of(&item["content"]);
        conversation.results.clear();
    }
}
