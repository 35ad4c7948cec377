//! The vendors' own SDKs, which `cargo xtask test` installs in `target/sdks`. Without them a test says so and passes.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What is installed there under this name.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3)?;
    let path = root.join("target/sdks").join(name);
    path.exists().then_some(path).or_else(|| missing(name))
}

/// A Python that has all of them.
pub(crate) fn python() -> Option<Command> {
    let name = "venv/bin/python";
    let python = installed(name)?;
    let works = Command::new(&python)
        .args(["-c", "import openai, anthropic, google.genai"])
        .output()
        .is_ok_and(|output| output.status.success());
    works
        .then(|| Command::new(python))
        .or_else(|| missing(name))
}

#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn missing<T>(name: &str) -> Option<T> {
    eprintln!("skipped: no `target/sdks/{name}` with the SDKs");
    None
}

/// What a script says, which runs to its end.
pub(crate) fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{complaint}");
    said
}

/// A script of the tests.
pub(crate) fn script(place: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(place)
}
