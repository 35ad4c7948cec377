//! What judging bodies and filling in secrets takes, beside the gate. One per daemon.

use std::sync::Arc;
use std::time::Duration;

use enforcer_credentials::{Hooks, Secrets};
use enforcer_gate::Quota;

use crate::{Aside, Spilling};

/// Bounds on bodies that rules read, and the secrets that rules name.
#[derive(Debug)]
pub struct Judging {
    /// Secrets that are filled in or signed with.
    pub secrets: Secrets,
    /// Webhooks of which agents do not know the path.
    pub hooks: Hooks,
    /// Bytes of bodies that are kept, in all and for one workload.
    pub memory: Arc<Quota>,
    /// Where long ones wait until all of them is here; without, they wait in memory.
    pub spilling: Option<Arc<Spilling>>,
    /// The longest body that is judged; a longer one is refused.
    pub body_bytes: usize,
    /// How long such a body may take to come, and how long something may be held of one that streams up.
    pub body_timeout: Duration,
    /// How long text of an answer or of a socket's far side is held that could become a finding.
    pub held_text_timeout: Duration,
    /// The longest message on a WebSocket that is judged.
    pub message_bytes: usize,
    /// Bounds on what is in a body.
    pub structure: enforcer_prompt::Limits,
    /// Where large ones are read.
    pub aside: Aside,
}

// === impl Judging ===

impl Judging {
    /// Without secrets, and with room for so many bytes of bodies, of which one workload may have a quarter.
    #[must_use]
    pub fn without_secrets(memory: usize) -> Self {
        Self {
            secrets: Secrets::default(),
            hooks: Hooks::default(),
            memory: Quota::new(memory, memory / 4),
            spilling: None,
            body_bytes: 16 << 20,
            body_timeout: Duration::from_secs(60),
            held_text_timeout: Duration::from_secs(5),
            message_bytes: 4 << 20,
            structure: enforcer_prompt::Limits::default(),
            aside: Aside::default(),
        }
    }
}
