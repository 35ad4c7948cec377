//! The files that policies are in: which of a folder count, and their texts.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use enforcer_policy::{Diagnostic, Severity, Source, includes, is_include};

/// Most policy files in one folder.
const MAX_FILES: usize = 1_000;
/// Longest file read, in bytes. The compiler takes less and says so; this only bounds what is read.
const MAX_FILE: u64 = 5 << 20;

/// Policy files and what is in them, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts {
    files: Vec<Text>,
    /// What policies include; no policies themselves.
    includes: Vec<Text>,
    warnings: Vec<Diagnostic>,
}

/// One policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Where it is.
    pub path: PathBuf,
    /// The same, as findings name it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

// === impl Texts ===

impl Texts {
    pub(crate) fn files(&self) -> &[Text] {
        &self.files
    }

    pub(crate) fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    pub(crate) fn sources(&self) -> impl Iterator<Item = Source<'_>> {
        self.files.iter().chain(&self.includes).map(Text::source)
    }

    /// One policy with what it may include.
    pub(crate) fn sources_of<'t>(&'t self, policy: &'t Text) -> impl Iterator<Item = Source<'t>> {
        std::iter::once(policy)
            .chain(&self.includes)
            .map(Text::source)
    }

    /// Every file that was read.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Text> {
        self.files.iter().chain(&self.includes)
    }

    /// Adds those of another place.
    pub(crate) fn extend(&mut self, other: Self) {
        let Self {
            files,
            includes,
            warnings,
        } = other;
        self.files.extend(files);
        for include in includes {
            if !self.includes.contains(&include) {
                self.includes.push(include);
            }
        }
        self.warnings.extend(warnings);
    }
}

// === impl Text ===

impl Text {
    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            name: &self.name,
            text: &self.text,
        }
    }
}

/// Reads one file, or every `*.yaml` of a folder that is not hidden and no table of cases.
pub(crate) fn read(path: &Path) -> Result<Texts, Vec<Diagnostic>> {
    let metadata = fs::metadata(path).map_err(|error| vec![unreadable(path, &error)])?;
    if !metadata.is_dir() {
        let file = read_file(path).map_err(|finding| vec![finding])?;
        let beside = included(&file)?;
        return Ok(Texts {
            files: vec![file],
            includes: beside,
            warnings: Vec::new(),
        });
    }
    let (mut paths, warnings) = list(path).map_err(|error| vec![unreadable(path, &error)])?;
    let included = paths
        .extract_if(.., |path| is_included(path))
        .collect::<Vec<_>>();
    let mut texts = Texts {
        files: Vec::with_capacity(paths.len()),
        includes: Vec::with_capacity(included.len()),
        warnings,
    };
    let mut found = Vec::new();
    if paths.is_empty() {
        let finding = error(path, "there is no policy in this folder");
        found.push(finding.with_hint("put one there, in a file named `NAME.yaml`"));
    }
    if paths.len() > MAX_FILES {
        let message = format!("there are more than {MAX_FILES} policy files in this folder");
        found.push(error(path, message));
    }
    for path in paths.iter().take(MAX_FILES) {
        match read_file(path) {
            Ok(file) => texts.files.push(file),
            Err(finding) => found.push(finding),
        }
    }
    for path in included.iter().take(MAX_FILES) {
        match read_file(path) {
            Ok(file) => texts.includes.push(file),
            Err(finding) => found.push(finding),
        }
    }
    if found.is_empty() {
        Ok(texts)
    } else {
        Err(texts.warnings.into_iter().chain(found).collect())
    }
}

