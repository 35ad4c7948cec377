//! The local CA: made once, kept in the state folder, lent to nobody.
//!
//! An operator may bring one along instead; then nothing is made, and the same is asked of its files.
//! [`Authority`] has no accessor for its private key; whatever must be signed is signed in this crate. Two processes that start
//! together agree on one CA; a pair that cannot be trusted (readable by others, mismatched, expired) stops the start.

mod previous;
mod store;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use enforcer_flow::Host;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use rustls_pki_types::CertificateDer;

use crate::certificate::{CaCertificate, Fingerprint};
use crate::constraints::{Constraints, Subtree};
use crate::leaf::{self, DAY};
use crate::trust::Anchors;
use crate::{TlsError, file};

pub use previous::Previous;

const VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// When an operator is to be told of the end.
const EXPIRES_SOON: Duration = Duration::from_secs(30 * 24 * 3600);
/// As long as leaves last: what was minted by one CA is never met by an agent that knows the next one only.
const OVERLAP: Duration = Duration::from_secs(7 * 24 * 3600);

/// How the CA is had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityConfig {
    /// Where it is kept, and where is kept what is known of those before it.
    pub dir: PathBuf,
    /// The operator's own, in place of one that is made here.
    pub own: Option<OwnFiles>,
    /// What it may sign for; empty for everything.
    pub permitted: Vec<Subtree>,
    /// How long agents go on believing a CA after another has taken its place.
    pub overlap: Duration,
}

/// The files of a CA that an operator brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFiles {
    /// Its certificate, and those of its issuers after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The local CA. Signs leaf certificates; its private key never leaves it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CaCertificate,
    /// What the operator limits it to, whatever its certificate says.
    permitted: Constraints,
    previous: Vec<Previous>,
}

// === impl AuthorityConfig ===

impl AuthorityConfig {
    /// A CA that is made and kept in `dir`, for all names.
    #[must_use]
    pub fn kept_in(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            own: None,
            permitted: Vec::new(),
            overlap: OVERLAP,
        }
    }

    /// The file with its certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        match &self.own {
            Some(own) => own.certificate.clone(),
            None => CaCertificate::path_in(&self.dir),
        }
    }
}

// === impl Authority ===

impl Authority {
    /// Takes the CA in the state folder `dir`; makes folder and CA when there is none.
    ///
    /// # Errors
    /// As [`Authority::open`].
    pub fn load_or_create(dir: &Path) -> Result<Self, TlsError> {
        Self::open(&AuthorityConfig::kept_in(dir))
    }

    /// Takes the CA that is configured; makes folder and CA when there is none and the operator brings none along.
    ///
    /// # Errors
    /// When the files cannot be read or written, when the key may be known to others, when key and certificate do not belong
    /// together, or when the certificate's time is over.
    pub fn open(config: &AuthorityConfig) -> Result<Self, TlsError> {
        Self::open_at(config, SystemTime::now())
    }

    #[cfg(test)]
    pub(crate) fn load_or_create_at(dir: &Path, now: SystemTime) -> Result<Self, TlsError> {
        Self::open_at(&AuthorityConfig::kept_in(dir), now)
    }

    pub(crate) fn open_at(config: &AuthorityConfig, now: SystemTime) -> Result<Self, TlsError> {
        let dir = &config.dir;
        file::private_folder(dir)?;
        let _held = store::lock(dir)?;
        let constraints = Constraints::only(&config.permitted);
        let pair = match &config.own {
            Some(own) => {
                let pair = store::load_own(own)?;
                previous::succeed(config, &pair.certificate, now)?;
                pair
            }
            None => match store::load(dir)? {
                store::Stored::Nothing => store::create(dir, &constraints, now)?,
                store::Stored::KeyOnly(key) => store::certify(dir, key, &constraints, now)?,
                store::Stored::Pair(pair) => *pair,
            },
        };
        Self::new(pair, config, now)
    }

    /// Puts another CA in the place of the one in use: a new one, or what the operator's files hold by now. The one before
    /// goes on being believed for the time that is configured. Whoever holds it in memory goes on signing with it.
    ///
    /// # Errors
    /// As [`Authority::open`], and when the operator's files still hold the CA in use. Then nothing has changed.
    pub fn rotate(config: &AuthorityConfig) -> Result<Self, TlsError> {
        Self::rotate_at(config, SystemTime::now())
    }

