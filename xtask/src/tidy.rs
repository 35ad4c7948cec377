//! The rules of this tree that no other tool knows: layers, budgets, names, invariants.
//!
//! Everything is read, nothing is changed; each finding says where and what instead.

mod files;
mod invariants;
mod layers;
mod orphans;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// A file of the tree that is text, with its path from the root.
struct Source {
    path: PathBuf,
    text: String,
}

/// Checks the tree at `root`; an error lists every finding.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut sources = Vec::new();
    read(root, root, &mut sources)?;
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    let findings: Vec<String> = [
        layers::check()?,
        files::check(&sources),
        invariants::check(&sources),
        orphans::check(&sources),
        text::check(root, &sources),
    ]
    .concat();
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} findings:\n  {}", findings.len(), findings.join("\n  "))
}

/// Everything below `folder` but what is built, hidden or not text. Hidden folders that are ours are listed.
fn read(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name();
        let hidden = name.to_string_lossy().starts_with('.');
        if kind.is_dir() {
            if name != "target" && (!hidden || name == ".cargo" || name == ".ci") {
                read(root, &path, sources)?;
            }
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(&path)?)
        {
            let path = path.strip_prefix(root).map(Path::to_path_buf)?;
            sources.push(Source::new(path, text));
        }
    }
    Ok(())
}

// === impl Source ===

impl Source {
    fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        Self { path, text }
    }

    fn is_rust(&self) -> bool {
        self.path
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    /// Tests have no budget: what proves a claim may be long.
    fn is_test(&self) -> bool {
        let in_tests = self
            .path
            .components()
            .any(|part| part.as_os_str() == "tests");
        // The package of that name is the harness, and is code.
        let harness = self.path.starts_with("tests/src");
        (in_tests && !harness) || self.path.file_stem().is_some_and(|stem| stem == "tests")
    }

    /// Up to the tests at the end of the file.
    fn code(&self) -> &str {
        match self.text.find("\n#[cfg(test)]\nmod tests {") {
            Some(end) => &self.text[..end],
            None => &self.text,
        }
    }
}
