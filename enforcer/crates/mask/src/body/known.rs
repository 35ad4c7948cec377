//! Short texts in which nothing is, so that those which come again and again are looked at once: names of members, words
//! of closed sets. They are compared as they are, since whoever writes a body could make hashes meet.

use std::hash::BuildHasher as _;

use foldhash::quality::FixedState;

/// Longer texts, and fields with longer names, hardly come again.
const TEXT: usize = 32;
const FIELD: usize = 24;

/// How many are known at once.
const PLACES: usize = 128;

/// Texts that were found to be clean, by the fields they stand in.
#[derive(Debug, Default)]
pub(crate) struct Known {
    places: Vec<Text>,
}

#[derive(Clone, Copy, Debug)]
struct Text {
    bytes: [u8; TEXT],
    field: [u8; FIELD],
    /// Of the text and of the field's name; none where nothing is known.
    lengths: Option<(u8, u8)>,
}

/// A text that can be known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Short {
    text: Text,
    place: usize,
}

impl Short {
    /// A text in a field, if both are short. What may become something else in an answer is never known.
    pub(crate) fn of(text: &[u8], field: Option<&str>) -> Option<Self> {
        let name = field.unwrap_or_default().as_bytes();
        if text.len() > TEXT || name.len() > FIELD || text.contains(&b'[') {
            return None;
        }
        let lengths = (
            u8::try_from(text.len()).ok()?,
            u8::try_from(name.len()).ok()?,
        );
        let mut short = Text {
            bytes: [0; TEXT],
            field: [0; FIELD],
            lengths: Some(lengths),
        };
        short.bytes.get_mut(..text.len())?.copy_from_slice(text);
        short.field.get_mut(..name.len())?.copy_from_slice(name);
        let hash = FixedState::default().hash_one((short.bytes, short.field));
        let place = usize::try_from(hash % PLACES as u64).ok()?;
        Some(Self { text: short, place })
    }
}

impl Known {
    pub(crate) fn holds(&self, short: &Short) -> bool {
        let Some(known) = self.places.get(short.place) else {
            return false;
        };
        let Text {
            bytes,
            field,
            lengths,
        } = &short.text;
        known.lengths == *lengths && known.bytes == *bytes && known.field == *field
    }

    pub(crate) fn add(&mut self, short: &Short) {
        if self.places.is_empty() {
            let nothing = Text {
                bytes: [0; TEXT],
                field: [0; FIELD],
                lengths: None,
            };
            self.places.resize(PLACES, nothing);
        }
        if let Some(place) = self.places.get_mut(short.place) {
            *place = short.text;
        }
    }
}
