//! Messages on a WebSocket. A recording has them as lines of JSON in the file of their side: which of all messages of both
//! sides it was, and what was said.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Recorded, Way};

/// One message, on its way into a recording.
#[derive(Clone, Copy, Debug)]
pub enum Spoken<'m> {
    /// Bytes.
    Binary(&'m [u8]),
    /// Text.
    Text(&'m str),
}

/// One message, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which it was, counted from one over both sides.
    pub seq: u64,
    /// With the request's way the agent said it, with the answer's the far side.
    pub way: Way,
    /// None where it was no text.
    pub text: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Line<T> {
    seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<T>,
    /// Bytes, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<String>,
}

// === impl Spoken ===

impl Spoken<'_> {
    /// Its line.
    pub(super) fn line(self, seq: u64) -> serde_json::Result<Vec<u8>> {
        let (text, bytes) = match self {
            Self::Binary(bytes) => (None, Some(hexadecimal(bytes))),
            Self::Text(text) => (Some(text), None),
        };
        let mut line = serde_json::to_vec(&Line { seq, text, bytes })?;
        line.push(b'\n');
        Ok(line)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // A text takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

// === impl Recorded ===

impl Recorded {
    /// The messages that were kept of a WebSocket, in their order; none when it was no socket. What was cut is left out.
    #[must_use]
    pub fn said(&self) -> Option<Vec<Said>> {
        let sides = [(Way::Request, &self.request), (Way::Answer, &self.answer)];
        let sides = sides.into_iter().filter_map(|(way, side)| {
            let (message, body) = side.as_ref()?;
            message.messages.map(|_| (way, body))
        });
        let sides: Vec<(Way, &Vec<u8>)> = sides.collect();
        if sides.is_empty() {
            return None;
        }
        let mut said: Vec<Said> = Vec::new();
        for (way, body) in sides {
            // The last line is without an end where it was cut.
            let whole = body
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1);
            let lines = body
                .get(..whole)
                .unwrap_or_default()
                .split(|byte| *byte == b'\n');
            let lines = lines.filter_map(|line| serde_json::from_slice::<Line<String>>(line).ok());
            said.extend(lines.map(|Line { seq, text, .. }| Said { seq, way, text }));
        }
        said.sort_by_key(|said| said.seq);
        Some(said)
    }
}
