//! What is wrong with a policy's text, where, and what would be right: in the operator's words.

use std::fmt;
use std::sync::Arc;

/// Longest excerpt of offending text that is kept, in characters.
const MAX_EXCERPT: usize = 80;
/// Most findings of one severity kept of one file; whoever has that many mends some and asks again.
const MAX_FINDINGS: usize = 200;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The policy is refused.
    Error,
    /// The policy is taken, but something in it has no effect.
    Warning,
}

/// A place in a text. Both count from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// One finding about one place in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The file as its source was named.
    pub file: Arc<str>,
    /// The place in the file; none when the finding is about the file as a whole.
    pub at: Option<Position>,
    /// The text it is about, shortened; empty when there is none.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

// === impl Severity ===

impl Severity {
    /// The word shown to operators.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Position ===

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

// === impl Diagnostic ===

impl Diagnostic {
    /// A finding about a file as a whole; for whoever reads the files.
    #[must_use]
    pub fn of_file(severity: Severity, file: &str, message: impl Into<String>) -> Self {
        Self {
            severity,
            file: file.into(),
            at: None,
            text: String::new(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same finding with a word on what would be right.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether it makes the policy refused.
    #[must_use]
    pub fn is_error(&self) -> bool {
        match self.severity {
            Severity::Error => true,
            Severity::Warning => false,
        }
    }
}

/// `FILE:LINE:COLUMN: SEVERITY: MESSAGE (HINT)`, on one line.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            severity,
            file,
            at,
            text: _,
            message,
            hint,
        } = self;
        write!(f, "{file}:")?;
        if let Some(at) = at {
            write!(f, "{at}:")?;
        }
        write!(f, " {severity}: {message}")?;
        match hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// A place in a source and the text that stands there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot<'t> {
    pub(crate) at: Position,
    pub(crate) text: &'t str,
}

/// Why a value is refused, before anyone knows where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What was found in one file so far.
#[derive(Debug)]
pub(crate) struct Findings {
    file: Arc<str>,
    found: Vec<Diagnostic>,
}

// === impl Spot ===

impl<'t> Spot<'t> {
    /// The start of a file, for what is wrong with all of it.
    pub(crate) const START: Self = Self {
        at: Position { line: 1, column: 1 },
        text: "",
    };

    pub(crate) fn new(at: Position, text: &'t str) -> Self {
        Self { at, text }
    }
}

// === impl Fault ===

impl Fault {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

// === impl Findings ===

impl Findings {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.into(),
            found: Vec::new(),
        }
    }

    pub(crate) fn error(&mut self, spot: Spot<'_>, message: String, hint: Option<String>) {
        self.push(Severity::Error, spot, message, hint);
    }

    pub(crate) fn fault(&mut self, spot: Spot<'_>, fault: Fault) {
        let Fault { message, hint } = fault;
        self.push(Severity::Error, spot, message, hint);
    }

    pub(crate) fn warning(&mut self, spot: Spot<'_>, message: String, hint: Option<String>) {
        self.push(Severity::Warning, spot, message, hint);
    }

    /// Everything found, in the order of the text.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|diagnostic| diagnostic.at);
        self.found
    }

    fn push(&mut self, severity: Severity, spot: Spot<'_>, message: String, hint: Option<String>) {
        // Counted apart, so that warnings never crowd out the error that makes a policy refused.
        let alike = self.found.iter().filter(|d| d.severity == severity).count();
        if alike < MAX_FINDINGS {
            self.found.push(Diagnostic {
                severity,
                file: Arc::clone(&self.file),
                at: Some(spot.at),
                text: excerpt(spot.text),
                message,
                hint,
            });
        }
    }
}

/// Shortens a text for showing: one line, no control characters, a bounded length.
pub(crate) fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let mut shown: String = line
        .chars()
        .take(MAX_EXCERPT)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
