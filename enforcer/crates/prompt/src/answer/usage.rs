//! Tokens, in the words of each provider.

use super::Usage;
use crate::json::Value;

/// Adds what `value`, an object about usage, says; what is said later counts.
pub(crate) fn merge(usage: &mut Usage, value: &Value<'_>) {
    let number = |paths: &[&[&str]]| {
        paths
            .iter()
            .find_map(|path| value.at(path))
            .and_then(Value::as_u64)
    };
    let cached = number(&[
        &["prompt_tokens_details", "cached_tokens"],
        &["input_tokens_details", "cached_tokens"],
        &["input_token_details", "cached_tokens"],
        &["cache_read_input_tokens"],
        &["cachedContentTokenCount"],
    ]);
    let written = number(&[
        &["cache_creation_input_tokens"],
        &["prompt_tokens_details", "cache_write_tokens"],
        &["input_tokens_details", "cache_write_tokens"],
    ]);
    let input = number(&[&["prompt_tokens"], &["input_tokens"], &["promptTokenCount"]]);
    // Anthropic counts what goes through its cache beside the input, the others within it.
    let beside = if value.get("cache_read_input_tokens").is_some()
        || value.get("cache_creation_input_tokens").is_some()
    {
        cached.unwrap_or(0).saturating_add(written.unwrap_or(0))
    } else {
        number(&[&["toolUsePromptTokenCount"]]).unwrap_or(0)
    };
    let reasoning = number(&[
        &["completion_tokens_details", "reasoning_tokens"],
        &["output_tokens_details", "reasoning_tokens"],
        &["output_tokens_details", "thinking_tokens"],
        &["thoughtsTokenCount"],
    ]);
    // Gemini counts its thoughts beside what it says.
    let output = number(&[&["completion_tokens"], &["output_tokens"]]).or_else(|| {
        let said = number(&[&["candidatesTokenCount"]]);
        let thought = number(&[&["thoughtsTokenCount"]]);
        (said.is_some() || thought.is_some())
            .then(|| said.unwrap_or(0).saturating_add(thought.unwrap_or(0)))
    });
    let found = Usage {
        input: input.map(|input| input.saturating_add(beside)),
        cached,
        cache_written: written,
        output,
        reasoning,
        audio_input: number(&[
            &["prompt_tokens_details", "audio_tokens"],
            &["input_token_details", "audio_tokens"],
        ]),
        audio_output: number(&[
            &["completion_tokens_details", "audio_tokens"],
            &["output_token_details", "audio_tokens"],
        ]),
    };
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
