//! The one cryptography provider, with the order of key exchanges that suits either end.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

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
        kx_groups,
        ..default_provider()
    })
}
