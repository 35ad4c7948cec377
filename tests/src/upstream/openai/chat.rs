//! `POST /v1/chat/completions`, whole and streamed.

use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::upstream::answer::{self, Feed};
use crate::upstream::body::Answer;
use crate::upstream::openai::turn::{Conversation, Tool, Turn, text_of};
use crate::upstream::openai::{MADE, pieces, refused, tokens};
use crate::upstream::route::Service;

/// One completion being told.
struct Completion {
    id: String,
    model: Value,
    prompt_tokens: u64,
    turn: Turn,
}

pub(super) fn answer(service: &Service, asked: &Value) -> Response<Answer> {
    let Some(messages) = asked["messages"].as_array() else {
        return refused("missing_messages", "`messages` must be a list");
    };
    let conversation = read(messages, asked);
    let completion = Completion {
        id: format!("chatcmpl-{:016x}", service.serial()),
        model: asked["model"].clone(),
        prompt_tokens: messages
            .iter()
            .map(|message| tokens(&text_of(&message["content"])))
            .sum(),
        turn: conversation.next(),
    };
    if asked["stream"] == true {
        let with_usage = asked["stream_options"]["include_usage"] == true;
        return answer::events(move |feed| completion.stream(feed, with_usage));
    }
    answer::json(StatusCode::OK, &completion.whole())
}

impl Completion {
    fn whole(&self) -> Value {
        let (message, reason) = match &self.turn {
            Turn::Call { .. } => {
                let calls = json!([self.call()]);
                let message = json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": calls});
                (message, "tool_calls")
            }
            Turn::Say(text) => {
                let message = json!({"role": "assistant", "content": text, "refusal": null});
                (message, "stop")
            }
        };
        let choice =
            json!({"index": 0, "message": message, "logprobs": null, "finish_reason": reason});
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": MADE,
            "model": self.model,
            "choices": [choice],
            "usage": self.usage(),
            "system_fingerprint": null,
        })
    }

    async fn stream(self, mut feed: Feed, with_usage: bool) {
        let mut deltas = vec![json!({"role": "assistant", "content": ""})];
        let reason = match &self.turn {
            Turn::Call { name, arguments } => {
                let named = json!({"name": name, "arguments": ""});
                let call = json!({"index": 0, "id": self.call_id(), "type": "function", "function": named});
                deltas.push(json!({"tool_calls": [call]}));
                for piece in arguments.split_inclusive(':') {
                    let call = json!({"index": 0, "function": {"arguments": piece}});
                    deltas.push(json!({"tool_calls": [call]}));
                }
                "tool_calls"
            }
            Turn::Say(text) => {
                let pieces = pieces(text).into_iter();
                deltas.extend(pieces.map(|piece| json!({"content": piece})));
                "stop"
            }
        };
        let mut chunks: Vec<Value> = deltas
            .into_iter()
            .map(|delta| self.chunk(&json!([choice(&delta, &Value::Null)])))
            .collect();
        chunks.push(self.chunk(&json!([choice(&json!({}), &json!(reason))])));
        if with_usage {
            let mut last = self.chunk(&json!([]));
            last["usage"] = self.usage();
            chunks.push(last);
        }
        for chunk in chunks {
            if !feed.event(None, &chunk.to_string()).await {
                return;
            }
        }
        feed.event(None, "[DONE]").await;
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": MADE,
            "model": self.model,
            "system_fingerprint": null,
            "choices": choices,
        })
    }

    fn call_id(&self) -> String {
        self.id.replace("chatcmpl-", "call_")
    }

    fn call(&self) -> Value {
        match &self.turn {
            Turn::Call { name, arguments } => json!({
                "id": self.call_id(),
                "type": "function",
                "function": {"name": name, "arguments": arguments},
            }),
            Turn::Say(_) => Value::Null,
        }
    }

    fn usage(&self) -> Value {
        let said = match &self.turn {
            Turn::Call { arguments, .. } => tokens(arguments),
            Turn::Say(text) => tokens(text),
        };
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": said,
            "total_tokens": self.prompt_tokens + said,
        })
    }
}

fn choice(delta: &Value, reason: &Value) -> Value {
    json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": reason})
}

fn read(messages: &[Value], asked: &Value) -> Conversation {
    let mut conversation = Conversation::default();
    for message in messages {
        match message["role"].as_str() {
            Some("tool") => conversation.results.push(text_of(&message["content"])),
            Some("user") => {
                conversation.user = text_of(&message["content"]);
                conversation.results.clear();
            }
            _ => {}
        }
    }
    if asked["tool_choice"] != "none" {
        let offered = asked["tools"].as_array().map_or(&[][..], Vec::as_slice);
        conversation.tools = offered
            .iter()
            .filter_map(|tool| {
                Some(Tool {
                    name: tool["function"]["name"].as_str()?.to_owned(),
                    parameters: tool["function"]["parameters"].clone(),
                })
            })
            .collect();
    }
    conversation
}
