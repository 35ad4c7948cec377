//! Webhooks of which the URL is the secret: agents post to a path that the operator chose, and the enforcer to the real one.

use std::collections::HashMap;

use enforcer_flow::{Host, Secret};

use crate::Secrets;

#[cfg(test)]
mod tests;

/// The registered webhooks of one configuration.
#[derive(Debug, Default)]
pub struct Hooks {
    by_host: HashMap<Host, Vec<Hook>>,
}

/// A webhook, as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The host that receives it.
    pub host: Host,
    /// The path that agents post to.
    pub path: String,
    /// The name of the secret: the real path, or the whole URL.
    pub secret: String,
}

#[derive(Debug)]
struct Hook {
    path: String,
    real: Secret<String>,
}

/// Why a webhook cannot be served. Never says what the secret is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// No secret of that name.
    #[error("the webhook `{host}{path}` wants the secret `{secret}`, which is not among `secrets`")]
    NoSecret {
        /// The host.
        host: Host,
        /// The path.
        path: String,
        /// The secret's name.
        secret: String,
    },
    /// The secret is neither a path nor an URL of the same host.
    #[error(
        "the webhook `{host}{path}` wants the secret `{secret}` to be a path, or an https URL of that host"
    )]
    NotItsUrl {
        /// The host.
        host: Host,
        /// The path.
        path: String,
        /// The secret's name.
        secret: String,
    },
}

// === impl Hooks ===

impl Hooks {
    /// Looks up the secret of each webhook.
    ///
    /// # Errors
    /// With the first that cannot be served.
    pub fn new(registered: &[Registered], secrets: &Secrets) -> Result<Self, HookError> {
        let mut by_host: HashMap<Host, Vec<Hook>> = HashMap::new();
        for Registered { host, path, secret } in registered {
            let value = secrets.of(secret).ok_or_else(|| HookError::NoSecret {
                host: host.clone(),
                path: path.clone(),
                secret: secret.clone(),
            })?;
            let real = real_path(host, value.expose()).ok_or_else(|| HookError::NotItsUrl {
                host: host.clone(),
                path: path.clone(),
                secret: secret.clone(),
            })?;
            by_host.entry(host.clone()).or_default().push(Hook {
                path: path.clone(),
                real,
            });
        }
        Ok(Self { by_host })
    }

    /// Whether any webhook of this host is registered.
    #[must_use]
    pub fn has(&self, host: &Host) -> bool {
        self.by_host.contains_key(host)
    }

    /// The real path, with its query, of what an agent posts to.
    #[must_use]
    pub fn real(&self, host: &Host, path: &str) -> Option<&Secret<String>> {
        let hooks = self.by_host.get(host)?;
        let hook = hooks.iter().find(|hook| hook.path == path)?;
        Some(&hook.real)
    }
}

fn real_path(host: &Host, secret: &[u8]) -> Option<Secret<String>> {
    let text = std::str::from_utf8(secret).ok()?;
    let path = match text.strip_prefix("https://") {
        None => text,
        Some(rest) => {
            let (named, _) = rest.split_once('/')?;
            let named = named.strip_suffix(":443").unwrap_or(named);
            if !host.matches(named) {
                return None;
            }
            rest.get(rest.find('/')?..)?
        }
    };
    let sound = path.starts_with('/')
        && path.bytes().all(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'\\')
        });
    sound.then(|| Secret::new(path.to_owned()))
}
