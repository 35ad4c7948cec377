//! Where a text stands, as far as rules and findings care.

/// Which way a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To the agent.
    Answer,
    /// From the agent.
    Request,
}

/// Where a text stands.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// The name of what holds it: a JSON key, a form's field, a header, a column, an attribute. Letter case does not matter.
    pub field: Option<&'a str>,
    /// Its place as findings name it: `$.messages[0].content`, `header:authorization`, `query:q`, `cookie:id`.
    ///
    /// What begins with `$` is compared with rules about JSON paths, what begins with `header:` with rules about headers.
    pub path: &'a str,
}

impl Direction {
    /// As policies and the ledger call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Request => "request",
        }
    }
}
