//! What an event has beside its data: names, ids, comments.

use super::super::Stop;
use super::super::text::Form;
use super::channel::Channels;
use crate::{Cause, Undecidable};

/// Edits comments, ids and names that are not the interface's; none if they stay what they are.
pub(super) fn edit(raw: &[u8], channels: &mut Channels) -> Result<Option<Vec<u8>>, Stop> {
    let mut edited: Option<Vec<u8>> = None;
    let mut at = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let bare = line.trim_ascii_end();
        let new = match is_plain(bare) {
            true => None,
            false => {
                let text = std::str::from_utf8(bare).map_err(|_| malformed(start))?;
                channels.whole((Form::Plain, None, ""), text)?
            }
        };
        match (new, &mut edited) {
            (None, None) => {}
            (None, Some(edited)) => edited.extend_from_slice(line),
            (Some(new), edited) => {
                let edited =
                    edited.get_or_insert_with(|| raw.get(..start).unwrap_or_default().into());
                // A line stays one.
                edited.extend(new.replace(['\r', '\n'], " ").into_bytes());
                edited.extend_from_slice(line.get(bare.len()..).unwrap_or_default());
            }
        }
    }
    Ok(edited)
}

/// Whether a line is data, which is edited elsewhere, or has nothing in it but small words of the interface.
fn is_plain(line: &[u8]) -> bool {
    /// Longer than any name of an event.
    const NAME: usize = 96;
    let word = |byte: &u8| byte.is_ascii_lowercase() || b"._-: ".contains(byte);
    let is_data = line
        .strip_prefix(b"data")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b":"));
    is_data || (line.len() <= NAME && line.iter().all(word))
}

fn malformed(at: usize) -> Stop {
    Undecidable::new(Cause::InvalidUnicode, "", at).into()
}
