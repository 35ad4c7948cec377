//! ARCHITECTURE.md states invariants; each names the test that holds it, and the test exists.
//!
//! An invariant is an item of a list, or a line of a table, in the section whose heading begins with "Invariants". The
//! test's name stands in it between backticks.

use std::collections::BTreeSet;

use super::Source;

const DOCUMENT: &str = "ARCHITECTURE.md";

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let Some(document) = sources
        .iter()
        .find(|source| source.path.as_os_str() == DOCUMENT)
    else {
        return vec![format!("{DOCUMENT}: is missing")];
    };
    let tests: BTreeSet<&str> = sources
        .iter()
        .filter(|source| source.is_rust())
        .flat_map(|source| tests_in(&source.text))
        .collect();
    let invariants = invariants_in(&document.text);
    if invariants.is_empty() {
        return vec![format!("{DOCUMENT}: states no invariants")];
    }
    invariants
        .iter()
        .flat_map(|(line, text)| judge(*line, text, &tests))
        .collect()
}

fn judge(line: usize, text: &str, tests: &BTreeSet<&str>) -> Vec<String> {
    let named: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| is_test_name(word))
        .collect();
    if named.is_empty() {
        return vec![format!(
            "{DOCUMENT}:{line}: an invariant names the test that holds it"
        )];
    }
    let missing = named.into_iter().filter(|name| !tests.contains(name));
    missing
        .map(|name| format!("{DOCUMENT}:{line}: there is no test `{name}`"))
        .collect()
}

/// A sentence in snake case, as test names are; one or two words are more likely a function's or a module's.
fn is_test_name(word: &str) -> bool {
    let plain = word
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    plain && word.matches('_').count() >= 2
}

/// The items with the numbers of their first lines; an item goes on over indented lines.
fn invariants_in(text: &str) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            inside = line
                .trim_start_matches('#')
                .trim()
                .starts_with("Invariants");
        } else if inside && starts_item(line) {
            items.push((index + 1, line.to_owned()));
        } else if inside
            && line.starts_with(' ')
            && let Some((_, item)) = items.last_mut()
        {
            item.push(' ');
            item.push_str(line);
        }
    }
    items
}

/// A bullet, a number, or a table's line that is not its head or rule.
fn starts_item(line: &str) -> bool {
    let numbered = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let table = line.starts_with('|') && line.contains('`');
    table || line.starts_with("- ") || (numbered.len() < line.len() && numbered.starts_with(". "))
}

/// Names of functions that a test attribute marks.
fn tests_in(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            let attribute = line
                .trim_start_matches("#[")
                .split(['(', ']'])
                .next()
                .unwrap_or_default();
            marked |= attribute == "test" || attribute.ends_with("::test");
        } else if marked {
            let signature = line.trim_start_matches("async ");
            if let Some(rest) = signature.strip_prefix("fn ") {
                names.extend(rest.split(['(', '<']).next());
            }
            marked = false;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(document: &str, code: &str) -> Vec<Source> {
        vec![
            Source::new(DOCUMENT, document),
            Source::new("a/src/lib.rs", code),
        ]
    }

    const CODE: &str = "#[test]\nfn deny_wins_over_allow() {}\n#[tokio::test(start_paused = true)]\n#[ignore]\nasync fn no_byte_before_evidence() {}\nfn not_a_test_at_all() {}\n";

    #[test]
    fn named_tests_are_looked_for() {
        let good = "# A\n## Invariants, each with its test\n- Deny wins. `deny_wins_over_allow`\n1. Evidence first:\n   `no_byte_before_evidence`\n## Else\n- free\n";
        assert_eq!(check(&sources(good, CODE)), Vec::<String>::new());
        let missing = "## Invariants\n- x `not_a_test_at_all`\n| y | `deny_wins_over_nothing` |\n";
        assert_eq!(check(&sources(missing, CODE)).len(), 2);
    }

    #[test]
    fn an_invariant_without_a_test_is_found() {
        assert_eq!(
            check(&sources("## Invariants\n- never, says `Permit`\n", CODE)).len(),
            1
        );
        assert_eq!(check(&sources("## Invariants\n", CODE)).len(), 1);
        assert_eq!(check(&[]).len(), 1);
    }
}
