//! The documents' chores: every `cargo` command that they show is one that this tree understands. What they show of the
//! enforcer itself is run by `tests/tests/docs.rs`.

#![cfg(test)]

use std::fs;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::{Arguments, workspace};

const DOCUMENTS: [&str; 4] = [
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
];

#[test]
fn every_chore_that_is_shown_exists() {
    let mut shown = 0;
    for name in DOCUMENTS {
        let text = fs::read_to_string(workspace().join(name)).unwrap();
        for command in chores(&text) {
            let words = command.split_whitespace().skip(2);
            let parsed = Arguments::try_parse_from(["cargo xtask"].into_iter().chain(words));
            // Help that is asked for is given by way of an error.
            let wrong = parsed
                .err()
                .filter(|error| error.kind() != ErrorKind::DisplayHelp);
            assert!(wrong.is_none(), "{name}: `{command}`: {wrong:?}");
            shown += 1;
        }
    }
    assert!(shown > 0);
}

#[test]
fn every_package_that_is_shown_exists() {
    let manifest = fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    for name in DOCUMENTS {
        let text = fs::read_to_string(workspace().join(name)).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        for named in words
            .windows(4)
            .filter(|words| words[0].ends_with("cargo") && words[2] == "-p")
        {
            let package = named[3].trim_end_matches(['`', ',', '.']);
            let is_ours = manifest.contains(&format!("\n{package} = {{ path"));
            assert!(is_ours, "{name}: {package}");
        }
    }
}

#[test]
fn chores_are_found_in_blocks_and_in_running_text() {
    let text =
        "Do `cargo xtask tidy`\nor\n```sh\ncargo xtask test --fast   # quick\n```\n`cargo test`\n";
    assert_eq!(
        chores(text),
        ["cargo xtask test --fast", "cargo xtask tidy"]
    );
}

/// Commands that begin with `cargo xtask`: lines of blocks without their comments, and code in running text.
fn chores(text: &str) -> Vec<&str> {
    let blocks = text.split("```").skip(1).step_by(2);
    let lines = blocks
        .flat_map(str::lines)
        .map(|line| line.split_once('#').map_or(line, |(command, _)| command));
    let running = text.split("```").step_by(2);
    let spans = running.flat_map(|part| part.split('`').skip(1).step_by(2));
    let commands = lines.chain(spans).map(str::trim);
    commands
        .filter(|command| command.starts_with("cargo xtask "))
        .collect()
}
