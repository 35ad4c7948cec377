//! What is wrong with a rule, in the operator's words.

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// A canary that would be found everywhere.
    #[error(
        "rule `{rule}`: a value of canary `{name}` is shorter than {least} bytes and would be found by chance"
    )]
    CanaryShort {
        /// The rule.
        rule: String,
        /// The canary.
        name: String,
        /// How long it has to be.
        least: usize,
    },
    /// Nothing to look for.
    #[error("rule `{rule}`: `{name}` is empty")]
    Empty {
        /// The rule.
        rule: String,
        /// What is empty.
        name: String,
    },
    /// A name that is no name.
    #[error(
        "rule `{rule}`: `{name}` is no name for a detector: one to forty small letters, digits and `_`, a letter first"
    )]
    Name {
        /// The rule.
        rule: String,
        /// The name.
        name: String,
    },
    /// A JSON path that cannot be read.
    #[error(
        "rule `{rule}`: `{path}` is no path that can be used here: {why}; write it like `$.user.ssn` or `$.items[*].card`"
    )]
    Path {
        /// The rule.
        rule: String,
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An expression that cannot be read.
    #[error("rule `{rule}`: the expression of `{name}` cannot be used: {why}")]
    Regex {
        /// The rule.
        rule: String,
        /// The detector.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A name that two detectors have.
    #[error("rule `{rule}`: a detector called `{name}` exists already")]
    Taken {
        /// The rule.
        rule: String,
        /// The name.
        name: String,
    },
    /// An expression whose matches have no end.
    #[error(
        "rule `{rule}`: matches of `{name}` can be longer than {most} bytes; bound its repetitions (`{{1,64}}` for `+`) or state `longest`"
    )]
    Unbounded {
        /// The rule.
        rule: String,
        /// The detector.
        name: String,
        /// How long they may be.
        most: usize,
    },
    /// No detector, no family.
    #[error("rule `{rule}`: no detector and no family is called `{name}`{}", did_you_mean(nearest.as_deref()))]
    Unknown {
        /// The rule.
        rule: String,
        /// The name.
        name: String,
        /// What was meant, perhaps.
        nearest: Option<String>,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}
