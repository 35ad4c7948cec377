//! An error as each interface writes it in the middle of an answer.

use serde_json::json;

use crate::{Api, Media, Operation, Provider, Shape};

/// Which interface, and how its answer is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    api: Api,
    events: bool,
}

impl Style {
    pub(super) fn of(shape: &Shape) -> Self {
        Self {
            api: shape.api,
            events: shape.media == Media::EventStream,
        }
    }

    pub(super) fn write(self, code: &str, message: &str) -> Vec<u8> {
        let openai = json!({
            "message": message, "type": "permission_error", "param": null, "code": code,
        });
        let (event, data) = match self.api {
            Api::Mcp => {
                let error = json!({"code": -32000, "message": message, "data": {"code": code}});
                let data = json!({"jsonrpc": "2.0", "id": null, "error": error});
                (Some("message"), data)
            }
            Api::Model(Provider::Anthropic, _) => {
                let error = json!({"type": "permission_error", "message": message});
                (Some("error"), json!({"type": "error", "error": error}))
            }
            Api::Model(Provider::Gemini, _) => {
                let error = json!({"code": 403, "message": message, "status": "PERMISSION_DENIED"});
                (None, json!({"error": error}))
            }
            Api::Model(_, Operation::Responses | Operation::Realtime) if self.events => {
                let data = json!({
                    "type": "error", "code": code, "message": message, "param": null, "error": openai,
                });
                (Some("error"), data)
            }
            Api::Model(_, Operation::Realtime | Operation::Responses) => {
                (None, json!({"type": "error", "error": openai}))
            }
            Api::Model(_, _) | Api::Other => (None, json!({"error": openai})),
        };
        if !self.events {
            return data.to_string().into_bytes();
        }
        let name = event
            .map(|event| format!("event: {event}\n"))
            .unwrap_or_default();
        format!("{name}data: {data}\n\n").into_bytes()
    }
}
