//! Source files that no module names: nobody compiles them, and nothing else notices.

use std::path::{Component, Path, PathBuf};

use super::Source;

/// What folders of samples are called.
const SAMPLES: &str = "corpus";

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    // Samples are read, not compiled.
    let is_sample = |source: &&Source| {
        source
            .path
            .components()
            .any(|part| part.as_os_str() == SAMPLES)
    };
    let rust = sources.iter().filter(|source| source.is_rust());
    let rust: Vec<&Source> = rust.filter(|source| !is_sample(source)).collect();
    let orphan = |source: &&&Source| {
        !is_root(&source.path, sources) && !rust.iter().any(|other| names(other, &source.path))
    };
    rust.iter()
        .filter(orphan)
        .map(|source| {
            format!(
                "{}: no module names it, so it is not compiled",
                source.path.display()
            )
        })
        .collect()
}

/// Whether cargo compiles it by its place: the roots of libraries, programs, tests, examples and benchmarks, and what a
/// manifest names.
fn is_root(path: &Path, sources: &[Source]) -> bool {
    let folder = path.parent().unwrap_or(Path::new(""));
    let file = path.file_name().unwrap_or_default();
    let is = |name: &str| folder.file_name().is_some_and(|own| own == name);
    let above = folder.parent().unwrap_or(Path::new(""));
    let has_manifest = |folder: &Path| {
        let manifest = folder.join("Cargo.toml");
        sources.iter().any(|source| source.path == manifest)
    };
    let targets = ["tests", "examples", "benches"];
    let of_package = has_manifest(folder) && file == "build.rs"
        || has_manifest(above)
            && (is("src") && (file == "lib.rs" || file == "main.rs")
                || targets.iter().any(|name| is(name)));
    let in_bin = is("bin") && above.file_name().is_some_and(|own| own == "src");
    // A folder of its own, for a test, an example or a program of several files.
    let several = file == "main.rs"
        && above
            .file_name()
            .is_some_and(|own| own == "bin" || targets.iter().any(|name| own == *name));
    of_package || in_bin || several || in_manifest(path, sources)
}

/// Whether a manifest above it names it as the root of a target.
fn in_manifest(path: &Path, sources: &[Source]) -> bool {
    path.ancestors().skip(1).any(|folder| {
        let manifest = folder.join("Cargo.toml");
        let relative = path.strip_prefix(folder).unwrap_or(path);
        let line = format!("path = \"{}\"", relative.display());
        sources
            .iter()
            .any(|source| source.path == manifest && source.text.contains(&line))
    })
}

/// Whether `source` has a module that is `path`: `mod name;` looked up beside it or in the folder of its name, or a path in
/// an attribute or a macro.
fn names(source: &Source, path: &Path) -> bool {
    let Some(folder) = source.path.parent() else {
        return false;
    };
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let Some(stem) = stem else { return false };
    let own = source.path.file_stem().unwrap_or_default();
    let places = [folder.to_owned(), folder.join(own)];
    let is_there = path
        .parent()
        .is_some_and(|at| places.iter().any(|place| place == at));
    let declares = |line: &str| {
        let words = line.trim().strip_suffix(';').unwrap_or_default();
        words.rsplit_once("mod ").is_some_and(|(before, name)| {
            name == stem && (before.is_empty() || before.starts_with("pub"))
        })
    };
    if is_there && source.text.lines().any(declares) {
        return true;
    }
    let included = |line: &str| {
        let is_path = line.trim_start().starts_with("#[path") || line.contains("include!(");
        let text = line.split('"').nth(1).filter(|_| is_path);
        text.is_some_and(|text| normal(&folder.join(text)) == path)
    };
    source.text.lines().any(included)
}

/// Without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            Component::Normal(_) | Component::Prefix(_) | Component::RootDir => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_no_module_names_are_found() {
        let mut tree = vec![
            Source::new("a/Cargo.toml", "[[bin]]\npath = \"odd/place.rs\"\n"),
            Source::new("a/build.rs", ""),
            Source::new("a/odd/place.rs", ""),
            Source::new(
                "a/src/lib.rs",
                "mod one;\npub(crate) mod two;\n#[path = \"../x.rs\"]\nmod y;",
            ),
            Source::new("a/src/one.rs", "mod inner;"),
            Source::new("a/src/one/inner.rs", ""),
            Source::new("a/src/two.rs", "#[cfg(test)]\nmod tests;"),
            Source::new("a/src/two/tests.rs", ""),
            Source::new("a/src/bin/tool.rs", ""),
            Source::new("a/tests/own.rs", ""),
            Source::new("a/tests/many/main.rs", "mod beside;"),
            Source::new("a/tests/many/beside.rs", ""),
            Source::new("a/x.rs", ""),
        ];
        assert_eq!(check(&tree), Vec::<String>::new());
        for lost in [
            "a/src/lost.rs",
            "a/src/one/lost.rs",
            "a/tests/many/lost.rs",
            "a/src/two/inner.rs",
        ] {
            tree.push(Source::new(lost, ""));
            let found = check(&tree);
            assert!(found.len() == 1 && found[0].starts_with(lost), "{found:?}");
            tree.pop();
        }
    }
}
