//! The certificates of one run: an authority and a server certificate for the upstream, an authority for the peer.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// The upstream of every row but the event rows.
pub(super) const API: &str = "bench.example";
/// The server of event streams.
pub(super) const EVENTS: &str = "events.bench.example";
/// The same upstream as [`API`], under the name that is passed on unopened.
pub(super) const OPAQUE: &str = "opaque.bench.example";

/// Files in the run's folder, all PEM.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The authority that signed the upstream's certificate.
    pub(super) upstream_authority: PathBuf,
    pub(super) upstream_chain: PathBuf,
    pub(super) upstream_key: PathBuf,
    /// The authority the peer mints with.
    pub(super) peer_authority: PathBuf,
    /// The same with its key, in one file, as the peer wants it.
    pub(super) peer_authority_with_key: PathBuf,
    /// A certificate and key the peer shows when no name is asked for.
    pub(super) peer_default: PathBuf,
    /// A certificate and key for [`API`] where the peer does not mint.
    pub(super) peer_fixed: PathBuf,
}

impl Certificates {
    /// Makes everything anew, ECDSA P-256 throughout.
    pub(super) fn make(folder: &Path) -> Result<Self> {
        let upstream = Authority::make("bench upstream authority")?;
        let peer = Authority::make("bench peer authority")?;
        let names = [API, EVENTS, OPAQUE].map(String::from).to_vec();
        let (chain, key) = upstream.issue(names)?;
        let (default, default_key) = peer.issue(vec!["localhost".to_owned()])?;
        let (fixed, fixed_key) = peer.issue(vec![API.to_owned()])?;
        let write = |name: &str, text: String| -> Result<PathBuf> {
            let path = folder.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {name}"))?;
            Ok(path)
        };
        Ok(Self {
            upstream_authority: write("upstream-ca.pem", upstream.pem.clone())?,
            upstream_chain: write("upstream.pem", chain)?,
            upstream_key: write("upstream.key", key)?,
            peer_authority_with_key: write(
                "peer-ca-key.pem",
                peer.pem.clone() + &peer.issuer.key().serialize_pem(),
            )?,
            peer_authority: write("peer-ca.pem", peer.pem)?,
            peer_fixed: write("peer-fixed.pem", fixed + &fixed_key)?,
            peer_default: write("peer-default.pem", default + &default_key)?,
        })
    }
}

struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn make(name: &str) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            pem,
            issuer: Issuer::new(params, key),
        })
    }

    /// A server certificate for `names` and its key.
    fn issue(&self, names: Vec<String>) -> Result<(String, String)> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.issuer)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}
