//! Answers in which numbers are of interest, and words at most: old completions, embeddings, pictures, transcriptions.

use super::Stop;
use super::desk::{Bench, Dialect, Id, Rendered, Rulings, Said};
use crate::Operation;
use crate::json::Value;

#[derive(Debug)]
pub(super) struct Counts {
    /// Whether its answers are words.
    words: bool,
}

impl Counts {
    pub(super) fn of(operation: Operation) -> Self {
        Self {
            words: matches!(
                operation,
                Operation::AudioTranscriptions
                    | Operation::AudioTranslations
                    | Operation::Completions
            ),
        }
    }
}

impl Dialect for Counts {
    fn note(&mut self, said: &Said<'_, '_>, bench: &mut Bench<'_>) -> Result<Vec<Id>, Stop> {
        let root = said.document.root();
        bench.count(root);
        if !self.words {
            return Ok(Vec::new());
        }
        for key in ["text", "delta"] {
            let text = root.get(key).and_then(Value::as_str);
            bench.said(0, text.unwrap_or_default())?;
        }
        for choice in root.get("choices").map(Value::elements).unwrap_or_default() {
            let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
            let text = choice.get("text").and_then(Value::as_str);
            bench.said(index, text.unwrap_or_default())?;
            if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
                bench.finished(index, reason);
            }
        }
        Ok(Vec::new())
    }

    fn end(&mut self, _: &mut Bench<'_>) -> Result<(), Stop> {
        Ok(())
    }

    fn render(&self, _: &Said<'_, '_>, _: &Rulings) -> Rendered {
        Rendered::Same
    }

    fn only_counts(&self, listens: bool) -> bool {
        !(listens && self.words)
    }
}
