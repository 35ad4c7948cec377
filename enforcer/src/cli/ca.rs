//! `enforcer ca`: the local certificate authority, as far as anybody may see it, and the change to another.
//!
//! Showing reads certificates only: it makes nothing, needs no root and never opens the key.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use enforcer_control::{AuthorityView, Client, ClientError};
use enforcer_tls::{Authority, AuthorityConfig, CaCertificate, Previous, TlsError};
use jiff::Timestamp;
use serde::Serialize;

use super::status::ask;
use crate::config::Config;

#[cfg(test)]
mod tests;

/// The arguments of `enforcer ca`.
#[derive(Debug, Args)]
pub(crate) struct CaArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put another CA in its place; both are believed for the configured overlap.
    Rotate(RotateArgs),
    /// Print its subject, fingerprint, validity and place, and those before it that are still believed.
    Show(ShowArgs),
}

/// Makes a new CA, or takes over the one that `ca.cert_file` and `ca.key_file` hold by now. A running daemon signs with it from
/// then on, without a restart, and shows it to the containers it serves; the CA before goes on being believed for `ca.overlap`.
/// Programs that read their trust once, at their start, believe the next CA only when they start again.
#[derive(Debug, Args)]
struct RotateArgs {
    /// The configuration the daemon was started with
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The configuration that says where it lies
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The state folder, in place of the configured one
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    state: Option<PathBuf>,
    /// Print the certificates that agents are to believe, to be added to a trust store
    #[arg(long, conflicts_with = "json")]
    pem: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What is printed.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Facts {
    subject: String,
    fingerprint_sha256: String,
    not_before: String,
    not_after: String,
    validity: Validity,
    permitted_names: Vec<String>,
    path: PathBuf,
    /// Those before it that agents still believe.
    previous: Vec<Before>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Before {
    subject: String,
    fingerprint_sha256: String,
    believed_until: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Validity {
    Expired,
    NotYetValid,
    Valid,
}

/// What there is to be shown.
struct Shown {
    certificate: CaCertificate,
    previous: Vec<Previous>,
}

/// Does what was asked.
///
/// # Errors
/// When there is no CA, what lies in its place is none, or no other can take its place.
pub(crate) fn run(args: CaArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Rotate(args) => rotate(&args),
        Command::Show(args) => show(&args),
    }
}

fn rotate(args: &RotateArgs) -> anyhow::Result<ExitCode> {
    let config = Config::find(args.config.as_deref())?;
    let client = Client::new(&config.control.socket);
    let (fingerprint, running) = match ask(client.rotate_ca())? {
        Ok(AuthorityView { fingerprint, .. }) => (fingerprint, true),
        Err(ClientError::NotRunning { .. }) => {
            ensure!(
                rustix::process::geteuid().is_root(),
                "no daemon is running, and without one only root may replace the CA"
            );
            let authority = Authority::rotate(&config.ca.authority())?;
            (authority.fingerprint().to_string(), false)
        }
        Err(error) => return Err(error.into()),
    };
    let mut out = io::stdout().lock();
    if args.json {
        let told = serde_json::json!({"fingerprint_sha256": fingerprint, "daemon": running});
        writeln!(out, "{told}")?;
    } else {
        writeln!(out, "fingerprint  SHA-256 {fingerprint}")?;
        let who = if running {
            "the running daemon signs with it"
        } else {
            "no daemon is running; the next one signs with it"
        };
        writeln!(out, "{who}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let shown = read(args)?;
    let mut out = io::stdout().lock();
    if args.pem {
        out.write_all(shown.pem().as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let facts = Facts::of(&shown, SystemTime::now())?;
    if args.json {
        serde_json::to_writer(&mut out, &facts)?;
        writeln!(out)?;
    } else {
        facts.write(&mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(args: &ShowArgs) -> anyhow::Result<Shown> {
    let config = match &args.state {
        Some(state) => AuthorityConfig::kept_in(&state.join("ca")),
        None => Config::find(args.config.as_deref())?.ca.authority(),
    };
    let certificate = match CaCertificate::read_file(&config.certificate()) {
        Err(TlsError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            anyhow::bail!(
                "there is no CA in `{}` yet; the enforcer makes one when it first runs",
                config.dir.display()
            )
        }
        read => read?,
    };
    let mut previous = Previous::read(&config.dir)?;
    previous.retain(|one| one.certificate().der() != certificate.der());
    Ok(Shown {
        certificate,
        previous,
    })
}

// === impl Shown ===

impl Shown {
    fn pem(&self) -> String {
        let before = self.previous.iter().map(|one| one.certificate().pem());
        std::iter::once(self.certificate.pem())
            .chain(before)
            .collect()
    }
}

// === impl Facts ===

impl Facts {
    fn of(shown: &Shown, now: SystemTime) -> anyhow::Result<Self> {
        let Shown {
            certificate,
            previous,
        } = shown;
        let (from, until) = (certificate.not_before(), certificate.not_after());
        let validity = if now >= until {
            Validity::Expired
        } else if now < from {
            Validity::NotYetValid
        } else {
            Validity::Valid
        };
        let before = |one: &Previous| {
            anyhow::Ok(Before {
                subject: one.certificate().subject().to_owned(),
                fingerprint_sha256: one.certificate().fingerprint().to_string(),
                believed_until: timestamp(one.until())?,
            })
        };
        let permitted = certificate.constraints().permitted();
        Ok(Self {
            subject: certificate.subject().to_owned(),
            fingerprint_sha256: certificate.fingerprint().to_string(),
            not_before: timestamp(from)?,
            not_after: timestamp(until)?,
            validity,
            permitted_names: permitted.map(ToString::to_string).collect(),
            path: certificate.path().to_owned(),
            previous: previous.iter().map(before).collect::<anyhow::Result<_>>()?,
        })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            subject,
            fingerprint_sha256,
            not_before,
            not_after,
            validity,
            permitted_names,
            path,
            previous,
        } = self;
        let note = match validity {
            Validity::Expired => " (expired)",
            Validity::NotYetValid => " (not valid yet)",
            Validity::Valid => "",
        };
        writeln!(out, "subject      {subject}")?;
        writeln!(out, "fingerprint  SHA-256 {fingerprint_sha256}")?;
        writeln!(out, "valid        {not_before} to {not_after}{note}")?;
        if !permitted_names.is_empty() {
            writeln!(out, "permitted    {}", permitted_names.join(", "))?;
        }
        writeln!(out, "certificate  {}", path.display())?;
        for one in previous {
            let Before {
                subject,
                fingerprint_sha256,
                believed_until,
            } = one;
            writeln!(out, "\nbefore it    {subject}")?;
            writeln!(out, "fingerprint  SHA-256 {fingerprint_sha256}")?;
            writeln!(out, "believed     until {believed_until}")?;
        }
        Ok(())
    }
}

/// RFC 3339, in UTC.
fn timestamp(time: SystemTime) -> anyhow::Result<String> {
    let time = Timestamp::try_from(time);
    let time = time.context("the certificate's validity is beyond the calendar")?;
    Ok(time.to_string())
}
