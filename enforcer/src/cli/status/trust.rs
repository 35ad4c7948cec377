//! The CA, and who believes it, in lines for people.

use std::io::{self, Write};

use enforcer_control::{AuthorityView, DistrustedView, PreviousView, TrustView};
use jiff::Timestamp;

pub(super) fn write_authority(out: &mut impl Write, authority: &AuthorityView) -> io::Result<()> {
    let AuthorityView {
        fingerprint,
        certificate,
        not_after,
        permitted,
        previous,
        problem,
    } = authority;
    writeln!(out, "authority  SHA-256 {fingerprint}")?;
    let certificate = certificate.display();
    writeln!(out, "           {certificate}, until {}", day(*not_after))?;
    if !permitted.is_empty() {
        writeln!(out, "           for {} alone", permitted.join(", "))?;
    }
    for PreviousView { fingerprint, until } in previous {
        let until = day(*until);
        writeln!(
            out,
            "           before it, believed until {until}: SHA-256 {fingerprint}"
        )?;
    }
    if let Some(problem) = problem {
        writeln!(out, "           {problem}")?;
    }
    Ok(())
}

pub(super) fn write_trust(out: &mut impl Write, trust: &[TrustView]) -> io::Result<()> {
    for view in trust {
        let TrustView {
            workload,
            stores,
            problems,
            distrusted,
        } = view;
        writeln!(out, "trust      {workload}: {} stores", stores.len())?;
        for problem in problems {
            writeln!(out, "           {problem}")?;
        }
        for one in distrusted {
            let DistrustedView {
                host,
                program,
                count,
            } = one;
            // A program names itself.
            let program = program.escape_debug();
            writeln!(
                out,
                "           {program} does not trust the CA: {count} handshakes for {host} were broken off"
            )?;
        }
        if !distrusted.is_empty() {
            writeln!(
                out,
                "           `enforcer trust check --workload {workload}` says what can be done"
            )?;
        }
    }
    Ok(())
}

/// The day of a time in seconds since 1970, in UTC.
fn day(seconds: u64) -> String {
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok());
    time.map_or_else(|| "ever".to_owned(), |time| time.to_string())
}
