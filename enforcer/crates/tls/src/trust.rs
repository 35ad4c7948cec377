//! What an agent must be given to believe us: files, and the environment variables that point programs at them.
//!
//! Most programs *replace* their roots by the file they are pointed at, so the bundle holds the public roots of this host and
//! ours; otherwise every connection that we pass through unopened would break. The CA's private key is never near these files.

mod anchors;
mod environment;
mod find;
mod jks;
mod merge;
mod openssl;
mod pkcs12;

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::file::{self, Kind as Purpose};
use crate::{TlsError, certificate, roots};

pub use anchors::Anchors;
pub use environment::{environment, named_by};
pub use find::{Hints, Kind, Store, Stores, find, revisit};
pub use merge::{Merged, certificates, merge};
pub use openssl::{OPENSSL_FOLDER, OpensslFolder, openssl_folder};
pub use roots::public as public_roots;

/// Where a container that was made for it has the files.
pub const INSIDE: &str = "/.enforcer/trust";

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

/// The folder of the files that all workloads share.
#[must_use]
pub fn folder(runtime_dir: &Path) -> PathBuf {
    runtime_dir.join("trust")
}

/// Writes the files into the folder `dir`, which may be shared by any number of agents; each is replaced atomically.
///
/// # Errors
/// When one cannot be written.
pub fn place(dir: &Path, anchors: &Anchors) -> Result<Placed, TlsError> {
    let placed = Placed::at(dir);
    let mut certificates = roots::public();
    certificates.retain(|der| !anchors.certificates().contains(der));
    certificates.extend_from_slice(anchors.certificates());
    let bundle = certificate::encode(&certificates);
    let ca = certificate::encode(anchors.certificates());
    let truststore = pkcs12::truststore(&certificates, TRUSTSTORE_PASSWORD)?;
    file::public_folder(dir)?;
    file::write(&placed.ca, ca.as_bytes(), Purpose::Derived)?;
    file::write(&placed.bundle, bundle.as_bytes(), Purpose::Derived)?;
    file::write(&placed.truststore, &truststore, Purpose::Derived)?;
    Ok(placed)
}

/// Writes a file that is to lie over a store of a container: for all to read, whole or not at all. It is named after its content,
/// so that containers of one image share it. Returns the name.
///
/// # Errors
/// When it cannot be written.
pub fn write_cover(dir: &Path, content: &[u8]) -> Result<String, TlsError> {
    let digest = digest::digest(&digest::SHA256, content);
    let head = digest.as_ref().iter().take(16);
    let name: String = head.map(|byte| format!("{byte:02x}")).collect();
    let path = dir.join(&name);
    if !path.exists() {
        file::write(&path, content, Purpose::Derived)?;
    }
    Ok(name)
}

// === impl Placed ===

impl Placed {
    /// The names they have in `dir`.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self {
            bundle: dir.join("bundle.pem"),
            ca: dir.join("ca.pem"),
            truststore: dir.join("truststore.p12"),
        }
    }
}
