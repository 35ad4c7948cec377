//! Tokens of a request, counted before it is sent.
//!
//! Counting is exact for OpenAI's models, up to the few tokens that frame messages, and close for those of others, whose
//! tokenizers are not public. Where it cannot be exact it counts too many rather than too few.

use std::sync::OnceLock;

use enforcer_prompt::{Arguments, Message, ModelCall, Part, Tool};
use tiktoken_rs::CoreBPE;

/// How much of a request is counted by the tokenizer. What is longer counts a token for each byte beyond: nothing is denser.
const COUNTED: usize = 256 * 1024;
/// The longest text the tokenizer sees at a time. Merging takes the square of a word's length, and words are the agent's to
/// choose; cutting one that is longer adds a few tokens.
const SLICE: usize = 1024;
/// What frames a message: its role and two separators.
const PER_MESSAGE: u64 = 4;
/// What primes the answer.
const PER_REQUEST: u64 = 3;
/// What a provider takes for a picture at the size it reduces pictures to. An estimate, on the high side.
const PER_PICTURE: u64 = 1_600;

/// Counts tokens. The vocabularies, tens of MiB, are loaded when they are first needed.
#[derive(Default)]
pub struct Tokenizer {
    /// GPT-4o and everything since.
    current: OnceLock<Option<CoreBPE>>,
    /// GPT-4, GPT-3.5 and the embedding models.
    former: OnceLock<Option<CoreBPE>>,
}

/// A count in progress.
struct Count<'t> {
    bpe: Option<&'t CoreBPE>,
    /// Bytes that may still go through the tokenizer.
    left: usize,
    tokens: u64,
}

// === impl Tokenizer ===

impl Tokenizer {
    /// A tokenizer that has loaded nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tokens of a request's input: what is said, what tools are declared, what they gave back.
    #[must_use]
    pub fn count(&self, call: &ModelCall<'_>) -> u64 {
        let mut count = Count {
            bpe: self.vocabulary(call.model),
            left: COUNTED,
            tokens: PER_REQUEST,
        };
        for text in &call.instructions {
            count.framed(text);
        }
        for message in &call.messages {
            count.message(message);
        }
        for tool in &call.tools {
            count.tool(tool);
        }
        for attachment in &call.attachments {
            count.attachment(attachment.kind, attachment.size);
        }
        count.tokens
    }

    /// The tokens of a text.
    #[must_use]
    pub fn count_text(&self, model: Option<&str>, text: &str) -> u64 {
        let mut count = Count {
            bpe: self.vocabulary(model),
            left: COUNTED,
            tokens: 0,
        };
        count.text(text);
        count.tokens
    }

    fn vocabulary(&self, model: Option<&str>) -> Option<&CoreBPE> {
        let former = model.is_some_and(|model| {
            let is = |prefix| model.starts_with(prefix);
            (is("gpt-4") && !is("gpt-4o") && !is("gpt-4.")) || is("gpt-3.5") || is("text-embedding")
        });
        let (place, load): (_, fn() -> _) = if former {
            (&self.former, tiktoken_rs::cl100k_base)
        } else {
            (&self.current, tiktoken_rs::o200k_base)
        };
        // Built into the binary: if it could not be read, every byte counts as a token.
        place.get_or_init(|| load().ok()).as_ref()
    }
}

// === impl Count ===

