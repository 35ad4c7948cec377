//! What one workload's masking needs and nobody else may have: keys, and the values behind placeholders.

mod vault;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::Fingerprint;
use crate::reassembly::Window;
use vault::Vault;

/// Letters of a token's tag: no two that look alike.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TAG: usize = 8;

/// The host's keys for masking; every tenant's are derived from them.
pub struct Keys(hmac::Key);

/// How much the vault of one workload holds. What was not used for longest goes first.
#[derive(Clone, Copy, Debug)]
pub struct VaultLimits {
    /// Values.
    pub entries: usize,
    /// Their bytes, together.
    pub bytes: usize,
}

/// What one workload's masking needs, for as long as it lives.
pub struct Session {
    prints: hmac::Key,
    hashes: hmac::Key,
    tokens: hmac::Key,
    vault: Mutex<Vault>,
    pieces: Mutex<Window>,
    /// So that nobody takes the lock where nothing is held.
    filled: AtomicBool,
}

// === impl Keys ===

impl Keys {
    /// Uses a given key.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    fn derive(&self, purpose: &str, tenant: &str) -> hmac::Key {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(tenant.as_bytes());
        hmac::Key::new(hmac::HMAC_SHA256, context.sign().as_ref())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

// === impl VaultLimits ===

impl Default for VaultLimits {
    fn default() -> Self {
        Self {
            entries: 10_000,
            bytes: 4 << 20,
        }
    }
}

// === impl Session ===

impl Session {
    /// Of a workload that belongs to `tenant`: hashes and fingerprints agree within a tenant, values behind placeholders
    /// stay with the workload.
    #[must_use]
    pub fn new(keys: &Keys, tenant: &str, limits: VaultLimits) -> Self {
        Self {
            prints: keys.derive("fingerprint", tenant),
            hashes: keys.derive("hash", tenant),
            tokens: keys.derive("token", tenant),
            vault: Mutex::new(Vault::new(limits)),
            pieces: Mutex::default(),
            filled: AtomicBool::new(false),
        }
    }

    /// How many values stand behind placeholders.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.vault().len()
    }

    pub(crate) fn fingerprint(&self, kind: &str, value: &[u8]) -> Fingerprint {
        Fingerprint(head(sign(&self.prints, kind, value, 0)))
    }

    /// A fingerprint of a value that comes in parts.
    pub(crate) fn print(&self, kind: &str) -> hmac::Context {
        let mut context = hmac::Context::with_key(&self.prints);
        context.update(kind.as_bytes());
        context.update(&[0, 0]);
        context
    }

    pub(crate) fn printed(context: hmac::Context) -> Fingerprint {
        Fingerprint(head(context.sign()))
    }

    /// Eight hex digits that stand for the value.
    pub(crate) fn hash(&self, kind: &str, value: &[u8]) -> String {
        let [a, b, c, d, ..] = head::<8>(sign(&self.hashes, kind, value, 0));
        format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
    }

    /// The text within the brackets of the token that stands for `value`; none where it cannot be remembered.
    pub(crate) fn token(&self, kind: &str, value: &[u8]) -> Option<String> {
        let mut vault = self.vault();
        // Two values of one tag are as good as never met, and then the next try differs.
        for attempt in 0..4 {
            let tag = u64::from_be_bytes(head(sign(&self.tokens, kind, value, attempt)));
            let mut token = String::with_capacity(kind.len() + 1 + TAG);
            token.push_str(kind);
            token.push('_');
            for place in 0..TAG {
                let five = (tag >> (5 * place)) & 31;
                token.push(char::from(LETTERS[usize::try_from(five).unwrap_or(0)]));
            }
            match vault.insert(token.as_bytes(), value) {
                vault::Inserted::Kept => {
                    self.filled.store(true, Ordering::Release);
                    return Some(token);
                }
                vault::Inserted::Other => {}
                vault::Inserted::TooLarge => return None,
            }
        }
        None
    }

    /// The value behind a token, which is given without its brackets.
    pub(crate) fn value(&self, token: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.vault().value(token)
    }

    /// Whether a value stands behind any token.
    pub(crate) fn remembers(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    /// Whether a value stands behind this token.
    pub(crate) fn knows(&self, token: &[u8]) -> bool {
        self.vault().knows(token)
    }

    /// The last pieces that were sent.
    pub(crate) fn pieces<T>(&self, with: impl FnOnce(&mut Window) -> T) -> T {
        with(&mut self.pieces.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn vault(&self) -> MutexGuard<'_, Vault> {
        // A panic between two of its steps loses at most one value, which then stays a placeholder.
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

fn sign(key: &hmac::Key, kind: &str, value: &[u8], attempt: u8) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(kind.as_bytes());
    context.update(&[0, attempt]);
    context.update(value);
    context.sign()
}

fn head<const N: usize>(tag: hmac::Tag) -> [u8; N] {
    let mut head = [0; N];
    for (to, from) in head.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    head
}
