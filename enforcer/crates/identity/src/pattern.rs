//! Labels that the configuration gives: a pattern over cgroups' paths or systemd's units, and the policy for what it matches.

use globset::{GlobBuilder, GlobMatcher};

use crate::Label;

/// Which cgroups, and how they are labelled. The first that matches counts.
#[derive(Clone, Debug)]
pub struct Pattern {
    matcher: Matcher,
    label: Label,
}

/// A pattern that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// A pattern over paths must say where it starts.
    #[error("a cgroup's pattern starts with `/`, as paths in /proc/PID/cgroup do")]
    NotFromTheRoot,
    /// The pattern matches every cgroup, the enforcer's own among them.
    #[error("it matches the root of the hierarchy")]
    Root,
    /// A unit has no slash.
    #[error("a unit has no `/`; for paths there is `cgroup`")]
    Slash,
    /// The pattern is none.
    #[error(transparent)]
    Glob(#[from] globset::Error),
}

#[derive(Clone, Debug)]
enum Matcher {
    Path(GlobMatcher),
    Unit(GlobMatcher),
}

// === impl Pattern ===

impl Pattern {
    /// Cgroups by their path below the mount: `*` and `?` stay within one name, `**` does not.
    ///
    /// # Errors
    /// When it is no pattern, or would match the root.
    pub fn of_cgroups(pattern: &str, label: Label) -> Result<Self, PatternError> {
        if !pattern.starts_with('/') {
            return Err(PatternError::NotFromTheRoot);
        }
        let matcher = glob(pattern)?;
        if matcher.is_match("/") {
            return Err(PatternError::Root);
        }
        Ok(Self {
            matcher: Matcher::Path(matcher),
            label,
        })
    }

    /// The cgroups of systemd's units, wherever they stand: `agent@*.service`, `agents.slice`.
    ///
    /// # Errors
    /// When it is no pattern.
    pub fn of_units(pattern: &str, label: Label) -> Result<Self, PatternError> {
        if pattern.contains('/') {
            return Err(PatternError::Slash);
        }
        Ok(Self {
            matcher: Matcher::Unit(glob(pattern)?),
            label,
        })
    }

    /// The label of a cgroup with this path, if the pattern is about it.
    #[must_use]
    pub fn label_of(&self, path: &str) -> Option<&Label> {
        let Self { matcher, label } = self;
        let matches = match matcher {
            Matcher::Path(matcher) => matcher.is_match(path),
            Matcher::Unit(matcher) => path.rsplit('/').next().is_some_and(|name| {
                // systemd puts an underscore before names that version 1 uses itself.
                matcher.is_match(name.strip_prefix('_').unwrap_or(name))
            }),
        };
        matches.then_some(label)
    }
}

fn glob(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build()?;
    Ok(glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label() -> Label {
        Label::new(Some("agents")).unwrap()
    }

    #[test]
    fn paths_match_whole_and_names_by_parts() {
        let rows = [
            ("/agents/*", "/agents/a", true),
            ("/agents/*", "/agents", false),
            ("/agents/*", "/agents/a/b", false),
            ("/agents/**", "/agents/a/b", true),
            ("/a?ents", "/agents", true),
            ("/agents", "/agents2", false),
            ("/*.slice/run-*", "/user.slice/run-7", true),
        ];
        for (pattern, path, matches) in rows {
            let pattern = Pattern::of_cgroups(pattern, label()).unwrap();
            assert_eq!(pattern.label_of(path).is_some(), matches, "{path}");
        }
    }

    #[test]
    fn units_match_by_name_wherever_they_stand() {
        let pattern = Pattern::of_units("agent@*.service", label()).unwrap();
        assert!(pattern.label_of("/system.slice/agent@7.service").is_some());
        assert!(pattern.label_of("/x/_agent@7.service").is_some());
        assert!(pattern.label_of("/agent@7.service/below").is_none());
        assert!(pattern.label_of("/agent.service").is_none());
    }

    #[test]
    fn what_would_match_everything_is_no_pattern() {
        for pattern in ["/", "/**", "agents/*", "/a[", ""] {
            assert!(Pattern::of_cgroups(pattern, label()).is_err(), "{pattern}");
        }
        assert!(Pattern::of_units("a/b", label()).is_err());
    }
}
