//! `enforcer audit`: read the evidence and check it. Both commands only read, and need no daemon.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use enforcer_audit::tail::{Follower, Palette, readable, shown};
use enforcer_audit::{DEFAULT_LEDGER, Finding, Head, Problem, Report, Verifier};
use serde::Serialize;

/// How often a followed ledger is looked at.
const POLL: Duration = Duration::from_millis(100);

/// Reads the audit ledger.
#[derive(Args, Debug)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Show the last events, one readable line each.
    Tail(TailArgs),
    /// Check that no line was changed, removed, added or moved.
    ///
    /// Prints the head: the last line's number and hash. Lines cut off the end, and a file rewritten from some line to its
    /// end, show only against a head that was noted elsewhere before (`--anchor`).
    Verify(VerifyArgs),
}

#[derive(Args, Debug)]
struct TailArgs {
    /// Go on with what is appended, over rotations.
    #[arg(short, long)]
    follow: bool,
    /// How many events to begin with.
    #[arg(short = 'n', long, default_value_t = 10, value_name = "N")]
    lines: usize,
    #[command(flatten)]
    source: Source,
    /// Print the ledger's own lines.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct VerifyArgs {
    #[command(flatten)]
    source: Source,
    /// Also expect this line: a head that an earlier check printed.
    #[arg(long, value_name = "NUMBER:HASH")]
    anchor: Option<Head>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Source {
    /// The ledger's active file; full files beside it belong to it.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_LEDGER)]
    file: PathBuf,
}

/// What `verify --json` prints.
#[derive(Serialize)]
struct Verdict<'a> {
    intact: bool,
    problem: Option<Place<'a>>,
    ledger: Option<&'a str>,
    files: u64,
    first_part: u64,
    lines: u64,
    bytes: u64,
    first_line: u64,
    first_time: &'a str,
    last_time: &'a str,
    recoveries: u64,
    events: &'a BTreeMap<String, u64>,
    head: Option<String>,
}

/// The first bad line.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a Path,
    line: u64,
    what: String,
}

/// Runs one of the two.
pub(crate) fn run(args: AuditArgs) -> anyhow::Result<ExitCode> {
    let done = match args.command {
        AuditCommand::Tail(args) => tail(&args),
        AuditCommand::Verify(args) => verify(&args),
    };
    match done {
        // Whoever reads us has seen enough: `enforcer audit tail | head`.
        Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        done => done,
    }
}

fn tail(args: &TailArgs) -> anyhow::Result<ExitCode> {
    let path = &args.source.file;
    let reading = || format!("cannot read the ledger `{}`", path.display());
    let mut follower = Follower::open(path, args.lines).with_context(reading)?;
    let stdout = io::stdout();
    let style = Style::of(args.json, stdout.is_terminal());
    let mut out = BufWriter::new(stdout.lock());
    // A busy writer may append faster than we print: without `--follow`, what was asked for is all.
    let mut left = if args.follow { usize::MAX } else { args.lines };
    loop {
        while left > 0
            && let Some(line) = follower.poll().with_context(reading)?
        {
            style.print(&mut out, line)?;
            left -= 1;
        }
        out.flush()?;
        if !args.follow {
            return Ok(ExitCode::SUCCESS);
        }
        thread::sleep(POLL);
    }
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let verifier = args.anchor.map_or_else(Verifier::new, Verifier::anchored);
    let path = &args.source.file;
    let mut report = verifier.verify(path)?;
    if let Some(Finding {
        problem: Problem::Torn { .. },
        ..
    }) = report.finding
    {
        // A running enforcer may have been in the middle of this line. A torn line stays torn.
        thread::sleep(POLL);
        report = verifier.verify(path)?;
    }
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &Verdict::of(&report)).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        state(&mut out, path, &report)?;
    }
    out.flush()?;
    Ok(match report.finding {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

fn state(out: &mut impl Write, path: &Path, report: &Report) -> io::Result<()> {
    match &report.finding {
        None => writeln!(out, "{}: intact", path.display())?,
        Some(finding) => writeln!(out, "{finding}\nsound up to there:")?,
    }
    let Some(head) = report.head else {
        return writeln!(out, "  nothing");
    };
    if let Some(ledger) = &report.ledger {
        writeln!(out, "  ledger  {ledger}")?;
    }
    let older = match report.first_part {
        1 => String::new(),
        first => format!(", the first of them part {first}: older parts were not checked"),
    };
    writeln!(out, "  files   {}{older}", report.files)?;
    writeln!(
        out,
        "  lines   {} ({} to {})",
        report.lines, report.first_line, head.sequence
    )?;
    writeln!(
        out,
        "  times   {} to {}",
        report.first_time, report.last_time
    )?;
    if report.recoveries > 0 {
        writeln!(
            out,
            "  crashes or failed writes recorded: {}",
            report.recoveries
        )?;
    }
    writeln!(out, "  head    {head}")?;
    if report.finding.is_some() {
        return Ok(());
    }
    writeln!(
        out,
        "Keep the head elsewhere: with `--anchor` it shows cut or rewritten ends, which the chain alone does not."
    )
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe)
}

/// How `tail` prints a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// Byte for byte, for programs and for `verify`.
    Exact,
    /// The same JSON, harmless on a terminal.
    Harmless,
    /// For people.
    Readable(Palette),
}

impl Style {
    fn of(json: bool, terminal: bool) -> Self {
        // https://no-color.org: any value but the empty one.
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        match (json, terminal) {
            (true, true) => Self::Harmless,
            (true, false) => Self::Exact,
            (false, true) if colours => Self::Readable(Palette::Coloured),
            (false, _) => Self::Readable(Palette::Plain),
        }
    }

    fn print(self, out: &mut impl Write, line: &[u8]) -> io::Result<()> {
        match self {
            Self::Exact => out.write_all(line)?,
            Self::Harmless => out.write_all(shown(line).as_bytes())?,
            Self::Readable(palette) => out.write_all(readable(line, palette).as_bytes())?,
        }
        out.write_all(b"\n")
    }
}

impl<'a> Verdict<'a> {
    fn of(report: &'a Report) -> Self {
        let Report {
            ledger,
            files,
            lines,
            bytes,
            first_part,
            first_line,
            first_time,
            last_time,
            recoveries,
            events,
            head,
            finding,
        } = report;
        Self {
            intact: finding.is_none(),
            problem: finding.as_ref().map(|finding| Place {
                file: &finding.file,
                line: finding.line,
                what: finding.problem.to_string(),
            }),
            ledger: ledger.as_deref(),
            files: *files,
            first_part: *first_part,
            lines: *lines,
            bytes: *bytes,
            first_line: *first_line,
            first_time,
            last_time,
            recoveries: *recoveries,
            events,
            head: head.map(|head| head.to_string()),
        }
    }
}
