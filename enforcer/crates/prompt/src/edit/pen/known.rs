//! What members of events are, by their names. A name that is not here is nobody's, and all of its member is edited.

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Arguments of a call: a document in a string.
    Arguments,
    /// Bytes in base64, or words.
    Bytes,
    /// Something with known members, or a list of them; a string in its place is said.
    Holder,
    /// Log probabilities, which name every piece of the text.
    Pieces,
    /// A number, a name or a word of the interface: its strings stay.
    Interface,
    /// Nobody knows.
    Nobody,
    /// Filling that hides how long a piece is.
    Padding,
    /// Words.
    Said,
    /// Bytes that nobody but the provider opens.
    Sealed,
}

pub(super) fn role(name: &str) -> Role {
    let known = KNOWN.binary_search_by(|(known, _)| (*known).cmp(name));
    known
        .ok()
        .and_then(|at| KNOWN.get(at))
        .map_or(Role::Nobody, |(_, role)| *role)
}

impl Role {
    /// Whether a string in the place of such a member is words that may go on with the next event.
    pub(super) fn may_be_said(self) -> bool {
        match self {
            Self::Holder | Self::Nobody | Self::Said => true,
            Self::Arguments
            | Self::Bytes
            | Self::Interface
            | Self::Padding
            | Self::Pieces
            | Self::Sealed => false,
        }
    }
}

/// Whether a string in the place of such a member is bytes in base64, and longer than any secret that looks so.
pub(super) fn is_bytes(role: Role, text: &str) -> bool {
    let least = match role {
        Role::Bytes => 512,
        Role::Sealed => 64,
        Role::Arguments
        | Role::Holder
        | Role::Interface
        | Role::Nobody
        | Role::Padding
        | Role::Pieces
        | Role::Said => return false,
    };
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
    text.len() >= least && text.bytes().all(inside)
}

use Role::{Arguments, Bytes, Holder, Interface, Padding, Pieces, Said, Sealed};

