//! The peer: HAProxy as Debian packages it, minting certificates with an authority of its own, TLS on both sides.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context, Result};

use super::{
    certificates::{API, Certificates, EVENTS},
    process::Service,
};

/// Where HAProxy listens and where it goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    /// Opens TLS and chooses the upstream by the name asked for.
    pub(super) opened: SocketAddr,
    /// Opens TLS with a certificate made beforehand, for the API alone. Certificates that HAProxy mints come without
    /// ALPN, so nobody can speak h2 to it where it mints.
    pub(super) h2: SocketAddr,
    /// Passes bytes on as they are, to the API.
    pub(super) opaque: SocketAddr,
    pub(super) api: SocketAddr,
    pub(super) events: SocketAddr,
}

/// Starts HAProxy in one process, everything it reads inside `folder`.
pub(super) fn start(folder: &Path, ways: Ways, certificates: &Certificates) -> Result<Service> {
    let config = folder.join("haproxy.cfg");
    fs::write(&config, configuration(ways, certificates))?;
    let config = config.to_str().context("the folder's name is not text")?;
    let mut service = Service::start(
        "haproxy",
        Path::new("haproxy"),
        &["-db", "-f", config],
        folder,
    )?;
    service.await_port(ways.opened)?;
    Ok(service)
}

/// `abortonclose`: otherwise it keeps the upstream half of silent streams whose reader has gone, and then runs so short of
/// descriptors that it stops reusing connections.
fn configuration(ways: Ways, certificates: &Certificates) -> String {
    let Ways {
        opened,
        h2,
        opaque,
        api,
        events,
    } = ways;
    let default = certificates.peer_default.display();
    let fixed = certificates.peer_fixed.display();
    let authority = certificates.peer_authority_with_key.display();
    let trust = certificates.upstream_authority.display();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let server = format!("ssl verify required ca-file {trust} sni ssl_fc_sni alpn http/1.1");
    format!(
        "global
    nbthread {threads}
    maxconn 2000
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode http
    maxconn 2000
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    http-reuse always
    option abortonclose
frontend opened
    bind {opened} ssl crt {default} generate-certificates ca-sign-file {authority}
    use_backend events if {{ ssl_fc_sni {EVENTS} }}
    use_backend api if {{ ssl_fc_sni {API} }}
backend api
    server one {api} {server}
backend events
    server one {events} {server}
frontend h2
    bind {h2} ssl crt {fixed} alpn h2,http/1.1
    default_backend api
frontend opaque
    mode tcp
    bind {opaque}
    default_backend opaque
backend opaque
    mode tcp
    server one {api}
"
    )
}
