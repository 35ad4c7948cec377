//! Evidence: the ledger and its verification.
//!
//! Rooms hand facts in as [`Entry`]s; the [`Ledger`] chains them into a file and gives a [`Receipt`], without which nothing
//! leaves. The [`Fingerprinter`] turns credentials into what may be written of them. Nothing here judges, and no secret
//! comes in. `chain.rs` states the format, so that others can check a file without this code.

#![forbid(unsafe_code)]

mod chain;
mod clock;
mod entry;
mod fingerprint;
mod ledger;
mod opening;
mod recording;
mod series;
pub mod tail;
mod terminal;
mod verify;

pub use chain::{Digest, DigestError};
pub use entry::{
    AddressObserved, ContentFacts, DataFound, EnforcerStarted, Entry, ExchangeAborted,
    ExchangeClosed, ExchangeDenied, ExchangeFacts, FINDINGS, FlowAborted, FlowFacts, FlowRefused,
    Found, HookFault, KernelRefused, Mode, NameFacts, OperatorAction, PartRuled, PolicyLoaded,
    PolicyRejected, SocketsHidden, Suppressed, Traffic, TrustPlaced,
};
pub use fingerprint::{Fingerprint, FingerprintError, Fingerprinter, HostKey, open_key};
pub use ledger::{Config, Durability, Head, HeadError, Ledger, LedgerError, OpenError, Receipt};
pub use recording::{
    BodyFacts, BodyHead, Message, Recorded, Recording, RecordingError, RecordingFacts, Recordings,
    Said, Spoken, Track, Wanted, Way, read_recording,
};
pub use verify::{Finding, Problem, Report, Verifier, VerifyError};

/// Where the daemon's ledger is unless its configuration says otherwise.
pub const DEFAULT_LEDGER: &str = "/var/lib/enforcer/audit.jsonl";

/// No line is longer: every text in it is bounded where it is written.
pub(crate) const MAX_LINE: usize = 128 << 10;
