//! What a leaf and a handshake cost: `cargo run --release -p enforcer-tls --example mint`.
//!
//! Both ends of every handshake run on this one thread, so the figures are the sum of the two.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enforcer_flow::Host;
use enforcer_tls::{Authority, CaCertificate, Leaves, trust};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::client::Resumption;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
use rustls_pki_types::ServerName;

type AnyError = Box<dyn std::error::Error>;

const ROUNDS: u32 = 500;

fn main() -> Result<(), AnyError> {
    let dir = tempfile::tempdir()?;
    let authority = Arc::new(Authority::load_or_create(dir.path())?);
    let capacity = NonZeroUsize::new(ROUNDS as usize).ok_or("no rounds")?;
    let leaves = Leaves::with_capacity(Arc::clone(&authority), capacity)?;

    let hosts: Vec<Host> = (0..ROUNDS)
        .map(|index| Host::parse(&format!("host-{index}.example.com")))
        .collect::<Result<_, _>>()?;
    let before = resident();
    report(
        "mint a leaf and its configuration",
        each(&hosts, |host| leaves.server_config(host).map(drop))?,
    );
    let after = resident();
    report(
        "take it from the cache",
        each(&hosts, |host| leaves.server_config(host).map(drop))?,
    );
    report(
        "make a key pair (saved: one for all leaves)",
        each(&hosts, |_| {
            KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map(drop)
        })?,
    );
    line(&format!(
        "memory of a cached leaf: {} bytes",
        (after - before) * 1024 / i64::from(ROUNDS)
    ));

    let server = leaves.server_config(&hosts[0])?;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let config = client(&authority, version, Resumption::disabled())?;
        report(
            &format!("full handshake, {:?}", version.version),
            each(&hosts, |_| handshake(&config, &server))?,
        );
        let config = client(&authority, version, Resumption::in_memory_sessions(4))?;
        handshake(&config, &server)?;
        report(
            &format!("resumed handshake, {:?}", version.version),
            each(&hosts, |_| handshake(&config, &server))?,
        );
    }

    let certificate = CaCertificate::read(dir.path())?;
    let trust_dir = dir.path().join("trust");
    report(
        "write the trust files",
        each(&hosts[..10], |_| {
            trust::place(&trust_dir, &(&certificate).into()).map(drop)
        })?,
    );
    Ok(())
}

/// The mean time of `act` over `hosts`.
fn each<E>(hosts: &[Host], act: impl Fn(&Host) -> Result<(), E>) -> Result<Duration, E> {
    let start = Instant::now();
    for host in hosts {
        act(host)?;
    }
    Ok(start.elapsed() / u32::try_from(hosts.len()).unwrap_or(u32::MAX))
}

fn client(
    authority: &Authority,
    version: &'static rustls::SupportedProtocolVersion,
    resumption: Resumption,
) -> Result<Arc<ClientConfig>, AnyError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate_der().clone())?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = resumption;
    Ok(Arc::new(config))
}

/// One handshake, to the end of what either side has to say.
fn handshake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<(), AnyError> {
    let name = ServerName::try_from("host-0.example.com")?;
    let mut client = ClientConnection::new(Arc::clone(client), name)?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    let mut wire = Vec::with_capacity(4096);
    while client.wants_write() || server.wants_write() {
        wire.clear();
        while client.wants_write() {
            client.write_tls(&mut wire)?;
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest)?;
            server.process_new_packets()?;
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire)?;
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest)?;
            client.process_new_packets()?;
        }
    }
    Ok(())
}

/// Resident memory in KiB.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn report(what: &str, time: Duration) {
    line(&format!("{what}: {:.1} µs", time.as_secs_f64() * 1e6));
}

#[expect(clippy::print_stdout, reason = "this program exists to print")]
fn line(text: &str) {
    println!("{text}");
}
