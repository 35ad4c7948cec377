//! What `ID.json` says: both heads, and how much was kept of the bodies.

use serde::{Deserialize, Serialize};

/// The version of the format.
pub(super) const VERSION: u32 = 1;
/// How much of one head is kept; agents and upstreams choose how long it is.
const MAX_HEAD: usize = 64 << 10;
/// What a header takes in the file beside its text.
const FRAME: usize = 8;

/// The file.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) exchange: String,
    pub(super) request: Option<Message>,
    pub(super) answer: Option<Message>,
}

/// A request or an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Message {
    /// A request's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// A request's path with its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// An answer's status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Names and values, in their order. What is not known to be harmless is a fingerprint.
    pub headers: Vec<(String, String)>,
    /// How many headers are left out for their length.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_headers: u64,
    /// On a WebSocket, how many messages this side sent; they are the body, a line each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// The body.
    #[serde(default)]
    pub body: BodyHead,
}

/// A body that was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct BodyHead {
    /// How many bytes were kept.
    pub bytes: u64,
    /// How many came after them.
    pub cut: u64,
    /// SHA-256 over those that were kept.
    pub sha256: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

// === impl Message ===

impl Message {
    /// The same, no longer than may be kept.
    pub(super) fn bounded(mut self) -> Self {
        let mut room = MAX_HEAD;
        if let Some(target) = &mut self.target {
            target.truncate(target.floor_char_boundary(room));
            room -= target.len();
        }
        let all = self.headers.len();
        let fits = self.headers.iter().take_while(|(name, value)| {
            let rest = room.checked_sub(name.len() + value.len() + FRAME);
            rest.is_some_and(|rest| {
                room = rest;
                true
            })
        });
        let fits = fits.count();
        self.headers.truncate(fits);
        self.more_headers = (all - fits) as u64;
        self
    }
}
