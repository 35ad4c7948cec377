//! A program that does one network thing from inside an agent's cgroup and says as JSON how it went.
//!
//! It exists for what curl cannot do: join a cgroup before it becomes another program, speak TLS wrongly on purpose,
//! hold a connection half-way, and try the doors that are not TCP.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use serde_json::json;

mod engine;
mod escape;
mod secure;
mod tcp;

pub use escape::Attempt;
pub use secure::{Handshake, Spoken};
pub use tcp::{Connected, Exchange};

/// Does one network thing and says as JSON how it went.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    deed: Deed,
}

#[derive(Debug, Subcommand)]
enum Deed {
    /// Connect and say who the peer is
    Connect(Place),
    /// Become a container engine in a mount namespace of its own
    Engine(engine::Engine),
    /// Try every kind of socket towards an address
    Escape(Place),
    /// Join a cgroup, then become another program
    In(In),
    /// Connect, send bytes as they are, and read until the other side ends it
    Raw(tcp::Raw),
    /// Resolve a name as programs do
    Resolve {
        /// The name
        name: String,
    },
    /// Shake hands over TLS, and send a text when that worked
    Tls(secure::Tls),
    /// Send a request with trailers and say what came back
    Trailers(secure::Trailers),
    /// Send a datagram
    Udp(tcp::Datagram),
    /// Speak WebSocket: say things and hear them back
    Websocket(secure::Websocket),
}

/// Where to.
#[derive(Debug, Args)]
struct Place {
    /// The address
    to: SocketAddr,
    /// How long to try
    #[arg(long, default_value_t = 5_000)]
    patience_ms: u64,
}

#[derive(Debug, Args)]
struct In {
    /// The cgroup's directory
    #[arg(long)]
    cgroup: PathBuf,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, required = true)]
    command: Vec<OsString>,
}

/// What `resolve` says.
#[derive(Debug, Serialize)]
struct Resolved {
    addresses: Vec<String>,
    error: Option<String>,
}

/// The program.
///
/// # Errors
/// When the arguments or the surroundings are wrong; a network failure is an answer, not an error.
pub fn main() -> anyhow::Result<()> {
    match Arguments::parse().deed {
        Deed::Connect(place) => say(&tcp::connect(place.to, place.patience())),
        Deed::Engine(engine) => Err(engine::become_it(engine)),
        Deed::Escape(place) => {
            for attempt in escape::all(place.to, place.patience()) {
                say(&attempt)?;
            }
            Ok(())
        }
        Deed::In(deed) => Err(become_another(deed)),
        Deed::Raw(raw) => say(&tcp::exchange(&raw)?),
        Deed::Resolve { name } => say(&resolve(&name)),
        Deed::Tls(tls) => say(&block_on(secure::handshake(tls))??),
        Deed::Trailers(trailers) => say(&block_on(secure::trailers(trailers))??),
        Deed::Udp(datagram) => say(&json!({"error": tcp::send(&datagram)})),
        Deed::Websocket(websocket) => say(&block_on(secure::websocket(websocket))??),
    }
}

// === impl Place ===

impl Place {
    fn patience(&self) -> Duration {
        Duration::from_millis(self.patience_ms)
    }
}

fn say(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(future))
}

/// Returns only when it did not work.
fn become_another(deed: In) -> anyhow::Error {
    let In { cgroup, command } = deed;
    if let Err(error) = join(&cgroup) {
        return error;
    }
    let Some((program, arguments)) = command.split_first() else {
        return anyhow::anyhow!("no program was given");
    };
    let failed = Command::new(program).args(arguments).exec();
    anyhow::Error::new(failed).context(format!("run {}", program.display()))
}

fn join(cgroup: &Path) -> anyhow::Result<()> {
    let procs = cgroup.join("cgroup.procs");
    std::fs::write(&procs, "0").with_context(|| format!("join {}", cgroup.display()))
}

fn resolve(name: &str) -> Resolved {
    match (name, 0).to_socket_addrs() {
        Err(error) => Resolved {
            addresses: Vec::new(),
            error: Some(error.to_string()),
        },
        Ok(found) => {
            let mut addresses: Vec<_> = found.map(|address| address.ip().to_string()).collect();
            addresses.sort();
            addresses.dedup();
            Resolved {
                addresses,
                error: None,
            }
        }
    }
}
