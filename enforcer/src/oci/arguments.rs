//! What an engine tells its runtime, as far as it must be understood: which command, for which container, from which bundle.
//! Everything is handed on as it came.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Options before the command that have no value.
const SWITCHES: [&str; 6] = [
    "--debug",
    "--systemd-cgroup",
    "--help",
    "-h",
    "--version",
    "-v",
];

/// Options of `exec` that have no value.
const EXEC_SWITCHES: [&str; 6] = [
    "--tty",
    "-t",
    "--detach",
    "-d",
    "--no-new-privs",
    "--ignore-paused",
];

/// What a runtime is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// To make a container.
    Create {
        /// What its engine calls it.
        id: String,
        /// Its bundle; the working directory where none is named.
        bundle: PathBuf,
    },
    /// To run a further process in a container.
    Exec {
        /// The file that describes it; without one the process is described by the container.
        process: Option<PathBuf>,
    },
    /// Anything else: nothing that begins.
    Other,
}

/// What is asked, and where the runtime is told to write its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// What is asked.
    pub asked: Asked,
    /// Where the engine reads why it was not done.
    pub log: Option<PathBuf>,
}

/// The arguments cannot be told apart.
#[derive(Debug, thiserror::Error)]
#[error("the runtime is asked for something that is not understood: {0}")]
pub(crate) struct NotUnderstood(&'static str);

// === impl Arguments ===

impl Arguments {
    /// Reads them, without the program's name.
    pub(crate) fn read(arguments: &[OsString]) -> Result<Self, NotUnderstood> {
        let mut log = None;
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let text = argument.to_str().ok_or(NotUnderstood("it is not text"))?;
            if !text.starts_with('-') {
                let asked = Asked::read(text, rest.as_slice())?;
                return Ok(Self { asked, log });
            }
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(OsStr::new(value))),
                None if SWITCHES.contains(&text) => (text, None),
                None => (text, rest.next().map(OsString::as_os_str)),
            };
            if name == "--log" {
                log = value.map(PathBuf::from);
            }
        }
        Ok(Self {
            asked: Asked::Other,
            log,
        })
    }
}

impl Asked {
    fn read(command: &str, rest: &[OsString]) -> Result<Self, NotUnderstood> {
        match command {
            "create" | "run" | "restore" => {
                let last = rest.last().and_then(|last| last.to_str());
                let id = last.filter(|id| !id.is_empty() && !id.starts_with('-'));
                Ok(Self::Create {
                    id: id
                        .ok_or(NotUnderstood("the container has no id"))?
                        .to_owned(),
                    bundle: option(rest, &["--bundle", "-b"]).unwrap_or_else(|| ".".into()),
                })
            }
            "exec" => Ok(Self::Exec {
                process: option(options_of_exec(rest), &["--process", "-p"]),
            }),
            _ => Ok(Self::Other),
        }
    }
}

/// What comes before the container's id: the words after it are the process's own.
fn options_of_exec(arguments: &[OsString]) -> &[OsString] {
    let mut end = 0;
    while let Some(text) = arguments.get(end).and_then(|argument| argument.to_str()) {
        if !text.starts_with('-') {
            break;
        }
        let is_whole = text.contains('=') || EXEC_SWITCHES.contains(&text);
        end += if is_whole { 1 } else { 2 };
    }
    arguments.get(..end).unwrap_or(arguments)
}

/// The value of an option, the last one if it is given more than once.
fn option(arguments: &[OsString], names: &[&str]) -> Option<PathBuf> {
    let mut found = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(text) = argument.to_str() else {
            continue;
        };
        if names.contains(&text) {
            found = rest.next().map(PathBuf::from);
        } else if let Some((name, value)) = text.split_once('=')
            && names.contains(&name)
        {
            found = Some(value.into());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, NotUnderstood> {
        let words: Vec<OsString> = line.split_ascii_whitespace().map(Into::into).collect();
        Arguments::read(&words)
    }

    fn create(id: &str, bundle: &str) -> Asked {
        Asked::Create {
            id: id.to_owned(),
            bundle: bundle.into(),
        }
    }

    #[test]
    fn what_engines_say_is_understood() {
        let rows = [
            (
                "--root /r --log /l/log.json --log-format json create --bundle /b --pid-file /p abc",
                create("abc", "/b"),
                Some("/l/log.json"),
            ),
            (
                "--log=/l --systemd-cgroup create --bundle=/b abc",
                create("abc", "/b"),
                Some("/l"),
            ),
            ("create abc", create("abc", "."), None),
            ("run -b /b --detach abc", create("abc", "/b"), None),
            ("restore --bundle /b abc", create("abc", "/b"), None),
            (
                "--root /r exec --process /p/process.json --detach abc",
                Asked::Exec {
                    process: Some("/p/process.json".into()),
                },
                None,
            ),
            (
                "exec -d --tty --process=/p abc",
                Asked::Exec {
                    process: Some("/p".into()),
                },
                None,
            ),
            ("exec abc sh", Asked::Exec { process: None }, None),
            (
                "exec -t abc grep -p /p",
                Asked::Exec { process: None },
                None,
            ),
            ("--root create start abc", Asked::Other, None),
            ("--version", Asked::Other, None),
            ("features", Asked::Other, None),
            ("", Asked::Other, None),
        ];
        for (line, asked, log) in rows {
            let understood = read(line).unwrap();
            assert_eq!(understood.asked, asked, "{line}");
            assert_eq!(understood.log, log.map(PathBuf::from), "{line}");
        }
    }

    #[test]
    fn a_container_without_an_id_is_not_made() {
        for line in ["create", "create --bundle", "run --bundle=/b"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
