//! `enforcer ca`: the local certificate authority, as far as anybody may see it.
//!
//! Reads the certificate only: it makes nothing, needs no root and never opens the key.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context;
use clap::{Args, Subcommand};
use enforcer_tls::{CaCertificate, TlsError};
use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;

/// The arguments of `enforcer ca`.
#[derive(Debug, Args)]
pub(crate) struct CaArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print its subject, fingerprint, validity and place.
    Show(ShowArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// The configuration that says where it lies
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The state folder, in place of the configured one
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    state: Option<PathBuf>,
    /// Print the certificate itself, to be added to a trust store
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
    path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Validity {
    Expired,
    NotYetValid,
    Valid,
}

/// Does what was asked.
///
/// # Errors
/// When there is no CA, or what lies in its place is none.
pub(crate) fn run(args: CaArgs) -> anyhow::Result<ExitCode> {
    let Command::Show(args) = args.command;
    let certificate = read(&args)?;
    let mut out = io::stdout().lock();
    if args.pem {
        out.write_all(certificate.pem().as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let facts = Facts::of(&certificate, SystemTime::now())?;
    if args.json {
        serde_json::to_writer(&mut out, &facts)?;
        writeln!(out)?;
    } else {
        facts.write(&mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(args: &ShowArgs) -> anyhow::Result<CaCertificate> {
    let dir = match &args.state {
        Some(state) => state.join("ca"),
        None => Config::find(args.config.as_deref())?.ca.dir,
    };
    match CaCertificate::read(&dir) {
        Err(TlsError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            anyhow::bail!(
                "there is no CA in `{}` yet; the enforcer makes one when it first runs",
                dir.display()
            )
        }
        read => Ok(read?),
    }
}

// === impl Facts ===

impl Facts {
    fn of(certificate: &CaCertificate, now: SystemTime) -> anyhow::Result<Self> {
        let (from, until) = (certificate.not_before(), certificate.not_after());
        let validity = if now >= until {
            Validity::Expired
        } else if now < from {
            Validity::NotYetValid
        } else {
            Validity::Valid
        };
        Ok(Self {
            subject: certificate.subject().to_owned(),
            fingerprint_sha256: certificate.fingerprint().to_string(),
            not_before: timestamp(from)?,
            not_after: timestamp(until)?,
            validity,
            path: certificate.path().to_owned(),
        })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            subject,
            fingerprint_sha256,
            not_before,
            not_after,
            validity,
            path,
        } = self;
        let note = match validity {
            Validity::Expired => " (expired)",
            Validity::NotYetValid => " (not valid yet)",
            Validity::Valid => "",
        };
        writeln!(out, "subject      {subject}")?;
        writeln!(out, "fingerprint  SHA-256 {fingerprint_sha256}")?;
        writeln!(out, "valid        {not_before} to {not_after}{note}")?;
        writeln!(out, "certificate  {}", path.display())
    }
}

/// RFC 3339, in UTC.
fn timestamp(time: SystemTime) -> anyhow::Result<String> {
    let time = Timestamp::try_from(time);
    let time = time.context("the certificate's validity is beyond the calendar")?;
    Ok(time.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use enforcer_tls::Authority;

    use super::*;

    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

    fn args(state: PathBuf) -> ShowArgs {
        ShowArgs {
            config: None,
            state: Some(state),
            pem: false,
            json: false,
        }
    }

    #[test]
    fn what_is_shown_is_what_the_authority_uses() {
        let state = tempfile::tempdir().unwrap();
        let authority = Authority::load_or_create(&state.path().join("ca")).unwrap();
        let certificate = read(&args(state.path().to_owned())).unwrap();
        assert_eq!(certificate.pem(), authority.certificate_pem());
        let facts = Facts::of(&certificate, SystemTime::now()).unwrap();
        let mut text = Vec::new();
        facts.write(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("CN=Enforcer local CA "), "{text}");
        assert!(
            text.contains(&authority.fingerprint().to_string()),
            "{text}"
        );
        assert!(text.contains("/ca/ca.crt"), "{text}");
        assert_eq!(facts.validity, Validity::Valid);
    }

    #[test]
    fn a_validity_that_is_over_is_said() {
        let state = tempfile::tempdir().unwrap();
        Authority::load_or_create(&state.path().join("ca")).unwrap();
        let certificate = read(&args(state.path().to_owned())).unwrap();
        let at = |time| Facts::of(&certificate, time).unwrap().validity;
        assert_eq!(at(SystemTime::now() + 11 * YEAR), Validity::Expired);
        assert_eq!(at(SystemTime::now() - YEAR), Validity::NotYetValid);
    }

    #[test]
    fn showing_makes_nothing() {
        let state = tempfile::tempdir().unwrap();
        let error = read(&args(state.path().to_owned())).unwrap_err();
        assert!(error.to_string().contains("there is no CA"), "{error}");
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
