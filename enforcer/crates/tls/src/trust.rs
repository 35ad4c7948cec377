//! What an agent must be given to believe us: files, and the environment variables that point programs at them.
//!
//! Most programs *replace* their roots by the file they are pointed at, so the bundle holds the public roots of this host and
//! ours; otherwise every connection that we pass through unopened would break. The CA's private key is never near these files.

mod environment;
mod pkcs12;

use std::path::{Path, PathBuf};

use crate::file::{self, Kind};
use crate::{CaCertificate, TlsError, certificate, roots};

pub use environment::environment;

/// The password of the Java trust store: the one that Java itself uses for its own. It guards nothing.
pub const TRUSTSTORE_PASSWORD: &str = "changeit";

/// Where the files lie. All of them are public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Public roots and our CA, PEM.
    pub bundle: PathBuf,
    /// Our CA alone, PEM.
    pub ca: PathBuf,
    /// Public roots and our CA, PKCS#12, for Java.
    pub truststore: PathBuf,
}

/// Writes the files into the folder `dir`, which may be shared by any number of agents; each is replaced atomically.
///
/// # Errors
/// When one cannot be written.
pub fn place(dir: &Path, ca: &CaCertificate) -> Result<Placed, TlsError> {
    let placed = Placed {
        bundle: dir.join("bundle.pem"),
        ca: dir.join("ca.pem"),
        truststore: dir.join("truststore.p12"),
    };
    let mut certificates = roots::public();
    certificates.retain(|der| der != ca.der());
    certificates.push(ca.der().clone());
    let bundle = certificate::encode(&certificates);
    let truststore = pkcs12::truststore(&certificates, TRUSTSTORE_PASSWORD)?;
    file::public_folder(dir)?;
    file::write(&placed.ca, ca.pem().as_bytes(), Kind::Derived)?;
    file::write(&placed.bundle, bundle.as_bytes(), Kind::Derived)?;
    file::write(&placed.truststore, &truststore, Kind::Derived)?;
    Ok(placed)
}
