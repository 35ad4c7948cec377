//! Masked answers are read by the vendors' own SDKs, and say the same to all of them.

use std::process::Command;

use super::folder;
use super::sdks::{installed, python, said, script};

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

#[test]
fn the_python_sdks_read_masked_answers() {
    let Some(mut command) = python() else {
        return;
    };
    command
        .arg(script("masking/accept.py"))
        .arg(folder().join("masked"));
    assert_eq!(said(&mut command), PYTHON);
}

#[test]
fn the_node_sdk_reads_masked_answers() {
    let Some(sdk) = installed("node_modules/openai") else {
        return;
    };
    let mut command = Command::new("node");
    command
        .arg(script("masking/accept.mjs"))
        .arg(folder().join("masked"))
        .arg(sdk.parent().unwrap());
    assert_eq!(said(&mut command), NODE);
}
