//! Text with `*` in it, where `*` stands for any characters or none.

/// A compiled pattern. Case-sensitive; total in time: at most the text's length times the pattern's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    /// What stands between the stars: one piece when there is no star.
    pieces: Box<[Box<[u8]>]>,
}

impl Glob {
    pub(crate) fn new(pattern: &[u8]) -> Self {
        Self {
            pieces: pattern
                .split(|byte| *byte == b'*')
                .map(Into::into)
                .collect(),
        }
    }

    /// Takes pieces whose bytes may themselves be stars.
    pub(crate) fn of_pieces(pieces: Vec<Box<[u8]>>) -> Self {
        Self {
            pieces: pieces.into(),
        }
    }

    /// The text it stands for, if it has no star.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match &*self.pieces {
            [only] => Some(only),
            _ => None,
        }
    }

    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let [first, middle @ .., last] = &*self.pieces else {
            return self.literal() == Some(text);
        };
        let Some(rest) = text.strip_prefix(&**first) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(&**last) else {
            return false;
        };
        // Taking each piece at its first place leaves the most for those after it.
        for piece in middle {
            match find(rest, piece) {
                Some(end) => rest = rest.get(end..).unwrap_or_default(),
                None => return false,
            }
        }
        true
    }
}

/// Where the first occurrence of `piece` ends.
fn find(text: &[u8], piece: &[u8]) -> Option<usize> {
    if piece.is_empty() {
        return Some(0);
    }
    text.windows(piece.len())
        .position(|window| window == piece)
        .map(|start| start + piece.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, without regard to time.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
            Some((byte, rest)) => text
                .split_first()
                .is_some_and(|(first, tail)| first == byte && naive(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn a_glob_matches_what_its_definition_says(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            let glob = Glob::new(pattern.as_bytes());
            prop_assert_eq!(glob.matches(text.as_bytes()), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
