//! Where policies come from: a file or a folder, read, compiled, and watched for changes.
//!
//! A set comes into force whole or not at all. What cannot be read or compiled stops a start; later it leaves the last
//! good set in force and is reported. Cases (`NAME.cases.yaml`) stand beside policies and are not read here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::anyhow;
use arc_swap::ArcSwap;
use enforcer_policy::{Diagnostic, Inject, Obligation, PolicySet, Severity, Sign, Source};

use crate::policies::files::Texts;
pub(crate) use crate::policies::watch::Watch;

pub(crate) mod files;
#[cfg(test)]
mod tests;
mod watch;

/// Policies in force, and where they came from.
pub(crate) struct Policies {
    path: PathBuf,
    /// What the set was compiled from.
    texts: Texts,
    set: Arc<ArcSwap<PolicySet>>,
    loaded: Loaded,
    /// The names of secrets that rules may take.
    secrets: BTreeSet<String>,
}

/// A set that came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// How many files it came from.
    pub files: usize,
    /// How many rules it has.
    pub rules: usize,
    /// Its fingerprint.
    pub digest: String,
    /// What in it has no effect.
    pub warnings: Vec<Diagnostic>,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// The new set is in force.
    Loaded(Loaded),
    /// The last good set stays in force. The findings say why, warnings among them.
    Rejected {
        /// At least one is an error.
        diagnostics: Vec<Diagnostic>,
    },
}

/// Reads and compiles the policies of a file or folder once.
///
/// # Errors
/// When something cannot be read or compiled, or when there is no policy; the message has a line for each finding.
pub(crate) fn load(path: &Path, secrets: &BTreeSet<String>) -> anyhow::Result<PolicySet> {
    let texts = files::read(path).map_err(|found| unusable(path, &found))?;
    let (set, _) = compile(&texts, secrets).map_err(|found| unusable(path, &found))?;
    Ok(set)
}

// === impl Policies ===

impl Policies {
    /// Reads and compiles the policies of a file or folder, to be watched from then on.
    ///
    /// # Errors
    /// When something cannot be read or compiled, or when there is no policy; the message has a line for each finding.
    pub(crate) fn open(path: &Path, secrets: BTreeSet<String>) -> anyhow::Result<Self> {
        let texts = files::read(path).map_err(|found| unusable(path, &found))?;
        let (set, loaded) = compile(&texts, &secrets).map_err(|found| unusable(path, &found))?;
        Ok(Self {
            path: path.to_owned(),
            texts,
            set: Arc::new(ArcSwap::from_pointee(set)),
            loaded,
            secrets,
        })
    }

    /// The set in force, wherever it is asked; a reload swaps it.
    pub(crate) fn current(&self) -> Arc<ArcSwap<PolicySet>> {
        Arc::clone(&self.set)
    }

    /// What was loaded at the start.
    pub(crate) fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Watches the files on a thread of its own and reports what comes of each change, until the guard is dropped.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(crate) fn watch(
        self,
        report: impl FnMut(Reload) + Send + 'static,
    ) -> anyhow::Result<Watch> {
        Watch::start(self, watch::Pace::default(), report)
    }
}

/// Compiles what was read. A rule that takes a secret which the configuration does not name is a mistake.
fn compile(
    texts: &Texts,
    secrets: &BTreeSet<String>,
) -> Result<(PolicySet, Loaded), Vec<Diagnostic>> {
    let sources: Vec<Source<'_>> = texts.sources().collect();
    match PolicySet::compile(&sources) {
        Ok((set, found)) => {
            let unknown = unknown_secrets(&set, secrets);
            if !unknown.is_empty() {
                return Err(texts.warnings().iter().cloned().chain(unknown).collect());
            }
            let loaded = Loaded {
                files: texts.files().len(),
                rules: set.rules(),
                digest: set.digest().to_owned(),
                warnings: texts.warnings().iter().cloned().chain(found).collect(),
            };
            Ok((set, loaded))
        }
        Err(found) => Err(texts.warnings().iter().cloned().chain(found).collect()),
    }
}

fn unknown_secrets(set: &PolicySet, secrets: &BTreeSet<String>) -> Vec<Diagnostic> {
    let taken = set.obligations().filter_map(|obligation| match obligation {
        Obligation::Inject(inject) => {
            let Inject { rule, secret, .. } = &**inject;
            Some((rule, secret))
        }
        Obligation::Sign(sign) => {
            let Sign { rule, secret, .. } = &**sign;
            Some((rule, secret))
        }
        Obligation::Limit(_) | Obligation::Mask(_) | Obligation::Record(_) => None,
    });
    taken
        .filter(|(_, secret)| !secrets.contains(&***secret))
        .map(|(rule, secret)| {
            let message = format!(
                "rule `{}` takes the secret `{secret}`, which `secrets` in the configuration does not name",
                rule.id()
            );
            Diagnostic::of_file(Severity::Error, rule.policy(), message)
        })
        .collect()
}

fn unusable(path: &Path, found: &[Diagnostic]) -> anyhow::Error {
    let lines: String = found
        .iter()
        .map(|finding| format!("\n  {finding}"))
        .collect();
    anyhow!(
        "the policies at `{}` cannot be used:{lines}",
        path.display()
    )
}
