//! How much is found, how much is taken for something it is not, and how fast: `cargo xtask bench detect`.
//!
//! `measure [--corpus FOLDER] [--json] [--seconds N] [--only SPEED]`; in no seconds each text goes through once, and no clock
//! is read: for who counts instructions.

mod corpus;
mod events;
mod speed;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use enforcer_mask::{
    Action, Confidence, Keys, Rule, Ruleset, Session, Settings, VaultLimits, What,
};
use serde::Serialize;

/// All that was measured.
#[derive(Serialize)]
struct Report {
    detection: Vec<corpus::Rate>,
    benign: corpus::Benign,
    speed: Vec<speed::Row>,
}

struct Asked {
    corpus: PathBuf,
    json: bool,
    seconds: f64,
    /// Only the speeds whose names contain it.
    only: Option<String>,
}

fn main() -> Result<()> {
    let asked = asked()?;
    if asked.only.is_some() {
        for row in speed::rows(asked.seconds, asked.only.as_deref())? {
            show(&format!("{:40} {:>12}", row.what, row.shown()));
        }
        return Ok(());
    }
    let (detection, missed) = corpus::detection(&asked.corpus)?;
    let (benign, wrong) = corpus::benign(&asked.corpus)?;
    let speed = speed::rows(asked.seconds, None)?;
    let report = Report {
        detection,
        benign,
        speed,
    };
    if asked.json {
        show(&serde_json::to_string_pretty(&report)?);
    } else {
        table(&report, &missed, &wrong);
    }
    Ok(())
}

fn asked() -> Result<Asked> {
    let mut asked = Asked {
        corpus: PathBuf::from("tests/corpus/detect"),
        json: false,
        seconds: 1.0,
        only: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("`{argument}` needs a value"))
        };
        match argument.as_str() {
            "--corpus" => asked.corpus = value()?.into(),
            "--only" => asked.only = Some(value()?),
            "--json" => asked.json = true,
            "--seconds" => {
                asked.seconds = value()?.parse().context("`--seconds` takes a number")?;
            }
            "--help" | "-h" => {
                show("measure [--corpus FOLDER] [--json] [--seconds N] [--only SPEED]");
                std::process::exit(0);
            }
            _ => bail!(
                "`{argument}` is not known; there are `--corpus FOLDER`, `--json` and `--seconds N`"
            ),
        }
    }
    Ok(asked)
}

fn table(report: &Report, missed: &[String], wrong: &[String]) {
    let (mut values, mut found) = (0, 0);
    show(&format!(
        "{:32} {:>7} {:>7} {:>6}",
        "detector", "values", "found", "rate"
    ));
    for rate in &report.detection {
        values += rate.values;
        found += rate.found;
        let share = share(rate.found, rate.values);
        show(&format!(
            "{:32} {:>7} {:>7} {share:>5.1}%",
            rate.detector, rate.values, rate.found
        ));
    }
    show(&format!(
        "{:32} {values:>7} {found:>7} {:>5.1}%\n",
        "all",
        share(found, values)
    ));
    for text in missed {
        show(&format!("missed: {text}"));
    }
    let benign = &report.benign;
    show(&format!(
        "benign: {} texts, {} bytes, {} findings in {} of them: {:.3}% of texts, {:.2} in a MiB",
        benign.texts,
        benign.bytes,
        benign.findings,
        benign.wrong,
        share(benign.wrong, benign.texts),
        benign.in_a_mebibyte
    ));
    for text in wrong {
        show(&format!("wrong: {text}"));
    }
    show(&format!("\n{:40} {:>12}", "speed", "one core"));
    for row in &report.speed {
        show(&format!("{:40} {:>12}", row.what, row.shown()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a corpus are small")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

#[expect(clippy::print_stdout, reason = "this is what it is run for")]
fn show(text: &str) {
    println!("{text}");
}

/// All detectors on, at least that sure.
fn everything(least: Confidence, decode: bool) -> Result<Arc<Ruleset>> {
    let rule = Rule {
        id: "all".to_owned(),
        what: vec![What::Named("all".to_owned())],
        action: Action::Redact,
        direction: None,
        least,
    };
    let settings = Settings {
        decode,
        ..Settings::default()
    };
    match Ruleset::new(&[rule], settings) {
        Ok(rules) => Ok(Arc::new(rules)),
        Err(problems) => bail!("{problems:?}"),
    }
}

fn session() -> Arc<Session> {
    Arc::new(Session::new(
        &Keys::new(&[7; 32]),
        "measured",
        VaultLimits::default(),
    ))
}
