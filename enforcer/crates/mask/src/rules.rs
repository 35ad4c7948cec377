//! What is looked for and what is done with it: plain data to something that scans.

mod compile;
mod kind;
mod path;
mod problem;

use enforcer_recognize::Confidence;

use crate::{Action, Direction, Place};
pub(crate) use compile::Lane;
pub use problem::RuleError;

/// What is looked for, and what is done where it is found.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name by which findings say which rule spoke.
    pub id: String,
    /// What it is about; any of them.
    pub what: Vec<What>,
    /// What is done.
    pub action: Action,
    /// Which way; none is both.
    pub direction: Option<Direction>,
    /// How sure it has to be.
    pub least: Confidence,
}

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Values that were planted and must never leave, also encoded.
    Canary {
        /// What findings call it: small letters, digits and `_`.
        name: String,
        /// The values; each at least eight bytes.
        values: Vec<String>,
    },
    /// Words and phrases, found whole and in any letter case.
    Dictionary {
        /// What findings call it.
        name: String,
        /// The words.
        words: Vec<String>,
    },
    /// All that stands in fields of this name: letter case and what joins its parts do not matter.
    Field(String),
    /// All that stands in this header.
    Header(String),
    /// A detector's name, a family's (`crypto`, `pii`, `secret`), or `all`.
    Named(String),
    /// All that stands in these places of JSON: `$.user.ssn`, `$.items[*].card`, `$['odd key'][0]`.
    Path(String),
    /// What an expression matches, longest match first; `\b` is of ASCII.
    Regex {
        /// What findings call it.
        name: String,
        /// The expression.
        pattern: String,
        /// The most bytes a match may take, where the expression does not say so itself; longer ones are not looked for.
        longest: Option<usize>,
    },
}

/// What holds for all rules.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Values that documentation uses as examples are not reported.
    pub allow_examples: bool,
    /// Encodings are taken off before looking.
    pub decode: bool,
    /// Findings are told, but nothing is changed and nothing ends.
    pub watch: bool,
}

/// Rules, ready to scan with. Made once for many texts.
#[derive(Debug)]
pub struct Ruleset {
    answer: Lane,
    request: Lane,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_examples: false,
            decode: true,
            watch: false,
        }
    }
}

// === impl Ruleset ===

impl Ruleset {
    /// Reads the rules.
    ///
    /// # Errors
    /// Everything that is wrong with them, at once.
    pub fn new(rules: &[Rule], settings: Settings) -> Result<Self, Vec<RuleError>> {
        let mut problems = Vec::new();
        let answer = Lane::new(rules, Direction::Answer, settings, &mut problems);
        // The same again: what is wrong was said the first time.
        let request = Lane::new(rules, Direction::Request, settings, &mut Vec::new());
        if problems.is_empty() {
            Ok(Self { answer, request })
        } else {
            Err(problems)
        }
    }

    /// Nothing is looked for in texts of this direction, so that nobody has to bother.
    #[must_use]
    pub fn is_empty(&self, direction: Direction) -> bool {
        self.lane(direction).is_empty()
    }

    /// Rules name fields by their own names, headers, or places in JSON: then numbers and other values that are no text have
    /// to be shown as well.
    #[must_use]
    pub fn names_places(&self, direction: Direction) -> bool {
        self.lane(direction).names_places()
    }

    /// Rules name places in JSON, so that [`Place::path`](crate::Place) has to be told.
    #[must_use]
    pub fn reads_paths(&self, direction: Direction) -> bool {
        self.lane(direction).reads_paths()
    }

    /// All that stands at this place is masked, whatever it is.
    #[must_use]
    pub fn covers(&self, place: &Place<'_>) -> bool {
        self.lane(place.direction).whole(place).is_some()
    }

    /// Some values become tokens, so that answers have to be read to put them back.
    #[must_use]
    pub fn tokenizes(&self) -> bool {
        self.request.tokenizes() || self.answer.tokenizes()
    }

    /// Nothing can be found in a short text, whatever the place: one look tells.
    pub(crate) fn is_quiet<'f>(
        &self,
        direction: Direction,
        text: &[u8],
        field: impl FnOnce() -> Option<&'f str>,
    ) -> bool {
        let lane = self.lane(direction);
        lane.customs.is_empty() && !lane.names_places() && lane.plan.is_quiet(text, field())
    }

    pub(crate) fn lane(&self, direction: Direction) -> &Lane {
        match direction {
            Direction::Answer => &self.answer,
            Direction::Request => &self.request,
        }
    }
}
