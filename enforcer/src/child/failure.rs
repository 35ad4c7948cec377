//! Why a command did not start, told apart as shells tell it: not there, not executable, or not its own fault.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use enforcer_kernel::confine::Step;
use rustix::fs::Access;
use rustix::io::Errno;

/// Where execvp(3) looks when `PATH` is not set.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// The exit code of a supervisor that failed itself, as env(1) and timeout(1) have it.
const OWN_FAULT: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// A command was not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChildError {
    /// It is there, but the kernel does not run it.
    #[error("the command `{}` cannot be executed: {source}", program.display())]
    NotExecutable {
        /// As it was typed.
        program: OsString,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is nowhere.
    #[error("the command `{}` was not found", program.display())]
    NotFound {
        /// As it was typed.
        program: OsString,
    },
    /// No process, or not in its place.
    #[error("the command `{}` cannot be started: {}: {source}", program.display(), step.map_or("no process can be made", Step::describe))]
    Start {
        /// As it was typed.
        program: OsString,
        /// How far its process came.
        step: Option<Step>,
        /// What the system said.
        source: io::Error,
    },
    /// Signals or the process cannot be watched.
    #[error("the command cannot be supervised: {0}")]
    Watch(#[source] io::Error),
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Executable,
    Nothing,
    Other,
}

// === impl ChildError ===

impl ChildError {
    /// What shells exit with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Self::NotExecutable { .. } => NOT_EXECUTABLE,
            Self::NotFound { .. } => NOT_FOUND,
            Self::Start { .. } | Self::Watch(_) => OWN_FAULT,
        }
    }
}

/// Finds out what an error of `spawn` means; it may also come from what was to be done before execve(2).
pub(super) fn diagnose(command: &Command, source: io::Error, step: Option<Step>) -> ChildError {
    let program = command.get_program().to_owned();
    // The last step before execve(2), and the only one that can fail without a reason to be told.
    if step.is_some_and(|step| step != Step::Parent) {
        return ChildError::Start {
            program,
            step,
            source,
        };
    }
    let errno = Errno::from_io_error(&source);
    match (errno, find(command)) {
        (Some(Errno::NOENT), Found::Nothing) => ChildError::NotFound { program },
        // A script whose interpreter is missing has these too.
        (Some(Errno::NOENT | Errno::ACCESS), _)
        | (Some(Errno::NOEXEC | Errno::TXTBSY | Errno::TOOBIG | Errno::LOOP | Errno::NOTDIR), _)
        | (Some(Errno::NAMETOOLONG | Errno::ISDIR), _) => {
            ChildError::NotExecutable { program, source }
        }
        (Some(_) | None, _) => ChildError::Start {
            program,
            step,
            source,
        },
    }
}

/// Looks where execvp(3) looks.
fn find(command: &Command) -> Found {
    let program = command.get_program();
    let base = command.get_current_dir().unwrap_or(Path::new(""));
    if program.as_bytes().contains(&b'/') {
        return look_at(&base.join(program));
    }
    let path = search_path(command);
    let places = std::env::split_paths(&path).map(|dir| look_at(&base.join(dir).join(program)));
    places
        .filter(|found| *found != Found::Nothing)
        .max_by_key(|found| *found == Found::Executable)
        .unwrap_or(Found::Nothing)
}

fn look_at(path: &PathBuf) -> Found {
    let Ok(metadata) = std::fs::metadata(path) else {
        return Found::Nothing;
    };
    if metadata.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok() {
        Found::Executable
    } else {
        Found::Other
    }
}

fn search_path(command: &Command) -> OsString {
    let changed = command
        .get_envs()
        .find(|(name, _)| *name == OsStr::new("PATH"))
        .map(|(_, value)| value.map(OsStr::to_owned));
    changed
        .unwrap_or_else(|| std::env::var_os("PATH"))
        .unwrap_or_else(|| DEFAULT_PATH.into())
}
