//! What all wallets have in common: one run of letters and digits that begins in a known way and ends with its own check.

use bs58::Alphabet;
use sha2::{Digest as _, Sha256};

use crate::{Confidence, Detector, Family, Look, Sight, Solid, Wake, solid};

/// One way in which a coin writes what it stands for.
pub(super) struct Coin {
    /// How it begins: one of these.
    pub(super) begins: &'static [&'static [u8]],
    /// The fewest and the most bytes.
    pub(super) lengths: (usize, usize),
    /// How sure a run of such a length and beginning is one; the place tells of words before it.
    pub(super) weigh: fn(&Look<'_>, usize, &[u8]) -> Option<Confidence>,
}

impl Coin {
    /// What finds it in texts, woken by such runs; `recognise` calls [`Coin::judge`] of this coin.
    pub(super) const fn detector(
        &self,
        name: &'static str,
        wake: &'static [Wake],
        recognise: fn(&Look<'_>) -> Sight,
    ) -> Detector {
        Detector {
            name,
            family: Family::Crypto,
            wake,
            longest: self.lengths.1,
            recognise,
            examples: &[],
        }
    }

    /// The runs that may be one.
    pub(super) const fn wakes(&self) -> Solid {
        Solid::of(self.begins, self.lengths)
    }

    /// What is to be seen of it in the run that begins where the detector was woken.
    pub(super) fn judge(&self, look: &Look<'_>) -> Sight {
        // The run's first letter can be that of an escape.
        let start = solid::begin(look.text, look.at);
        let rest = &look.text[start..];
        let first = rest.first();
        let begins = self.begins.iter().any(|known| {
            // Most runs begin with something else.
            (first.is_none() || first == known.first())
                && (rest.starts_with(known) || (!look.last && known.starts_with(rest)))
        });
        if !begins {
            return Sight::Nothing;
        }
        let (least, most) = self.lengths;
        let length = rest
            .iter()
            .take(most + 1)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        if length > most {
            return Sight::Nothing;
        }
        if length == rest.len() && !look.last {
            return Sight::Open { start };
        }
        if length < least {
            return Sight::Nothing;
        }
        match (self.weigh)(look, start, &rest[..length]) {
            Some(confidence) => Sight::Found {
                span: start..start + length,
                confidence,
            },
            None => Sight::Nothing,
        }
    }
}

/// What Base58Check text carries, of at most 82 bytes: its version and payload, if the check over them is right.
pub(super) struct Carried {
    bytes: [u8; MOST],
    length: usize,
}

/// An extended key with its check.
const MOST: usize = 82;

impl Carried {
    /// Of Bitcoin's alphabet.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        Self::in_alphabet(text, Alphabet::BITCOIN)
    }

    /// Of any alphabet.
    pub(super) fn in_alphabet(text: &[u8], alphabet: &Alphabet) -> Option<Self> {
        let mut bytes = [0; MOST];
        let length = bs58::decode(text)
            .with_alphabet(alphabet)
            .onto(&mut bytes[..])
            .ok()?;
        let (carried, check) = bytes[..length].split_at_checked(length.checked_sub(4)?)?;
        let right = Sha256::digest(Sha256::digest(carried));
        (right[..4] == *check).then_some(Self {
            bytes,
            length: carried.len(),
        })
    }

    /// Version and payload.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// A hash of 20 bytes behind one of these versions.
    pub(super) fn is_hash(&self, versions: &[u8]) -> bool {
        self.length == 21 && versions.contains(&self.bytes[0])
    }
}