/// In the order of their names.
#[rustfmt::skip]
const KNOWN: &[(&str, Role)] = &[
    ("URL", Said),
    ("action", Holder),
    ("annotation", Holder),
    ("annotations", Holder),
    ("arguments", Arguments),
    ("assistant_id", Interface),
    ("audio", Bytes),
    ("b64_json", Sealed),
    ("background", Interface),
    ("blob", Bytes),
    ("blockReason", Interface),
    ("cacheTokensDetails", Holder),
    ("cache_creation", Holder),
    ("cached_tokens_details", Holder),
    ("call_id", Interface),
    ("candidates", Holder),
    ("candidatesTokensDetails", Holder),
    ("category", Interface),
    ("choices", Holder),
    ("citation", Holder),
    ("citationMetadata", Holder),
    ("citationSources", Holder),
    ("citations", Holder),
    ("cited_text", Said),
    ("code", Said),
    ("codeExecutionResult", Holder),
    ("code_interpreter", Holder),
    ("completion_tokens_details", Holder),
    ("container_id", Interface),
    ("content", Holder),
    ("content_block", Holder),
    ("content_filter_offsets", Holder),
    ("content_filter_result", Holder),
    ("content_filter_results", Holder),
    ("contents", Holder),
    ("conversation_id", Interface),
    ("createTime", Interface),
    ("custom", Holder),
    ("data", Bytes),
    ("delta", Holder),
    ("description", Said),
    ("details", Holder),
    ("encrypted_content", Sealed),
    ("encrypted_index", Sealed),
    ("error", Holder),
    ("event", Interface),
    ("event_id", Interface),
    ("executableCode", Holder),
    ("fileUri", Interface),
    ("file_citation", Holder),
    ("file_id", Interface),
    ("filename", Said),
    ("finishMessage", Said),
    ("finishReason", Interface),
    ("finish_reason", Interface),
    ("format", Interface),
    ("function", Holder),
    ("functionCall", Holder),
    ("function_call", Holder),
    ("groundingChunks", Holder),
    ("groundingMetadata", Holder),
    ("groundingSupports", Holder),
    ("hate", Holder),
    ("id", Interface),
    ("image", Bytes),
    ("incomplete_details", Holder),
    ("indirect_attack", Holder),
    ("inlineData", Holder),
    ("inline_data", Holder),
    ("input", Said),
    ("input_token_details", Holder),
    ("input_tokens_details", Holder),
    ("instructions", Said),
    ("item", Holder),
    ("item_id", Interface),
    ("items", Holder),
    ("jailbreak", Holder),
    ("jsonPath", Interface),
    ("json_path", Interface),
    ("jsonrpc", Interface),
    ("language", Interface),
    ("last_error", Holder),
    ("license", Said),
    ("logprobs", Pieces),
    ("logprobsResult", Pieces),
    ("logs", Said),
    ("message", Holder),
    ("messages", Holder),
    ("method", Interface),
    ("mimeType", Interface),
    ("mime_type", Interface),
    ("modality", Interface),
    ("model", Interface),
    ("modelVersion", Interface),
    ("name", Said),
    ("native_finish_reason", Interface),
    ("obfuscation", Padding),
    ("object", Interface),
    ("outcome", Interface),
    ("output", Holder),
    ("output_format", Interface),
    ("output_token_details", Holder),
    ("output_tokens_details", Holder),
    ("outputs", Holder),
    ("part", Holder),
    ("partialArgs", Holder),
    ("partial_args", Holder),
    ("partial_image_b64", Sealed),
    ("partial_json", Said),
    ("parts", Holder),
    ("previous_item_id", Interface),
    ("previous_response_id", Interface),
    ("probability", Interface),
    ("profanity", Holder),
    ("promptFeedback", Holder),
    ("promptTokensDetails", Holder),
    ("prompt_filter_results", Holder),
    ("prompt_tokens_details", Holder),
    ("protected_material_code", Holder),
    ("protected_material_text", Holder),
    ("provider", Interface),
    ("quality", Interface),
    ("queries", Holder),
    ("query", Said),
    ("quote", Said),
    ("rate_limits", Holder),
    ("reason", Said),
    ("reasoning", Holder),
    ("reasoning_content", Said),
    ("reasoning_details", Holder),
    ("refusal", Said),
    ("required_action", Holder),
    ("response", Holder),
    ("responseId", Interface),
    ("response_id", Interface),
    ("result", Holder),
    ("results", Holder),
    ("role", Interface),
    ("run_id", Interface),
    ("safetyRatings", Holder),
    ("segment", Holder),
    ("self_harm", Holder),
    ("server_tool_use", Holder),
    ("service_tier", Interface),
    ("severity", Interface),
    ("sexual", Holder),
    ("signature", Sealed),
    ("size", Interface),
    ("source", Holder),
    ("sources", Holder),
    ("status", Interface),
    ("step_details", Holder),
    ("stop_reason", Interface),
    ("stop_sequence", Said),
    ("stringValue", Said),
    ("string_value", Said),
    ("submit_tool_outputs", Holder),
    ("summary", Holder),
    ("system_fingerprint", Interface),
    ("text", Holder),
    ("thinking", Holder),
    ("thoughtSignature", Sealed),
    ("thread_id", Interface),
    ("title", Said),
    ("tokens", Holder),
    ("toolUsePromptTokensDetails", Holder),
    ("tool_call_id", Interface),
    ("tool_calls", Holder),
    ("tool_use_id", Interface),
    ("trafficType", Interface),
    ("transcript", Said),
    ("truncation", Interface),
    ("type", Interface),
    ("uri", Said),
    ("url", Said),
    ("url_citation", Holder),
    ("usage", Holder),
    ("usageMetadata", Holder),
    ("value", Said),
    ("violence", Holder),
    ("voice", Interface),
    ("web", Holder),
];

#[cfg(test)]
mod tests {
    use super::KNOWN;

    #[test]
    fn names_are_in_order() {
        assert!(KNOWN.is_sorted_by(|(one, _), (next, _)| one < next));
    }
}
