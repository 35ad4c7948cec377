//! `POST /v1/embeddings`: unit vectors that depend on nothing but the text.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::upstream::answer;
use crate::upstream::body::Answer;
use crate::upstream::openai::{refused, tokens};
use crate::upstream::route::Service;

const DIMENSIONS: u64 = 1536;
const INPUTS: usize = 2048;

pub(super) fn answer(_: &Service, asked: &Value) -> Response<Answer> {
    let inputs = match &asked["input"] {
        Value::String(text) => vec![text.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    if inputs.is_empty() || inputs.len() > INPUTS {
        return refused("invalid_input", "`input` must be text or a list of texts");
    }
    let asked_for = asked["dimensions"].as_u64().unwrap_or(DIMENSIONS);
    let dimensions = asked_for.clamp(1, DIMENSIONS);
    let as_text = asked["encoding_format"] == "base64";
    let used: u64 = inputs.iter().map(|text| tokens(text)).sum();
    let mut data = Vec::new();
    for (index, text) in inputs.into_iter().enumerate() {
        let vector = vector(text, dimensions);
        let embedding = if as_text {
            json!(STANDARD.encode(bytes(&vector)))
        } else {
            json!(vector)
        };
        data.push(json!({"object": "embedding", "index": index, "embedding": embedding}));
    }
    let usage = json!({"prompt_tokens": used, "total_tokens": used});
    let list =
        json!({"object": "list", "data": data, "model": asked["model"].clone(), "usage": usage});
    answer::json(StatusCode::OK, &list)
}

fn bytes(vector: &[f32]) -> Vec<u8> {
    vector
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// Digests of (block number, text), read as numbers between -1 and 1 and brought to length 1.
fn vector(text: &str, dimensions: u64) -> Vec<f32> {
    let mut values = Vec::new();
    for index in 0..dimensions {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(&index.to_be_bytes());
        hash.update(text.as_bytes());
        let hash = hash.finish();
        let pair = [hash.as_ref()[0], hash.as_ref()[1]];
        values.push(f32::from(i16::from_be_bytes(pair)) / f32::from(i16::MAX));
    }
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.iter().map(|value| value / length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_length_one_and_differ_by_text() {
        let one = vector("one", 64);
        let length: f32 = one.iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
        assert_eq!(one, vector("one", 64));
        assert_ne!(one, vector("two", 64));
        assert_eq!(bytes(&one).len(), 256);
    }
}