    pub(crate) fn rotate_at(config: &AuthorityConfig, now: SystemTime) -> Result<Self, TlsError> {
        let Some(own) = &config.own else {
            Self::replace(config, now)?;
            return Self::open_at(config, now);
        };
        let used = previous::in_use(&config.dir)?;
        let found = CaCertificate::read_file(&own.certificate)?;
        if used.is_some_and(|used| used.der() == found.der()) {
            return Err(TlsError::NotReplaced {
                path: own.certificate.clone(),
            });
        }
        Self::open_at(config, now)
    }

    /// Makes a new CA beside the old one, then switches.
    fn replace(config: &AuthorityConfig, now: SystemTime) -> Result<(), TlsError> {
        let dir = &config.dir;
        file::private_folder(dir)?;
        let _held = store::lock(dir)?;
        if let store::Stored::Pair(pair) = store::load(dir)? {
            // Known before it is needed: between the two, both are believed, which hurts nobody.
            previous::keep(dir, &pair.certificate, now + config.overlap)?;
        }
        store::switch(dir, &Constraints::only(&config.permitted), now)
    }

    fn new(pair: store::Pair, config: &AuthorityConfig, now: SystemTime) -> Result<Self, TlsError> {
        let store::Pair { key, certificate } = pair;
        certificate.check_time(now)?;
        let issuer =
            Issuer::from_ca_cert_der(certificate.der(), key).map_err(|_| TlsError::Unreadable {
                path: certificate.path().to_owned(),
                expected: "a CA certificate of ours",
            })?;
        let mut previous = previous::read(&config.dir, now)?;
        previous.retain(|one| one.certificate().der() != certificate.der());
        Ok(Self {
            issuer,
            certificate,
            permitted: Constraints::only(&config.permitted),
            previous,
        })
    }

    /// The public half, with its facts.
    #[must_use]
    pub fn certificate(&self) -> &CaCertificate {
        &self.certificate
    }

    /// Those before it that agents still believe.
    #[must_use]
    pub fn previous(&self) -> &[Previous] {
        &self.previous
    }

    /// What agents are to believe at `now`: this CA with its issuers, and those before it while their time lasts.
    #[must_use]
    pub fn anchors(&self, now: SystemTime) -> Anchors {
        let current = std::iter::once(self.certificate.der()).chain(self.certificate.issuers());
        let before = self.previous.iter().filter(|one| one.until() > now);
        Anchors::new(
            current
                .chain(before.map(|one| one.certificate().der()))
                .cloned(),
        )
    }

    /// Whether a certificate for `host` may be minted, and would be believed.
    #[must_use]
    pub fn permits(&self, host: &Host) -> bool {
        self.permitted.permit(host) && self.certificate.constraints().permit(host)
    }

    /// What an operator should mend, in words: its time is nearly over, or its certificate promises less than is configured.
    #[must_use]
    pub fn problem(&self, now: SystemTime) -> Option<String> {
        let path = self.certificate.path().display();
        let left = self.certificate.not_after().duration_since(now);
        if left.as_ref().map_or(true, |left| *left < EXPIRES_SOON) {
            let days = left.map_or(0, |left| left.as_secs() / DAY.as_secs());
            return Some(format!(
                "the CA certificate `{path}` expires in {days} days; `enforcer ca rotate` puts another in its place"
            ));
        }
        let promises = self.certificate.constraints();
        (!self.permitted.is_empty() && promises.is_empty()).then(|| {
            format!(
                "only permitted names are signed for, but the CA certificate `{path}` does not say so; `enforcer ca rotate` makes one that does"
            )
        })
    }

    /// The CA certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        self.certificate.pem()
    }

    /// The CA certificate as DER.
    #[must_use]
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        self.certificate.der()
    }

    /// The digest by which people compare the CA certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.certificate.fingerprint()
    }

    /// What an agent is sent after a leaf: the CA itself, unless the agent must have it to believe anything, and its issuers.
    pub(crate) fn intermediates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        let this = (!self.certificate.is_self_signed()).then(|| self.certificate.der());
        this.into_iter().chain(self.certificate.issuers())
    }

    /// Signs `params` for `key`.
    pub(crate) fn sign(
        &self,
        params: &CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        Ok(params.signed_by(key, &self.issuer)?.into())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("subject", &self.certificate.subject())
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

/// What a CA of ours says of itself. `id` tells apart the CAs of several hosts in a trust store.
fn ca_params(
    id: &str,
    constraints: &Constraints,
    now: SystemTime,
) -> Result<CertificateParams, rcgen::Error> {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, format!("Enforcer local CA {id}"));
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    leaf::set_validity(&mut params, now - DAY, now + VALIDITY);
    params.serial_number = Some(leaf::serial()?);
    // It signs leaves only: no further CA below it.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.name_constraints = constraints.params();
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    Ok(params)
}
