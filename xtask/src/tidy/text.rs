//! What no file may say: where it was written, and promises without a number.

use std::env;
use std::path::Path;

use super::Source;

pub(super) fn check(root: &Path, sources: &[Source]) -> Vec<String> {
    let foreign = places(root);
    sources
        .iter()
        .flat_map(|source| findings(source, &foreign))
        .collect()
}

/// Paths of the machine this runs on; a file that has one was not written for others. Short ones would be found in
/// innocent text.
fn places(root: &Path) -> Vec<String> {
    let cargo_home = env::var("CARGO_HOME").ok();
    let home = env::var("HOME").ok().map(|home| format!("{home}/.cargo"));
    let root = root.to_str().map(str::to_owned);
    [root, cargo_home, home]
        .into_iter()
        .flatten()
        .filter(|place| place.matches('/').count() > 1)
        .collect()
}

fn findings(source: &Source, foreign: &[String]) -> Vec<String> {
    let path = source.path.display();
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let number = index + 1;
        if let Some(place) = foreign.iter().find(|place| line.contains(place.as_str())) {
            findings.push(format!(
                "{path}:{number}: `{place}` exists on this machine only"
            ));
        }
        if source.is_rust() && line.trim_start().starts_with("//") && is_bare_promise(line) {
            findings.push(format!(
                "{path}:{number}: a to-do carries the number of its issue: `TODO(#1)`"
            ));
        }
    }
    findings
}

fn is_bare_promise(line: &str) -> bool {
    let promise = line.find("TODO").or_else(|| line.find("FIXME"));
    promise.is_some_and(|at| !line[at..].contains('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("a.rs", text)
    }

    #[test]
    fn places_of_this_machine_are_found() {
        let foreign = ["/somewhere/tree".to_owned()];
        assert_eq!(
            findings(&source("let x = \"/somewhere/tree/x\";"), &foreign).len(),
            1
        );
        assert_eq!(
            findings(&source("let x = \"/elsewhere\";"), &foreign),
            Vec::<String>::new()
        );
    }

    #[test]
    fn promises_need_a_number() {
        let bare = ["// TO", "DO: later"].concat();
        assert_eq!(findings(&source(&bare), &[]).len(), 1);
        let numbered = ["// TO", "DO(#12): later"].concat();
        assert_eq!(findings(&source(&numbered), &[]), Vec::<String>::new());
    }
}