/// Reads one file, whatever its name.
pub(crate) fn read_file(path: &Path) -> Result<Text, Diagnostic> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    // Opening a pipe would wait for whoever writes to it.
    if !metadata.is_file() {
        return Err(error(path, "not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|_| error(path, "not text in UTF-8"))?;
    Ok(Text {
        path: path.to_owned(),
        name: path.display().to_string(),
        text,
    })
}

/// What one policy includes, from beside it.
fn included(policy: &Text) -> Result<Vec<Text>, Vec<Diagnostic>> {
    let mut files = Vec::new();
    for name in includes(&policy.text) {
        let path = policy.path.with_file_name(name);
        // What is not there the compiler reports, at the place that names it.
        if path.exists() {
            files.push(read_file(&path).map_err(|finding| vec![finding])?);
        }
    }
    Ok(files)
}

fn is_included(path: &Path) -> bool {
    path.file_name()
        .and_then(OsStr::to_str)
        .is_some_and(is_include)
}

/// Where the cases of a policy file are.
pub(crate) fn cases_beside(policy: &Path) -> PathBuf {
    policy.with_extension("cases.yaml")
}

/// The tables of cases in a folder whose policies are not there, each with that as its finding.
pub(crate) fn orphaned_cases(folder: &Path) -> Vec<Diagnostic> {
    // What cannot be listed was reported when the policies were read.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut orphans: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| policy_beside(path).is_some_and(|policy| !policy.exists()))
        .collect();
    orphans.sort_unstable();
    let finding = |path: PathBuf| error(&path, "cases without a policy beside them");
    orphans.into_iter().map(finding).collect()
}

/// Where the policy of a table of cases is; none when the file is no such table.
fn policy_beside(cases: &Path) -> Option<PathBuf> {
    let name = cases.file_name()?.to_str()?;
    let name = name
        .strip_suffix(".cases.yaml")
        .filter(|name| !name.starts_with('.'))?;
    Some(cases.with_file_name(format!("{name}.yaml")))
}

/// A folder's policy files in the order of their names, and warnings of files that might have been meant to be some.
fn list(folder: &Path) -> io::Result<(Vec<PathBuf>, Vec<Diagnostic>)> {
    let (mut paths, mut warnings) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match kind(path.file_name().unwrap_or_default()) {
            Kind::Policy => paths.push(path),
            Kind::Misnamed => {
                let finding = Diagnostic::of_file(
                    Severity::Warning,
                    &path.display().to_string(),
                    "not read: the names of policy files end in `.yaml`",
                );
                warnings.push(finding);
            }
            Kind::Other => {}
        }
    }
    paths.sort_unstable();
    warnings.sort_unstable_by(|a, b| a.file.cmp(&b.file));
    Ok((paths, warnings))
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// It looks like a policy, but is not named like one.
    Misnamed,
    /// Cases, hidden files and all that is no policy.
    Other,
    Policy,
}

fn kind(name: &OsStr) -> Kind {
    let Some(name) = name.to_str() else {
        return Kind::Other;
    };
    let lower = name.to_ascii_lowercase();
    if name.starts_with('.') || lower.ends_with(".cases.yaml") || lower.ends_with(".cases.yml") {
        return Kind::Other;
    }
    match (
        name.ends_with(".yaml"),
        lower.ends_with(".yaml") || lower.ends_with(".yml"),
    ) {
        (true, _) => Kind::Policy,
        (false, true) => Kind::Misnamed,
        (false, false) => Kind::Other,
    }
}

fn unreadable(path: &Path, cause: &io::Error) -> Diagnostic {
    error(path, format!("cannot be read: {cause}"))
}

fn error(path: &Path, message: impl Into<String>) -> Diagnostic {
    Diagnostic::of_file(Severity::Error, &path.display().to_string(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_told_from_what_stands_beside_them() {
        for (name, expected) in [
            ("a.yaml", Kind::Policy),
            ("a.b.yaml", Kind::Policy),
            ("a.inc.yaml", Kind::Policy),
            ("a.cases.yaml", Kind::Other),
            (".a.yaml", Kind::Other),
            (".#a.yaml", Kind::Other),
            ("..data", Kind::Other),
            ("a.yaml~", Kind::Other),
            ("a.yaml.swp", Kind::Other),
            ("README.md", Kind::Other),
            ("a.yml", Kind::Misnamed),
            ("a.YAML", Kind::Misnamed),
            ("a.cases.yml", Kind::Other),
        ] {
            assert_eq!(kind(OsStr::new(name)), expected, "{name}");
        }
    }

    #[test]
    fn cases_stand_beside_their_policy() {
        let cases = cases_beside(Path::new("/p/openai.v2.yaml"));
        assert_eq!(cases, Path::new("/p/openai.v2.cases.yaml"));
    }
}
