//! Texts within streamed answers and messages: each is one logical text to the rules, however many events it comes in.

use enforcer_gate::Masking;
use enforcer_mask::body::{self, Kind};
use enforcer_mask::{Direction, Finding, Masker, Place, Stop as Halt};
use enforcer_prompt::{Form, Stop, Text, TextEditor};

use super::waits::{Wait, Waits};

/// Makes an editor for each text of one answer.
#[derive(Debug)]
pub(crate) struct Texts {
    masking: Masking,
    direction: Direction,
    waits: Waits,
}

/// One text.
#[derive(Debug)]
struct Editor {
    how: How,
    masking: Masking,
    direction: Direction,
    /// It was told of already.
    again: bool,
    /// The start of a character that is not whole yet.
    cut: Vec<u8>,
    wait: Wait,
}

#[derive(Debug)]
enum How {
    /// Read as a document.
    Json(Box<body::Rewriter>),
    Plain(Box<Masker>),
}

// === impl Texts ===

impl Texts {
    pub(crate) fn new(masking: &Masking, direction: Direction) -> Box<Self> {
        Self::waiting(masking, direction, &Waits::default())
    }

    /// The same, where somebody asks how long something has been held.
    pub(crate) fn waiting(masking: &Masking, direction: Direction, waits: &Waits) -> Box<Self> {
        Box::new(Self {
            masking: masking.clone(),
            direction,
            waits: waits.clone(),
        })
    }
}

impl enforcer_prompt::Texts for Texts {
    fn open(&mut self, text: &Text<'_>) -> Box<dyn TextEditor> {
        let (rules, session) = (self.masking.rules(), self.masking.session());
        let direction = self.direction;
        let how = match text.form {
            Form::Json => {
                // A model's arguments may be no JSON at all: what they are shows as they come.
                let body = body::Rewriter::new(Kind::Text, rules, session, direction);
                How::Json(Box::new(body))
            }
            Form::Plain => {
                let place = Place {
                    direction,
                    field: text.field,
                    path: &path(text.place),
                };
                How::Plain(Box::new(Masker::new(rules, session, place)))
            }
        };
        Box::new(Editor {
            how,
            masking: self.masking.clone(),
            direction,
            again: text.again,
            cut: Vec::new(),
            wait: self.waits.wait(),
        })
    }
}

// === impl Editor ===

impl TextEditor for Editor {
    fn push(&mut self, text: &str, out: &mut String) -> Result<(), Stop> {
        let mut bytes = std::mem::take(&mut self.cut);
        let done = match &mut self.how {
            How::Json(body) => body.push(text.as_bytes(), &mut bytes),
            How::Plain(masker) => masker.push(text.as_bytes(), &mut bytes),
        };
        self.judged(done)?;
        self.give(bytes, false, out);
        self.wait.told(text.len(), self.held());
        Ok(())
    }

    fn lapse(&mut self, out: &mut String) -> Result<(), Stop> {
        let mut bytes = std::mem::take(&mut self.cut);
        let done = match &mut self.how {
            How::Json(body) => body.lapse(&mut bytes),
            How::Plain(masker) => masker.lapse_to(&mut bytes),
        };
        self.judged(done)?;
        self.give(bytes, false, out);
        self.wait.told(0, self.held());
        Ok(())
    }

    fn finish(&mut self, out: &mut String) -> Result<(), Stop> {
        let mut bytes = std::mem::take(&mut self.cut);
        let done = match &mut self.how {
            How::Json(body) => body.finish(&mut bytes),
            How::Plain(masker) => masker.finish(&mut bytes),
        };
        self.judged(done)?;
        self.give(bytes, true, out);
        Ok(())
    }

    fn held(&self) -> usize {
        let held = match &self.how {
            How::Json(body) => body.held(),
            How::Plain(masker) => masker.held(),
        };
        held + self.cut.len()
    }
}

impl Editor {
    /// Gives out whole characters.
    fn give(&mut self, bytes: Vec<u8>, last: bool, out: &mut String) {
        match String::from_utf8(bytes) {
            Ok(text) => out.push_str(&text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let cut_short = error.utf8_error().error_len().is_none() && !last;
                let bytes = error.into_bytes();
                let (whole, rest) = bytes.split_at(if cut_short { valid } else { bytes.len() });
                out.push_str(&String::from_utf8_lossy(whole));
                self.cut = rest.to_vec();
            }
        }
    }

    fn judged(&mut self, done: Result<(), Halt>) -> Result<(), Stop> {
        let findings: Vec<Finding> = match &mut self.how {
            How::Json(body) => body.take_findings(),
            How::Plain(masker) => masker.take_findings(),
        };
        if !self.again {
            self.masking.note(&findings);
        }
        done.map_err(|stop| {
            self.masking.refuse(&stop, self.direction);
            Stop::Blocked
        })
    }
}

/// A JSON pointer as findings name places: `$.choices[0].delta.content`.
fn path(pointer: &str) -> String {
    let mut path = String::from("$");
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{step}]"));
        } else if step.chars().all(plain) {
            path.push('.');
            path.push_str(&step);
        } else {
            path.push_str(&format!("['{step}']"));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_become_paths() {
        let table = [
            ("", "$"),
            ("/choices/0/delta/content", "$.choices[0].delta.content"),
            ("/a~1b/c d", "$['a/b']['c d']"),
        ];
        for (pointer, expected) in table {
            assert_eq!(path(pointer), expected);
        }
    }
}
