//! How long files may be and what they may be called.

use super::Source;

/// Lines of code a file may have: no blank lines, no comments, no tests.
const BUDGET: usize = 400;

/// Files that may be longer, how long, and why.
const LONGER: &[(&str, usize, &str)] = &[];

/// Names that say nothing: the noun is missing.
const NAMELESS: [&str; 9] = [
    "base", "common", "helper", "helpers", "manager", "misc", "types", "util", "utils",
];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let rust = sources.iter().filter(|source| source.is_rust());
    let mut findings: Vec<String> = rust
        .flat_map(|source| [budget(source), name(source)])
        .flatten()
        .collect();
    findings.extend(LONGER.iter().filter_map(|(path, allowed, _)| {
        let lines = sources
            .iter()
            .find(|source| source.path.as_os_str() == *path)
            .map(lines_of_code);
        match lines {
            Some(lines) if lines > BUDGET && lines <= *allowed => None,
            Some(_) | None => Some(format!(
                "{path}: the exception in xtask/src/tidy/files.rs does not fit any more"
            )),
        }
    }));
    findings
}

fn budget(source: &Source) -> Option<String> {
    let excepted = LONGER
        .iter()
        .any(|(path, ..)| source.path.as_os_str() == *path);
    let lines = lines_of_code(source);
    let too_long = !source.is_test() && !excepted && lines > BUDGET;
    too_long.then(|| {
        format!(
            "{}: {lines} lines of code, at most {BUDGET}: split it by meaning",
            source.path.display()
        )
    })
}

fn lines_of_code(source: &Source) -> usize {
    let lines = source.code().lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

fn name(source: &Source) -> Option<String> {
    let path = source.path.display();
    if source.path.file_name().is_some_and(|name| name == "mod.rs") {
        return Some(format!("{path}: `foo/mod.rs` is written `foo.rs`"));
    }
    let stem = source.path.file_stem()?.to_str()?;
    let folders = source
        .path
        .parent()?
        .components()
        .filter_map(|part| part.as_os_str().to_str());
    let nameless = folders.chain([stem]).find(|part| NAMELESS.contains(part))?;
    Some(format!("{path}: `{nameless}` names nothing; find the noun"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_counts() {
        let text = "//! Doc.\n\nfn one() {\n    // Why.\n}\n\n#[cfg(test)]\nmod tests {\n    fn two() {}\n}\n";
        assert_eq!(lines_of_code(&Source::new("a.rs", text)), 2);
    }

    #[test]
    fn long_files_are_found_unless_they_are_tests() {
        let text = "fn x() {}\n".repeat(BUDGET + 1);
        for path in ["a/src/lib.rs", "tests/src/agent.rs"] {
            assert_eq!(check(&[Source::new(path, &text)]).len(), 1, "{path}");
        }
        for path in [
            "a/tests/language/ask.rs",
            "tests/tests/harness.rs",
            "a/src/config/tests.rs",
        ] {
            assert_eq!(
                check(&[Source::new(path, &text)]),
                Vec::<String>::new(),
                "{path}"
            );
        }
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in ["a/src/util.rs", "a/src/helpers/x.rs", "a/src/x/mod.rs"] {
            assert_eq!(check(&[Source::new(path, "")]).len(), 1, "{path}");
        }
        assert_eq!(
            check(&[Source::new("enforcer-common/src/lib.rs", "")]),
            Vec::<String>::new()
        );
    }
}
