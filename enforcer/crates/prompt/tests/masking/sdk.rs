//! Masked answers are read by the vendors' own SDKs, and say the same to all of them.
//!
//! They are looked for in `target/sdks`, where `cargo xtask test` installs them. Without them a test says so and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder;

const PYTHON: &str = r#"chat 0 My number: <"SSN">, ok | None | length
chat call call_a store {"ssn":"<\"SSN\">","n":123}
chat call call_b look {"n":"123-
chat 1 Room 123-é and 9 | No <"SSN"> | stop
chat usage 14
completions {0: 'My number: <"SSN">, ok and 123', 1: 'x 5'}
responses Sée My number: <"SSN">, ok 4 | True | completed
responses summary About <"SSN"> and 7
responses citations [(0, 3), (24, 26)]
responses call call_a store {"ssn":"<\"SSN\">","k":"5"}
assistants ['My number: <"SSN">, ok file 3']
assistants step ['x = \'<"SSN">\' + \'7']
anthropic He said <"SSN"> and 8
anthropic My number: <"SSN">, ok so 99
anthropic {'ssn': '<"SSN">', 'n': 12}
anthropic {}
anthropic max_tokens 89
gemini.sse My number: <"SSN">, ok so 123-4 | [{'ssn': '<"SSN">', 'id': '<"SSN">'}] | STOP
chat.json It is <"SSN">, see 12
responses.json Sée My number: <"SSN">, ok 4
anthropic.json It is <"SSN">, 12 {'ssn': '<"SSN">', 'id': '<"SSN">', 'n': 12}
gemini-whole.json It is <"SSN">, 12
"#;

const NODE: &str = r#"chat 0 My number: <"SSN">, ok | null | length
chat call call_a store {"ssn":"<\"SSN\">","n":123}
chat call call_b look {"n":"123-
chat 1 Room 123-é and 9 | No <"SSN"> | stop
completions {"0":"My number: <\"SSN\">, ok and 123","1":"x 5"}
responses Sée My number: <"SSN">, ok 4 | true | completed
assistants My number: <"SSN">, ok file 3
"#;

fn sdks() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    Some(root.join("target/sdks"))
}

fn script(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/masking");
    tests.join(name)
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_python_sdks_read_masked_answers() {
    let python = sdks().map(|sdks| sdks.join("venv/bin/python"));
    let works = |python: &PathBuf| {
        let import = ["-c", "import openai, anthropic, google.genai"];
        let output = Command::new(python).args(import).output();
        output.is_ok_and(|output| output.status.success())
    };
    let Some(python) = python.filter(works) else {
        eprintln!("skipped: no Python with the SDKs at target/sdks/venv");
        return;
    };
    let mut command = Command::new(python);
    command
        .arg(script("accept.py"))
        .arg(folder().join("masked"));
    assert_eq!(said(&mut command), PYTHON);
}

#[test]
fn the_node_sdk_reads_masked_answers() {
    let modules = sdks().map(|sdks| sdks.join("node_modules"));
    let Some(modules) = modules.filter(|modules| modules.join("openai").is_dir()) else {
        eprintln!("skipped: no SDK for Node at target/sdks/node_modules");
        return;
    };
    let mut command = Command::new("node");
    command
        .arg(script("accept.mjs"))
        .arg(folder().join("masked"))
        .arg(modules);
    assert_eq!(said(&mut command), NODE);
}