impl Count<'_> {
    fn message(&mut self, message: &Message<'_>) {
        self.add(PER_MESSAGE);
        if let Some(name) = message.name {
            self.text(name);
        }
        self.parts(&message.parts);
    }

    fn parts(&mut self, parts: &[Part<'_>]) {
        for part in parts {
            match part {
                Part::Attachment(attachment) => self.attachment(attachment.kind, attachment.size),
                Part::Refusal(text) | Part::Text(text) | Part::Thinking(text) => self.text(text),
                Part::ToolCall(call) => {
                    self.add(PER_MESSAGE);
                    self.text(call.name);
                    self.arguments(&call.arguments);
                }
                Part::ToolResult(result) => {
                    self.add(PER_MESSAGE);
                    // Results hold texts and attachments; a result inside a result is not followed.
                    for part in &result.parts {
                        match part {
                            Part::Attachment(attachment) => {
                                self.attachment(attachment.kind, attachment.size);
                            }
                            Part::Refusal(text) | Part::Text(text) | Part::Thinking(text) => {
                                self.text(text);
                            }
                            Part::Unknown(unknown) => self.bytes(unknown.value.span().len()),
                            Part::ToolCall(_) | Part::ToolResult(_) => {}
                        }
                    }
                }
                Part::Unknown(unknown) => self.bytes(unknown.value.span().len()),
            }
        }
    }

    fn tool(&mut self, tool: &Tool<'_>) {
        self.framed(tool.name);
        if let Some(description) = tool.description {
            self.text(description);
        }
        if let Some(parameters) = tool.parameters {
            // Providers show a schema in a shorter notation; three bytes a token is still too many tokens.
            self.bytes(parameters.span().len() / 3);
        }
    }

    fn arguments(&mut self, arguments: &Arguments<'_>) {
        match arguments {
            Arguments::Text(text) => self.text(text),
            Arguments::Value(value) => self.bytes(value.span().len() / 2),
        }
    }

    fn attachment(&mut self, kind: &str, size: Option<u64>) {
        match kind {
            "image" => self.add(PER_PICTURE),
            // A page of a document has about as many tokens as a picture, and a sound ten a second; bytes bound both.
            _ => self.add(size.unwrap_or(0) / 4),
        }
    }

    fn framed(&mut self, text: &str) {
        self.add(PER_MESSAGE);
        self.text(text);
    }

    fn text(&mut self, text: &str) {
        let Some(bpe) = self.bpe else {
            self.bytes(text.len());
            return;
        };
        let mut rest = text;
        while !rest.is_empty() && self.left > 0 {
            let (slice, after) = rest.split_at(cut(rest));
            self.left = self.left.saturating_sub(slice.len());
            self.add(bpe.encode_ordinary(slice).len() as u64);
            rest = after;
        }
        self.bytes(rest.len());
    }

    /// What is not looked at.
    fn bytes(&mut self, bytes: usize) {
        self.add(bytes as u64);
    }

    fn add(&mut self, tokens: u64) {
        self.tokens = self.tokens.saturating_add(tokens);
    }
}

/// Where a slice ends: before a word, whose first token holds the space before it.
fn cut(text: &str) -> usize {
    if text.len() <= SLICE {
        return text.len();
    }
    let end = text.floor_char_boundary(SLICE);
    match text[..end].rfind(' ') {
        Some(space) if space > 0 => space,
        Some(_) | None => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_as_many_tokens_as_their_model_says() {
        let tokenizer = Tokenizer::new();
        for (model, text, tokens) in [
            (None, "", 0),
            (Some("gpt-4o"), "hello world", 2),
            (Some("gpt-4.1-mini"), "Say this is a test", 5),
            (Some("gpt-4"), "hello world", 2),
            (Some("claude-sonnet-4"), "hello world", 2),
        ] {
            assert_eq!(
                tokenizer.count_text(model, text),
                tokens,
                "{model:?} {text:?}"
            );
        }
    }

    #[test]
    fn what_is_not_counted_is_taken_for_more_than_it_is() {
        let tokenizer = Tokenizer::new();
        let text = "salary ".repeat(COUNTED / 7 + 10_000);
        let exact = COUNTED as u64 / 7 + 10_000;
        assert!(tokenizer.count_text(None, &text) > exact + 50_000);
    }

    #[test]
    fn cutting_between_words_changes_nothing() {
        let tokenizer = Tokenizer::new();
        let text = "the quick brown fox jumps over the lazy dog ".repeat(400);
        let whole = tiktoken_rs::o200k_base()
            .unwrap()
            .encode_ordinary(&text)
            .len() as u64;
        let counted = tokenizer.count_text(None, &text);
        let slices = text.len().div_ceil(SLICE) as u64;
        assert!(
            (whole..=whole + slices).contains(&counted),
            "{whole} {counted}"
        );
    }

    #[test]
    fn a_request_is_the_sum_of_what_it_says_and_what_frames_it() {
        let tokenizer = Tokenizer::new();
        let call = ModelCall {
            instructions: vec!["hello world"],
            ..ModelCall::default()
        };
        assert_eq!(tokenizer.count(&call), PER_REQUEST + PER_MESSAGE + 2);
    }
}
