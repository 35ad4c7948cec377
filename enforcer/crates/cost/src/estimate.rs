//! What a request will take, before it is sent.

use enforcer_prompt::{ModelCall, Usage};

use crate::{Prices, Tokenizer};

/// What a request will probably take, or has taken. What is not known is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Tokens sent.
    pub input: u64,
    /// Tokens that may be answered: as many as the request allows, or as the model has.
    pub output: Option<u64>,
    /// The price of both, in millionths of a US dollar.
    pub micro_usd: Option<u64>,
}

/// Counts tokens and knows prices.
#[derive(Default)]
pub struct Estimator {
    tokenizer: Tokenizer,
    prices: Prices,
}

// === impl Estimate ===

impl Estimate {
    /// Tokens in both directions, as far as they are known.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output.unwrap_or(0))
    }
}

// === impl Estimator ===

impl Estimator {
    /// With these prices.
    #[must_use]
    pub fn new(prices: Prices) -> Self {
        Self {
            tokenizer: Tokenizer::new(),
            prices,
        }
    }

    /// What a request will take at most. The price is none when the model has none, or when nothing bounds its answer.
    #[must_use]
    pub fn estimate(&self, call: &ModelCall<'_>) -> Estimate {
        let input = self.tokenizer.count(call);
        let price = call.model.and_then(|model| self.prices.of(model));
        // What says nothing (embeddings, moderations) has no price for it, and needs no bound.
        let most = price.and_then(|price| {
            if price.output == 0 {
                Some(0)
            } else {
                price.most
            }
        });
        let output = call
            .max_tokens
            .or(most)
            .map(|tokens| tokens.saturating_mul(call.n.unwrap_or(1).max(1)));
        let micro_usd = price
            .zip(output)
            .map(|(price, output)| price.micro_usd(input, 0, output));
        Estimate {
            input,
            output,
            micro_usd,
        }
    }

    /// What an exchange has taken, by the provider's own count. What it did not count is taken from the estimate.
    #[must_use]
    pub fn actual(&self, model: Option<&str>, usage: &Usage, before: Estimate) -> Estimate {
        let (Some(input), Some(output)) = (
            usage.input.or(Some(before.input)),
            usage.output.or(before.output),
        ) else {
            return before;
        };
        let price = model.and_then(|model| self.prices.of(model));
        let cached = usage.cached.unwrap_or(0);
        Estimate {
            input,
            output: Some(output),
            micro_usd: price
                .map(|price| price.micro_usd(input, cached, output))
                .or(before.micro_usd),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimator() -> Estimator {
        let table = "models: { m: { input: 1, output: 10, max_output: 100 }, e: { input: 1 }, open: { input: 1, output: 1 } }";
        Estimator::new(Prices::parse(table).unwrap())
    }

    fn call(model: &'static str, max_tokens: Option<u64>, n: Option<u64>) -> ModelCall<'static> {
        ModelCall {
            model: Some(model),
            max_tokens,
            n,
            ..ModelCall::default()
        }
    }

    #[test]
    fn the_answer_is_taken_to_be_as_long_as_it_may_be() {
        let estimator = estimator();
        for (call, output, micro_usd) in [
            (call("m", Some(7), None), Some(7), Some(73)),
            (call("m", Some(7), Some(2)), Some(14), Some(143)),
            (call("m", None, None), Some(100), Some(1003)),
            (call("e", None, None), Some(0), Some(3)),
            (call("open", None, None), None, None),
            (call("unknown", Some(7), None), Some(7), None),
        ] {
            let estimate = estimator.estimate(&call);
            assert_eq!(
                (estimate.output, estimate.micro_usd),
                (output, micro_usd),
                "{:?}",
                call.model
            );
        }
    }

    #[test]
    fn the_providers_count_replaces_ours() {
        let estimator = estimator();
        let before = estimator.estimate(&call("m", None, None));
        let usage = Usage {
            input: Some(5),
            output: Some(1),
            ..Usage::default()
        };
        let after = estimator.actual(Some("m"), &usage, before);
        assert_eq!((after.tokens(), after.micro_usd), (6, Some(15)));
        assert_eq!(
            estimator.actual(Some("m"), &Usage::default(), before),
            before
        );
    }
}
