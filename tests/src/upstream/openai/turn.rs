//! What the model says next, decided by the conversation alone so that every run is the same.
//!
//! Offered a tool and not yet answered by one, it calls the first tool; after the tool's answer it quotes that answer;
//! without tools it quotes the user.

use serde_json::{Map, Value, json};

/// A conversation in the terms both APIs share.
#[derive(Debug, Default, PartialEq)]
pub(in crate::upstream) struct Conversation {
    /// What the user said last.
    pub(super) user: String,
    /// What tools answered since then.
    pub(super) results: Vec<String>,
    /// The tools on offer; none when the caller forbade their use.
    pub(super) tools: Vec<Tool>,
}

/// A function on offer.
#[derive(Debug, PartialEq)]
pub(in crate::upstream) struct Tool {
    pub(super) name: String,
    pub(super) parameters: Value,
}

/// What the model does.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// Calls a function, with arguments as JSON text.
    Call { name: String, arguments: String },
    /// Says something.
    Say(String),
}

impl Conversation {
    /// The model's next turn.
    pub(super) fn next(&self) -> Turn {
        if !self.results.is_empty() {
            let all = self.results.join("; ");
            return Turn::Say(format!("The tool answered: {all}"));
        }
        match self.tools.first() {
            None => Turn::Say(format!("You said: {}", self.user)),
            Some(tool) => Turn::Call {
                name: tool.name.clone(),
                arguments: arguments(&tool.parameters, &self.user).to_string(),
            },
        }
    }
}

/// The text of a message's content, which is a string or a list of parts.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

fn arguments(parameters: &Value, user: &str) -> Value {
    let mut chosen = Map::new();
    let empty = Map::new();
    let properties = parameters["properties"].as_object().unwrap_or(&empty);
    for (name, shape) in properties {
        chosen.insert(name.clone(), value_for(shape, user));
    }
    Value::Object(chosen)
}

fn value_for(shape: &Value, user: &str) -> Value {
    if let Some(first) = shape["enum"].as_array().and_then(|list| list.first()) {
        return first.clone();
    }
    match shape["type"].as_str() {
        Some("array") => json!([]),
        Some("boolean") => json!(true),
        Some("integer") => json!(7),
        Some("null") => Value::Null,
        Some("number") => json!(1.5),
        Some("object") => json!({}),
        _ => json!(last_word(user)),
    }
}

/// "What is the weather in Oslo?" is about Oslo.
fn last_word(text: &str) -> &str {
    let is_mark = |mark: char| !mark.is_alphanumeric();
    text.split_whitespace()
        .rev()
        .map(|word| word.trim_matches(is_mark))
        .find(|word| !word.is_empty())
        .unwrap_or("nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weather() -> Tool {
        let city = json!({"type": "string"});
        let days = json!({"type": "integer"});
        Tool {
            name: "get_weather".to_owned(),
            parameters: json!({"type": "object", "properties": {"city": city, "days": days}}),
        }
    }

    fn asked(results: &[&str], tools: Vec<Tool>) -> Turn {
        let conversation = Conversation {
            user: "What is the weather in Oslo?".to_owned(),
            results: results.iter().map(|&text| text.to_owned()).collect(),
            tools,
        };
        conversation.next()
    }

    #[test]
    fn an_offered_tool_is_called_with_every_property() {
        let expected = Turn::Call {
            name: "get_weather".to_owned(),
            arguments: r#"{"city":"Oslo","days":7}"#.to_owned(),
        };
        assert_eq!(asked(&[], vec![weather()]), expected);
    }

    #[test]
    fn a_tool_result_is_quoted_instead_of_calling_again() {
        let expected = Turn::Say("The tool answered: rain".to_owned());
        assert_eq!(asked(&["rain"], vec![weather()]), expected);
    }

    #[test]
    fn without_tools_the_user_is_quoted() {
        let expected = Turn::Say("You said: What is the weather in Oslo?".to_owned());
        assert_eq!(asked(&[], Vec::new()), expected);
    }

    #[test]
    fn content_is_text_or_parts() {
        assert_eq!(text_of(&json!("plain")), "plain");
        let parts =
            json!([{"type": "input_text", "text": "in "}, {"type": "input_text", "text": "parts"}]);
        assert_eq!(text_of(&parts), "in parts");
        assert_eq!(text_of(&Value::Null), "");
    }
}
