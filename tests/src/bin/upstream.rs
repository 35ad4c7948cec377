//! The upstream as a program, for the demo and for trying things by hand.
//!
//! Prints one JSON line with its addresses once it listens, then serves until it is told to stop: by SIGINT, by SIGTERM, or,
//! with `--until-stdin-closes`, when whoever started it is gone.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use enforcer_tests::upstream::{Face, Options, Upstream};
use serde_json::{Map, Value};
use tokio::signal::unix::{SignalKind, signal};

/// An OpenAI-compatible upstream for tests.
#[derive(Debug, Parser)]
struct Arguments {
    /// Listen here with TLS and valid certificates
    #[arg(long, default_value = "127.0.0.1:0")]
    tls: SocketAddr,
    /// Listen here without TLS
    #[arg(long)]
    plain: Option<SocketAddr>,
    /// Listen here with TLS 1.2 and HTTP/1.1 only
    #[arg(long)]
    tls12: Option<SocketAddr>,
    /// Listen here and never say a word
    #[arg(long)]
    silent: Option<SocketAddr>,
    /// Listen here with an expired certificate
    #[arg(long)]
    expired: Option<SocketAddr>,
    /// Listen here with a certificate of an authority nobody knows
    #[arg(long)]
    untrusted: Option<SocketAddr>,
    /// Listen here with a certificate for another name
    #[arg(long)]
    wrong_name: Option<SocketAddr>,
    /// Write the authority's certificate to this file
    #[arg(long)]
    ca_file: Option<PathBuf>,
    /// Write each connection and request to this file, as JSON lines
    #[arg(long)]
    log_file: Option<PathBuf>,
    /// Stop when standard input ends
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let upstream = Upstream::start(Options {
        listeners: arguments.listeners(),
        namespace: None,
        log: arguments.log_file.clone(),
    })?;
    if let Some(path) = &arguments.ca_file {
        std::fs::write(path, upstream.ca_pem()).with_context(|| format!("{}", path.display()))?;
    }
    announce(&upstream)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(until_told(arguments.until_stdin_closes));
    // A read of standard input cannot be called off; it must not keep us.
    runtime.shutdown_background();
    ended
}

impl Arguments {
    fn listeners(&self) -> Vec<(Face, SocketAddr)> {
        let all = [
            (Face::Tls, Some(self.tls)),
            (Face::Plain, self.plain),
            (Face::Silent, self.silent),
            (Face::Tls12, self.tls12),
            (Face::Expired, self.expired),
            (Face::Untrusted, self.untrusted),
            (Face::WrongName, self.wrong_name),
        ];
        let asked = all
            .into_iter()
            .filter_map(|(face, address)| Some((face, address?)));
        asked.collect()
    }
}

fn announce(upstream: &Upstream) -> anyhow::Result<()> {
    let mut line = Map::new();
    for (face, address) in upstream.addresses() {
        let Value::String(name) = serde_json::to_value(face)? else {
            anyhow::bail!("a face is written as a word");
        };
        line.insert(name, Value::String(address.to_string()));
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", Value::Object(line))?;
    out.flush()?;
    Ok(())
}

async fn until_told(stdin_too: bool) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let drained = tokio::task::spawn_blocking(move || {
        let mut rest = [0; 4096];
        let mut input = std::io::stdin().lock();
        while stdin_too && input.read(&mut rest).is_ok_and(|read| read > 0) {}
    });
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
        _ = drained, if stdin_too => {}
    }
    Ok(())
}
