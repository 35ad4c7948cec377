//! What a model's tokens cost, from a file that operators keep.

use serde::Deserialize;

/// The table. Models that are not in it have no price, and what has no price is not known to be below any threshold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// Longest names first, so that the closest pattern is found first.
    models: Vec<(Pattern, Price)>,
}

/// What a token costs, in billionths of a US dollar: a price of 2.50 dollars for a million is 2500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Read.
    pub input: u64,
    /// Read from the provider's cache.
    pub cached: u64,
    /// Said.
    pub output: u64,
    /// The most tokens it says when a request sets no limit.
    pub most: Option<u64>,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    /// The text is not of this shape.
    #[error("{0}")]
    Malformed(Box<serde_saphyr::Error>),
    /// A price that is none.
    #[error(
        "`{model}`: `{field}` is {value}, and must be a number from 0 to 1000000, in US dollars for a million tokens"
    )]
    NoPrice {
        /// Of which model.
        model: String,
        /// Which of its prices.
        field: &'static str,
        /// What it says.
        value: f64,
    },
    /// A pattern that is none.
    #[error("`{0}`: a name, with `*` at its end if it stands for all that begin so")]
    NoPattern(String),
}

/// A name, or the beginning of names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    text: Box<str>,
    open: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// US dollars for a million tokens, by model.
    models: std::collections::BTreeMap<String, Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    input: f64,
    #[serde(default)]
    cached: Option<f64>,
    #[serde(default)]
    output: f64,
    #[serde(default)]
    max_output: Option<u64>,
}

// === impl Prices ===

impl Prices {
    /// Reads a table.
    ///
    /// # Errors
    /// When the text is not a table, or a price in it is none.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let table: Table =
            serde_saphyr::from_str(text).map_err(|error| PriceError::Malformed(Box::new(error)))?;
        let mut models = table
            .models
            .into_iter()
            .map(|(model, row)| Ok((Pattern::parse(&model)?, row.price(&model)?)))
            .collect::<Result<Vec<_>, PriceError>>()?;
        models.sort_by_key(|(pattern, _)| (std::cmp::Reverse(pattern.text.len()), pattern.open));
        Ok(Self { models })
    }

    /// A model's price: its own, or that of the longest pattern it begins with.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<Price> {
        let found = self.models.iter().find(|(pattern, _)| pattern.is(model));
        found.map(|(_, price)| *price)
    }
}

// === impl Price ===

impl Price {
    /// What tokens cost together, in millionths of a US dollar, rounded up.
    #[must_use]
    pub fn micro_usd(&self, input: u64, cached: u64, output: u64) -> u64 {
        let cached = cached.min(input);
        let nano = (input - cached)
            .saturating_mul(self.input)
            .saturating_add(cached.saturating_mul(self.cached))
            .saturating_add(output.saturating_mul(self.output));
        nano.div_ceil(1000)
    }
}

// === impl Pattern ===

impl Pattern {
    fn parse(text: &str) -> Result<Self, PriceError> {
        let (begin, open) = match text.strip_suffix('*') {
            Some(begin) => (begin, true),
            None => (text, false),
        };
        if begin.contains('*') || (begin.is_empty() && !open) {
            return Err(PriceError::NoPattern(text.to_owned()));
        }
        Ok(Self {
            text: begin.into(),
            open,
        })
    }

    fn is(&self, model: &str) -> bool {
        match model.strip_prefix(&*self.text) {
            Some(rest) => self.open || rest.is_empty(),
            None => false,
        }
    }
}

// === impl Row ===

impl Row {
    fn price(self, model: &str) -> Result<Price, PriceError> {
        let Self {
            input,
            cached,
            output,
            max_output,
        } = self;
        let read = |field, value: f64| {
            if (0.0..=1_000_000.0).contains(&value) {
                Ok(nano(value))
            } else {
                Err(PriceError::NoPrice {
                    model: model.to_owned(),
                    field,
                    value,
                })
            }
        };
        Ok(Price {
            input: read("input", input)?,
            cached: read("cached", cached.unwrap_or(input))?,
            output: read("output", output)?,
            most: max_output,
        })
    }
}

/// Dollars for a million as billionths for one. The range was checked, so nothing is cut off.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and a billion"
)]
fn nano(dollars: f64) -> u64 {
    (dollars * 1000.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
models:
  gpt-4.1: { input: 2.00, cached: 0.50, output: 8.00, max_output: 32768 }
  gpt-4.1-mini*: { input: 0.40, output: 1.60 }
  gpt-4.1*: { input: 3, output: 9 }
  text-embedding-3-small: { input: 0.02 }
";

    #[test]
    fn the_shipped_table_is_one() {
        let prices = Prices::parse(include_str!("../../../deploy/prices.yaml")).unwrap();
        assert!(prices.of("gpt-4o-mini").unwrap().input < prices.of("gpt-4o").unwrap().input);
    }

    #[test]
    fn the_closest_name_has_the_price() {
        let prices = Prices::parse(TABLE).unwrap();
        let input = |model| prices.of(model).map(|price| price.input);
        assert_eq!(input("gpt-4.1"), Some(2000));
        assert_eq!(input("gpt-4.1-2025-04-14"), Some(3000));
        assert_eq!(input("gpt-4.1-mini-2025-04-14"), Some(400));
        assert_eq!(input("text-embedding-3-small"), Some(20));
        assert_eq!(input("gpt-4"), None);
        assert_eq!(input(""), None);
    }

    #[test]
    fn cached_tokens_have_a_price_of_their_own_and_sums_are_rounded_up() {
        let price = Prices::parse(TABLE).unwrap().of("gpt-4.1").unwrap();
        assert_eq!(price.micro_usd(1000, 0, 0), 2000);
        assert_eq!(price.micro_usd(1000, 1000, 0), 500);
        assert_eq!(price.micro_usd(1000, 5000, 10), 580);
        let small = Prices::parse(TABLE)
            .unwrap()
            .of("text-embedding-3-small")
            .unwrap();
        assert_eq!(small.micro_usd(1, 0, 0), 1);
    }

    #[test]
    fn what_is_no_table_is_refused_by_name() {
        for (text, says) in [
            ("models: { m: { input: -1 } }", "`m`: `input` is -1"),
            (
                "models: { m: { input: 1, output: .nan } }",
                "`output` is NaN",
            ),
            ("models: { 'a*b': { input: 1 } }", "`a*b`"),
            ("models: { m: { inputs: 1 } }", "inputs"),
            ("[]", ""),
        ] {
            let error = Prices::parse(text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
