//! Whether bytes are UTF-8 so far, wherever they are cut.

/// Reads bytes as they come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Utf8 {
    /// The start of a character that is not whole yet.
    cut: [u8; 4],
    length: usize,
}

impl Utf8 {
    /// Whether all that came is UTF-8, or could become it.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> bool {
        while self.length > 0 {
            let Some((first, rest)) = bytes.split_first() else {
                return true;
            };
            let Some(slot) = self.cut.get_mut(self.length) else {
                return false;
            };
            *slot = *first;
            self.length += 1;
            bytes = rest;
            match std::str::from_utf8(self.cut.get(..self.length).unwrap_or_default()) {
                Ok(_) => self.length = 0,
                Err(error) if error.error_len().is_some() => return false,
                Err(_) => {}
            }
        }
        let Err(error) = std::str::from_utf8(bytes) else {
            return true;
        };
        let rest = bytes.get(error.valid_up_to()..).unwrap_or_default();
        if error.error_len().is_some() {
            return false;
        }
        for (slot, byte) in self.cut.iter_mut().zip(rest) {
            *slot = *byte;
            self.length += 1;
        }
        true
    }

    /// Whether no character is left unfinished.
    pub(crate) const fn ended(self) -> bool {
        self.length == 0
    }
}
