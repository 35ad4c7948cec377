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
    /// Which of the files that findings know; a policy and what it includes are several.
    pub(crate) file: FileId,
    pub(crate) at: Position,
    pub(crate) text: &'t str,
}

/// A file by its place among those that findings know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileId(usize);

/// Why a value is refused, before anyone knows where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// What was found so far in one file and those it includes.
#[derive(Debug)]
pub(crate) struct Findings {
    files: Vec<Arc<str>>,
    found: Vec<Diagnostic>,
}

// === impl Spot ===

impl<'t> Spot<'t> {
    /// The start of a file, for what is wrong with all of it.
    pub(crate) fn start(file: FileId) -> Self {
        let at = Position { line: 1, column: 1 };
        Self::new(file, at, "")
    }

    pub(crate) fn new(file: FileId, at: Position, text: &'t str) -> Self {
        Self { file, at, text }
    }

    /// The place within a scalar where a byte of what it stands for is written. Quotes, escapes, indentation and the mark of
    /// a block are no part of what it stands for, so both are walked together.
    pub(crate) fn inside(self, value: &str, offset: usize) -> Self {
        let Position {
            mut line,
            mut column,
        } = self.at;
        let mut wanted = value.chars();
        let mut left = value.get(..offset).unwrap_or_default().chars().count();
        let mut next = wanted.next();
        let mut written = self.text.char_indices();
        // A block begins after the line of its mark.
        if self.text.starts_with(['|', '>']) {
            for (_, c) in written.by_ref() {
                if c == '\n' {
                    (line, column) = (line + 1, 1);
                    break;
                }
            }
        }
        for (at, c) in written {
            if Some(c) == next || (c == '\n' && next == Some(' ')) {
                if left == 0 {
                    let text = self.text.get(at..).unwrap_or_default();
                    let text = text.trim_end_matches(['"', '\'']);
                    return Self::new(self.file, Position { line, column }, text);
                }
                left -= 1;
                next = wanted.next();
            }
            match c {
                '\n' => (line, column) = (line + 1, 1),
                _ => column += 1,
            }
        }
        Self::new(self.file, Position { line, column }, "")
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
            files: vec![file.into()],
            found: Vec::new(),
        }
    }

    /// The file that they began with.
    pub(crate) fn file(&self) -> FileId {
        FileId::default()
    }

    /// Makes another file known.
    pub(crate) fn add_file(&mut self, file: &str) -> FileId {
        self.files.push(file.into());
        FileId(self.files.len() - 1)
    }

    /// How files show themselves.
    pub(crate) fn name(&self, file: FileId) -> Arc<str> {
        self.files.get(file.0).cloned().unwrap_or_default()
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

    /// Whether what was found so far makes the policy refused.
    pub(crate) fn refuse(&self) -> bool {
        self.found.iter().any(Diagnostic::is_error)
    }

    /// Everything found, in the order of the text.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        let place = |file: &str| self.files.iter().position(|own| **own == *file);
        self.found
            .sort_by_key(|diagnostic| (place(&diagnostic.file), diagnostic.at));
        self.found
    }

    fn push(&mut self, severity: Severity, spot: Spot<'_>, message: String, hint: Option<String>) {
        // Counted apart, so that warnings never crowd out the error that makes a policy refused.
        let alike = self.found.iter().filter(|d| d.severity == severity).count();
        if alike < MAX_FINDINGS {
            self.found.push(Diagnostic {
                severity,
                file: self.name(spot.file),
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
