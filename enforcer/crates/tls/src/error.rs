//! What can go wrong with the CA, its files and the roots; handshakes have errors of their own.

use std::io;
use std::path::PathBuf;

use enforcer_flow::Host;

/// Why the CA, a certificate or the roots cannot be had. Every message about a file names it and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The CA's time is over.
    #[error(
        "the CA certificate `{}` expired on {ended}; remove it and its key to have a new CA made, and renew the trust of running agents",
        path.display()
    )]
    Expired {
        /// The certificate.
        path: PathBuf,
        /// When.
        ended: String,
    },
    /// The CA's private key can be read by others.
    #[error(
        "the CA key `{}` has mode {mode:04o} and may be known to others; remove it and its certificate to have a new CA made, or `chmod 600` it",
        path.display()
    )]
    Exposed {
        /// The key.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file operation failed.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state folder can be changed by others.
    #[error("the folder `{}` has mode {mode:04o} and can be written by others; `chmod go-w` it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file has another owner than this process or root.
    #[error("the CA key `{}` belongs to user {owner}; `chown` it to the user that runs the enforcer", path.display())]
    ForeignOwner {
        /// The key.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The CA could not be made.
    #[error("cannot make a CA")]
    MakeCa(#[source] rcgen::Error),
    /// Key and certificate do not belong together.
    #[error(
        "the CA certificate `{}` was not made for the key `{}`; restore the pair, or remove both to have a new CA made",
        certificate.display(), key.display()
    )]
    Mismatch {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// A certificate without its key.
    #[error(
        "the CA certificate `{}` is there but its key `{}` is not; restore the key, or remove the certificate to have a new CA made",
        certificate.display(), key.display()
    )]
    MissingKey {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// A certificate could not be minted.
    #[error("cannot mint a certificate for `{host}`")]
    Mint {
        /// For whom.
        host: Host,
        /// What the library said.
        source: rcgen::Error,
    },
    /// The CA is limited to other names.
    #[error(
        "the CA may not sign for `{host}`; add it to `ca.permitted_names` and rotate the CA, or let it pass unopened with `inspect: false`"
    )]
    NotPermitted {
        /// For whom.
        host: Host,
    },
    /// The operator's files are as they were.
    #[error("`{}` still holds the CA in use; put the next one and its key in place first", path.display())]
    NotReplaced {
        /// The certificate.
        path: PathBuf,
    },
    /// The CA is from the future: the clock is wrong.
    #[error("the CA certificate `{}` is not valid before {starts}; set the clock", path.display())]
    NotYetValid {
        /// The certificate.
        path: PathBuf,
        /// From when.
        starts: String,
    },
    /// The TLS library refused a configuration or had no randomness.
    #[error("the TLS library refused")]
    Rustls(#[from] rustls::Error),
    /// A file is not what it should be.
    #[error("`{}` is not {expected}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
}
