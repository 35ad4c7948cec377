//! The head of a part: its name and type, every line of it looked at.

use crate::body::desk::Desk;
use crate::body::spelled::{Respell, Spelled};
use crate::body::spelling::Spelling;
use crate::{Sink, Stop};

/// Lines of one head.
const LINES: usize = 16;

/// What a part says of itself.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) media_type: Option<String>,
    /// It is a file, of whatever type.
    pub(super) file: bool,
    disposed: bool,
}

impl Head {
    /// Reads the lines of a head and gives them out.
    pub(super) fn read(bytes: &[u8], desk: &mut Desk, sink: &mut dyn Sink) -> Result<Self, Stop> {
        let mut head = Self::default();
        let text = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        if text.is_empty() {
            return Ok(head);
        }
        let text = std::str::from_utf8(text)
            .map_err(|_| desk.undecidable("the head of a part that is not UTF-8"))?;
        for (count, line) in text.split("\r\n").enumerate() {
            if count == LINES {
                return Err(desk.undecidable("the head of a part with too many lines"));
            }
            let wrong = desk.undecidable("the head of a part that is malformed");
            let (name, value) = line.split_once(':').ok_or(wrong.clone())?;
            if name.is_empty() || name.contains([' ', '\t']) || line.contains(['\r', '\n', '\0']) {
                return Err(wrong);
            }
            let value = looked((name, value), desk, sink)?;
            head.line(&name.to_ascii_lowercase(), value.trim())
                .map_err(|cause| desk.undecidable(cause))?;
        }
        Ok(head)
    }

    fn line(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "content-disposition" if self.disposed => Err("a part with two names"),
            "content-disposition" => {
                self.disposed = true;
                self.disposition(value)
            }
            "content-type" if self.media_type.is_some() => Err("a part of two types"),
            "content-type" => {
                self.media_type = Some(value.to_owned());
                Ok(())
            }
            "content-transfer-encoding" => {
                let plain = ["binary", "8bit", "7bit"];
                let fits = plain.iter().any(|plain| value.eq_ignore_ascii_case(plain));
                fits.then_some(()).ok_or("a part in another encoding")
            }
            _ => Ok(()),
        }
    }

    fn disposition(&mut self, value: &str) -> Result<(), &'static str> {
        let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
        let mut named = false;
        loop {
            rest = rest.trim_start_matches([' ', '\t', ';']);
            let Some((name, behind)) = rest.split_once('=') else {
                return Ok(());
            };
            let (value, after) = parameter(behind).ok_or("a part's head with an open quote")?;
            match name.trim().to_ascii_lowercase().as_str() {
                "name" if named => return Err("a part with two names"),
                "name" => {
                    named = true;
                    self.name = value;
                }
                "filename" | "filename*" => self.file = true,
                _ => {}
            }
            rest = after;
        }
    }
}

/// Looks at one line and gives it out; says what its value has become.
fn looked(
    (name, value): (&str, &str),
    desk: &mut Desk,
    sink: &mut dyn Sink,
) -> Result<String, Stop> {
    sink.keep(name.as_bytes());
    sink.keep(b":");
    desk.trail.enter(&name.to_ascii_lowercase());
    let looked = desk.judge(value.as_bytes());
    desk.trail.leave();
    let mut line = Vec::with_capacity(value.len());
    match looked? {
        None => {
            sink.keep(value.as_bytes());
            line.extend_from_slice(value.as_bytes());
        }
        Some(pieces) => {
            let mut respell = Respell {
                spelling: Spelling::Header,
                spelled: &mut Spelled::default(),
                down: sink,
            };
            pieces.give(value.as_bytes(), &mut respell);
            line = pieces.text(value.as_bytes());
        }
    }
    sink.keep(b"\r\n");
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// A quoted text or a word, and what follows it.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return Some((value.trim().to_owned(), after));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}
