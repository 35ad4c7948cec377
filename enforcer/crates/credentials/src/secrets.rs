//! Secrets by name, each from a file or from the daemon's environment.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use enforcer_flow::Secret;
use zeroize::Zeroize as _;

#[cfg(test)]
mod tests;

/// The longest secret: keys, tokens and URLs are far shorter, and what is longer is another file by mistake.
const MAX_LENGTH: usize = 64 * 1024;

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A variable of the daemon's own environment.
    Environment(String),
    /// A file that only its owner may read. One line feed at its end is not part of the secret.
    File(PathBuf),
}

/// The secrets of one configuration. They stay in memory until the daemon ends.
#[derive(Debug, Default)]
pub struct Secrets {
    values: HashMap<Box<str>, Secret<Vec<u8>>>,
}

/// Why a secret cannot be had. Names the place, never the content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// There is nothing in it.
    #[error("the secret `{name}` is empty")]
    Empty {
        /// Which.
        name: String,
    },
    /// It is longer than any secret.
    #[error("the secret `{name}` is longer than {MAX_LENGTH} bytes")]
    Length {
        /// Which.
        name: String,
    },
    /// Others than its owner may read or write the file.
    #[error("the secret `{name}` is in `{}`, which others than its owner can read or write (mode {mode:o}); chmod it to 600", path.display())]
    Mode {
        /// Which.
        name: String,
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The variable is not set.
    #[error("the secret `{name}` is in the environment variable `{variable}`, which is not set")]
    Unset {
        /// Which.
        name: String,
        /// The variable.
        variable: String,
    },
    /// The file cannot be read.
    #[error("the secret `{name}` cannot be read from `{}`: {source}", path.display())]
    Unreadable {
        /// Which.
        name: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

// === impl Secrets ===

impl Secrets {
    /// Reads every secret; `variable` is asked for those of the environment.
    ///
    /// # Errors
    /// With the first that cannot be had.
    pub fn load<'s>(
        sources: impl IntoIterator<Item = (&'s str, &'s Source)>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, SecretError> {
        let mut values = HashMap::new();
        for (name, source) in sources {
            let value = match source {
                Source::Environment(key) => match variable(key) {
                    Some(value) => value.into_vec(),
                    None => {
                        return Err(SecretError::Unset {
                            name: name.to_owned(),
                            variable: key.clone(),
                        });
                    }
                },
                Source::File(path) => read(name, path)?,
            };
            values.insert(name.into(), judge(name, value)?);
        }
        Ok(Self { values })
    }

    /// The secret of this name.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Secret<Vec<u8>>> {
        self.values.get(name)
    }
}

fn read(name: &str, path: &Path) -> Result<Vec<u8>, SecretError> {
    let unreadable = |source| SecretError::Unreadable {
        name: name.to_owned(),
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SecretError::Mode {
            name: name.to_owned(),
            path: path.to_owned(),
            mode,
        });
    }
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut value = Vec::with_capacity(MAX_LENGTH + 1);
    let read = file.take(MAX_LENGTH as u64 + 1).read_to_end(&mut value);
    if let Err(source) = read {
        value.zeroize();
        return Err(unreadable(source));
    }
    if value.last() == Some(&b'\n') {
        value.pop();
    }
    Ok(value)
}

fn judge(name: &str, mut value: Vec<u8>) -> Result<Secret<Vec<u8>>, SecretError> {
    let name = name.to_owned();
    if value.is_empty() {
        return Err(SecretError::Empty { name });
    }
    if value.len() > MAX_LENGTH {
        value.zeroize();
        return Err(SecretError::Length { name });
    }
    Ok(Secret::new(value))
}
