//! The values behind placeholders, bounded, wiped when they go.

use std::collections::{BTreeMap, HashMap};

use zeroize::Zeroizing;

use super::VaultLimits;

/// Values by their tokens.
pub(super) struct Vault {
    limits: VaultLimits,
    values: HashMap<Box<[u8]>, Kept>,
    /// Tokens by when they were last used.
    order: BTreeMap<u64, Box<[u8]>>,
    bytes: usize,
    clock: u64,
}

struct Kept {
    value: Zeroizing<Vec<u8>>,
    used: u64,
}

/// What became of a value.
pub(super) enum Inserted {
    /// It stands behind its token.
    Kept,
    /// Another value stands there.
    Other,
    /// It is larger than all that may be held.
    TooLarge,
}

impl Vault {
    pub(super) fn new(limits: VaultLimits) -> Self {
        Self {
            limits,
            values: HashMap::new(),
            order: BTreeMap::new(),
            bytes: 0,
            clock: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn knows(&self, token: &[u8]) -> bool {
        self.values.contains_key(token)
    }

    pub(super) fn insert(&mut self, token: &[u8], value: &[u8]) -> Inserted {
        if let Some(kept) = self.values.get(token) {
            if **kept.value != *value {
                return Inserted::Other;
            }
            self.touch(token);
            return Inserted::Kept;
        }
        if value.len() > self.limits.bytes || self.limits.entries == 0 {
            return Inserted::TooLarge;
        }
        while self.values.len() >= self.limits.entries
            || self.bytes + value.len() > self.limits.bytes
        {
            let Some((_, oldest)) = self.order.pop_first() else {
                break;
            };
            if let Some(gone) = self.values.remove(&oldest) {
                self.bytes -= gone.value.len();
            }
        }
        self.clock += 1;
        self.bytes += value.len();
        self.order.insert(self.clock, token.into());
        self.values.insert(
            token.into(),
            Kept {
                value: Zeroizing::new(value.to_vec()),
                used: self.clock,
            },
        );
        Inserted::Kept
    }

    pub(super) fn value(&mut self, token: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let value = self.values.get(token)?.value.clone();
        self.touch(token);
        Some(value)
    }

    fn touch(&mut self, token: &[u8]) {
        let Some(kept) = self.values.get_mut(token) else {
            return;
        };
        self.clock += 1;
        if let Some(token) = self.order.remove(&kept.used) {
            self.order.insert(self.clock, token);
        }
        kept.used = self.clock;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let mut vault = Vault::new(VaultLimits {
            entries: 2,
            bytes: 100,
        });
        vault.insert(b"A", b"1");
        vault.insert(b"B", b"2");
        assert!(vault.value(b"A").is_some());
        vault.insert(b"C", b"3");
        assert!(vault.knows(b"A") && vault.knows(b"C") && !vault.knows(b"B"));
        assert_eq!(vault.len(), 2);
    }

    #[test]
    fn bytes_are_bounded_and_what_is_larger_than_all_is_not_kept() {
        let mut vault = Vault::new(VaultLimits {
            entries: 9,
            bytes: 10,
        });
        assert!(matches!(vault.insert(b"A", &[0; 11]), Inserted::TooLarge));
        for token in [b"A", b"B", b"C"] {
            assert!(matches!(vault.insert(token, &[1; 4]), Inserted::Kept));
        }
        assert!(vault.bytes <= 10 && vault.len() == 2);
        assert!(matches!(vault.insert(b"C", &[2; 4]), Inserted::Other));
    }
}
