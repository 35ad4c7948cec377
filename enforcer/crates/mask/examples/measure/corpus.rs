//! What is found of what should be, and what of what should not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use enforcer_mask::{Confidence, Direction, Finding, Place};
use serde::{Deserialize, Serialize};

use crate::{everything, session};

/// One value that has to be found.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What is special about it.
    #[serde(default)]
    name: Option<String>,
    detector: String,
    #[serde(default)]
    field: Option<String>,
    text: Parts,
    /// The part of the text that is the value.
    value: Parts,
}

/// A text; those that others would take for secrets of ours are written in parts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Parts {
    Parts(Vec<String>),
    Text(String),
}

impl Parts {
    fn joined(&self) -> String {
        match self {
            Self::Parts(parts) => parts.concat(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// How much a detector finds.
#[derive(Serialize)]
pub(crate) struct Rate {
    pub(crate) detector: String,
    pub(crate) values: usize,
    pub(crate) found: usize,
}

/// How much is found where nothing is.
#[derive(Serialize)]
pub(crate) struct Benign {
    pub(crate) texts: usize,
    pub(crate) bytes: usize,
    pub(crate) findings: usize,
    /// Texts in which something was found.
    pub(crate) wrong: usize,
    pub(crate) in_a_mebibyte: f64,
}

pub(crate) fn detection(folder: &Path) -> Result<(Vec<Rate>, Vec<String>)> {
    let mut rates: BTreeMap<String, Rate> = BTreeMap::new();
    let mut missed = Vec::new();
    for path in files(folder)? {
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let cases: Vec<Case> = serde_saphyr::from_str(&fs::read_to_string(&path)?)
            .with_context(|| format!("`{}` is no list of cases", path.display()))?;
        for case in cases {
            let rate = rates.entry(case.detector.clone()).or_insert_with(|| Rate {
                detector: case.detector.clone(),
                values: 0,
                found: 0,
            });
            rate.values += 1;
            if holds(&case)? {
                rate.found += 1;
            } else {
                let name = case.name.clone().unwrap_or_else(|| case.value.joined());
                missed.push(format!("{}: {name}", case.detector));
            }
        }
    }
    Ok((rates.into_values().collect(), missed))
}

/// The value is found, by its detector or as part of something that another one found.
fn holds(case: &Case) -> Result<bool> {
    let (text, value) = (case.text.joined(), case.value.joined());
    let start = text
        .find(&value)
        .with_context(|| format!("`{value}` is not in its text"))?;
    let (start, end) = (start as u64, (start + value.len()) as u64);
    let findings = found(case.field.as_deref(), &text)?;
    Ok(findings
        .iter()
        .any(|finding| finding.offset <= start && finding.offset + finding.length >= end))
}

pub(crate) fn benign(folder: &Path) -> Result<(Benign, Vec<String>)> {
    let mut benign = Benign {
        texts: 0,
        bytes: 0,
        findings: 0,
        wrong: 0,
        in_a_mebibyte: 0.0,
    };
    let mut wrong = Vec::new();
    for path in files(&folder.join("benign"))? {
        let all = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let lines = path.extension().is_some_and(|extension| extension == "txt");
        let texts = if lines {
            all.lines().collect()
        } else {
            vec![all.as_str()]
        };
        for text in texts {
            let findings = found(None, text)?;
            benign.texts += 1;
            benign.bytes += text.len();
            benign.findings += findings.len();
            benign.wrong += usize::from(!findings.is_empty());
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            wrong.extend(findings.iter().map(|finding| {
                let (start, length) = (finding.offset, finding.length);
                let value: String = text
                    .bytes()
                    .skip(usize::try_from(start).unwrap_or(0))
                    .take(60.min(usize::try_from(length).unwrap_or(60)))
                    .map(char::from)
                    .collect();
                format!("{name}: {} at byte {start}: {value}", finding.detector)
            }));
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of a corpus are small")]
    {
        benign.in_a_mebibyte = benign.findings as f64 * 1_048_576.0 / benign.bytes.max(1) as f64;
    }
    Ok((benign, wrong))
}

fn found(field: Option<&str>, text: &str) -> Result<Vec<Finding>> {
    let rules = everything(Confidence::Medium, true)?;
    let place = Place {
        direction: Direction::Request,
        field,
        path: "",
    };
    Ok(rules.mask(&session(), place, text.as_bytes())?.findings)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut files: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}
