//! What a check came to, for people, and the rule that lets a program pass that cannot be made to believe.

use std::io::{self, Write};

use enforcer_control::{DistrustedView, TrustView};

use super::Report;
use super::program::{Checked, Verdict};

/// What stands in a rule until its author knows the name.
const UNKNOWN: &str = "NAME.EXAMPLE";

pub(super) fn write(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let Report {
        workload,
        trusted: _,
        checked,
        stores,
        problems,
        refused,
        rule,
    } = report;
    writeln!(out, "workload   {workload}")?;
    writeln!(out, "stores     {}", stores.len())?;
    for store in stores {
        writeln!(out, "           {}", store.display())?;
    }
    for problem in problems {
        writeln!(out, "           {problem}")?;
    }
    if checked.is_empty() {
        writeln!(out, "runtimes   none that can be asked")?;
    }
    let width = checked
        .iter()
        .map(|one| one.runtime.len())
        .max()
        .unwrap_or(0);
    for one in checked {
        let Checked {
            runtime,
            program,
            verdict,
            detail,
            advice,
        } = one;
        let verdict = match verdict {
            Verdict::NotChecked => "not checked",
            Verdict::NotTrusted => "NOT TRUSTED",
            Verdict::Trusted => "trusted",
        };
        writeln!(
            out,
            "  {runtime:width$}  {verdict:11}  {}",
            program.display()
        )?;
        for line in [detail, advice].into_iter().flatten() {
            writeln!(out, "  {:width$}  {line}", "")?;
        }
    }
    for host in refused {
        writeln!(
            out,
            "refused    handshakes for {host} were broken off by a program of this workload"
        )?;
    }
    if let Some(rule) = rule {
        writeln!(
            out,
            "\nA program that cannot be made to trust the CA, because its roots are compiled in or it pins a certificate, passes\n\
             unopened by name with a rule like this; methods and paths are then neither judged nor recorded:\n"
        )?;
        write!(out, "{rule}")?;
    }
    Ok(())
}

/// The rule as it stands in a policy file.
pub(super) fn rule(workload: &str, hosts: &[String]) -> String {
    let hosts = match hosts {
        [] => UNKNOWN.to_owned(),
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    };
    format!(
        "- id: unopened\n  effect: allow\n  inspect: false\n  reason: a program of {workload} does not trust the local CA\n  match:\n    host: {hosts}\n"
    )
}

pub(super) fn write_list(out: &mut impl Write, trust: &[TrustView]) -> io::Result<()> {
    if trust.is_empty() {
        writeln!(
            out,
            "no workload lives in a container of its own, and no program refused the CA"
        )?;
    }
    for view in trust {
        let TrustView {
            workload,
            stores,
            problems,
            distrusted,
        } = view;
        writeln!(out, "{workload}")?;
        for store in stores {
            writeln!(out, "  trusts    {}", store.display())?;
        }
        for problem in problems {
            writeln!(out, "  problem   {problem}")?;
        }
        for DistrustedView {
            host,
            program,
            count,
        } in distrusted
        {
            writeln!(
                out,
                "  refused   {host} by {} ({count})",
                program.escape_debug()
            )?;
        }
    }
    Ok(())
}
