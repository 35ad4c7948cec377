//! What is wrong with a policy's text, where, and what would be right: in the operator's words.

use std::fmt;
use std::sync::Arc;

/// Longest excerpt of offending text that is kept, in characters.
const MAX_EXCERPT: usize = 80;

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
