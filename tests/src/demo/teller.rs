//! How the demo speaks: numbered headings, facts, and claims that hold or do not. Colours only on a terminal.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";

/// Prints the story and remembers which claims failed.
#[derive(Debug)]
pub(super) struct Teller {
    colours: bool,
    heading: u32,
    failures: Vec<String>,
}

impl Teller {
    pub(super) fn new() -> Self {
        let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            colours,
            heading: 0,
            failures: Vec::new(),
        }
    }

    /// Begins the next part of the story.
    pub(super) fn heading(&mut self, text: &str) {
        self.heading += 1;
        let line = format!("{}. {text}", self.heading);
        self.print(&format!("\n{}", self.painted(BOLD, &line)));
    }

    /// Says a fact.
    pub(super) fn note(&self, text: impl Display) {
        self.print(&format!("   {text}"));
    }

    /// Shows what another program wrote.
    pub(super) fn quote(&self, text: &str) {
        for line in text.lines() {
            self.print(&format!("   {} {line}", self.painted(DIM, "|")));
        }
    }

    /// Makes a claim; one that does not hold fails the demo.
    pub(super) fn claim(&mut self, holds: bool, text: impl Display) {
        let mark = if holds {
            self.painted(GREEN, "ok")
        } else {
            self.failures.push(text.to_string());
            self.painted(RED, "FAILED")
        };
        self.print(&format!("   {mark}  {text}"));
    }

    /// Ends the story; `true` when every claim held.
    pub(super) fn end(self) -> bool {
        if self.failures.is_empty() {
            let line = "Everything that was allowed worked, and nothing else got out.";
            self.print(&format!("\n{}", self.painted(GREEN, line)));
            return true;
        }
        let line = format!("{} of the demo's claims failed:", self.failures.len());
        self.print(&format!("\n{}", self.painted(RED, &line)));
        for failure in &self.failures {
            self.print(&format!("   {failure}"));
        }
        false
    }

    fn painted(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Whoever closed our output does not want to hear more; the verdict is in the exit code.
    fn print(&self, line: &str) {
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{line}");
        let _ = out.flush();
    }
}
