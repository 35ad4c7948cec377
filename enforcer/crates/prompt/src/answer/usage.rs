//! Tokens, in the words of each provider.

use super::Usage;
use crate::json::Value;

/// Adds what `value`, an object about usage, says; what is said later counts.
pub(crate) fn merge(usage: &mut Usage, value: &Value<'_>) {
    let found = read(value);
    *usage = Usage {
        input: found.input.or(usage.input),
        cached: found.cached.or(usage.cached),
        cache_written: found.cache_written.or(usage.cache_written),
        output: found.output.or(usage.output),
        reasoning: found.reasoning.or(usage.reasoning),
        audio_input: found.audio_input.or(usage.audio_input),
        audio_output: found.audio_output.or(usage.audio_output),
    };
}

fn read(value: &Value<'_>) -> Usage {
    let number = |paths: &[&[&str]]| number(value, paths);
    Usage {
        input: input(value),
        cached: cached(value),
        cache_written: written(value),
        output: output(value),
        reasoning: number(&[
            &["completion_tokens_details", "reasoning_tokens"],
            &["output_tokens_details", "reasoning_tokens"],
            &["output_tokens_details", "thinking_tokens"],
            &["thoughtsTokenCount"],
        ]),
        audio_input: number(&[
            &["prompt_tokens_details", "audio_tokens"],
            &["input_token_details", "audio_tokens"],
        ]),
        audio_output: number(&[
            &["completion_tokens_details", "audio_tokens"],
            &["output_token_details", "audio_tokens"],
        ]),
    }
}

/// All that went in. Anthropic counts what goes through its cache beside the input, the others within it.
fn input(value: &Value<'_>) -> Option<u64> {
    let paths: &[&[&str]] = &[&["prompt_tokens"], &["input_tokens"], &["promptTokenCount"]];
    let input = number(value, paths)?;
    let is_beside = ["cache_read_input_tokens", "cache_creation_input_tokens"]
        .iter()
        .any(|name| value.get(name).is_some());
    let beside = match is_beside {
        true => {
            let read = cached(value).unwrap_or(0);
            read.saturating_add(written(value).unwrap_or(0))
        }
        false => number(value, &[&["toolUsePromptTokenCount"]]).unwrap_or(0),
    };
    Some(input.saturating_add(beside))
}

/// What was read from a cache.
fn cached(value: &Value<'_>) -> Option<u64> {
    let paths: &[&[&str]] = &[
        &["prompt_tokens_details", "cached_tokens"],
        &["input_tokens_details", "cached_tokens"],
        &["input_token_details", "cached_tokens"],
        &["cache_read_input_tokens"],
        &["cachedContentTokenCount"],
    ];
    number(value, paths)
}

/// What was written to a cache.
fn written(value: &Value<'_>) -> Option<u64> {
    let paths: &[&[&str]] = &[
        &["cache_creation_input_tokens"],
        &["prompt_tokens_details", "cache_write_tokens"],
        &["input_tokens_details", "cache_write_tokens"],
    ];
    number(value, paths)
}

/// All that came out. Gemini counts its thoughts beside what it says.
fn output(value: &Value<'_>) -> Option<u64> {
    number(value, &[&["completion_tokens"], &["output_tokens"]]).or_else(|| {
        let said = number(value, &[&["candidatesTokenCount"]]);
        let thought = number(value, &[&["thoughtsTokenCount"]]);
        (said.is_some() || thought.is_some())
            .then(|| said.unwrap_or(0).saturating_add(thought.unwrap_or(0)))
    })
}

/// The first of these places that is there.
fn number(value: &Value<'_>, paths: &[&[&str]]) -> Option<u64> {
    let found = paths.iter().find_map(|path| value.at(path));
    found.and_then(Value::as_u64)
}
