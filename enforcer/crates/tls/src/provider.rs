//! The one cryptography provider, with the order of key exchanges that suits either end.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{DEFAULT_CIPHER_SUITES, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::{CipherSuite, SupportedCipherSuite};

/// For connections of agents: they stay on this host, so the cheapest exchange comes first.
pub(crate) fn agent_side() -> Arc<CryptoProvider> {
    with_groups(vec![
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
        kx_group::X25519MLKEM768,
    ])
}

/// For connections to upstreams: these cross the world, so the hybrid exchange that outlives quantum computers comes first, as
/// agents would choose themselves. Its plain half is offered with it; servers without the hybrid lose no round trip.
pub(crate) fn upstream_side() -> Arc<CryptoProvider> {
    with_groups(vec![
        kx_group::X25519MLKEM768,
        kx_group::X25519,
        kx_group::SECP256R1,
        kx_group::SECP384R1,
    ])
}

fn with_groups(kx_groups: Vec<&'static dyn SupportedKxGroup>) -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        cipher_suites: cipher_suites(),
        kx_groups,
        ..default_provider()
    })
}

/// The library's suites, those with SHA-256 before their likes with SHA-384.
///
/// Common processors compute SHA-256 in hardware and SHA-384 not, and a TLS 1.3 handshake is dozens of hashes; AES-128 is also
/// the faster of the two ciphers. Browsers choose the same.
fn cipher_suites() -> Vec<SupportedCipherSuite> {
    let mut suites = DEFAULT_CIPHER_SUITES.to_vec();
    suites.sort_by_key(|suite| match suite.suite() {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => 0,
        CipherSuite::TLS13_AES_256_GCM_SHA384 => 1,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => 2,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => 3,
        _ => 4,
    });
    suites
}
