//! For whom a workload works, as its operator says. Nobody has logged in for it.

use std::sync::Arc;

/// Longest name of a person or group.
const MAX_NAME: usize = 256;
/// Most groups of one person.
const MAX_GROUPS: usize = 64;
/// Stands for what was said and cannot be read; no rule and no limit knows anybody of this name.
const UNREADABLE: &str = "(unreadable principal)";

/// A person or an account, and the groups it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    name: Arc<str>,
    groups: Arc<[Arc<str>]>,
}

/// A text that can name nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// It is empty, too long, or has control characters or commas in it.
    #[error(
        "`{}` is no name: 1 to {MAX_NAME} bytes without control characters, commas and spaces around it are expected",
        .0.escape_debug()
    )]
    Name(String),
    /// Nobody is in so many.
    #[error("more than {MAX_GROUPS} groups")]
    TooMany,
}

// === impl Principal ===

impl Principal {
    /// Somebody of this name in these groups.
    ///
    /// # Errors
    /// When one of the texts can name nobody.
    pub fn new<'t>(
        name: &str,
        groups: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, PrincipalError> {
        let groups: Vec<Arc<str>> = groups.into_iter().map(checked).collect::<Result<_, _>>()?;
        if groups.len() > MAX_GROUPS {
            return Err(PrincipalError::TooMany);
        }
        Ok(Self {
            name: checked(name)?,
            groups: groups.into(),
        })
    }

    /// What two labels say: a name, and groups with commas between them. None when they say nothing. What cannot be read is
    /// somebody whom nothing allows.
    #[must_use]
    pub fn of_labels(name: Option<&str>, groups: Option<&str>) -> Option<Self> {
        let unreadable = || Self {
            name: UNREADABLE.into(),
            groups: Arc::default(),
        };
        let listed = groups.unwrap_or_default().split(',').map(str::trim);
        let listed = listed.filter(|group| !group.is_empty());
        match name {
            None if groups.is_none() => None,
            None => Some(unreadable()),
            Some(name) => Some(Self::new(name.trim(), listed).unwrap_or_else(|_| unreadable())),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its groups.
    #[must_use]
    pub fn groups(&self) -> &[Arc<str>] {
        &self.groups
    }
}

fn checked(name: &str) -> Result<Arc<str>, PrincipalError> {
    let is_plain = !name.chars().any(|one| one.is_control() || one == ',');
    if (1..=MAX_NAME).contains(&name.len()) && is_plain && name.trim() == name {
        Ok(name.into())
    } else {
        Err(PrincipalError::Name(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_name_somebody_nobody_or_what_cannot_be_read() {
        let read = |name, groups| {
            Principal::of_labels(name, groups).map(|own| {
                let groups = own.groups().join("+");
                format!("{}:{groups}", own.name())
            })
        };
        assert_eq!(read(None, None), None);
        assert_eq!(read(Some("ada"), None).unwrap(), "ada:");
        assert_eq!(read(Some(" ada "), Some("a, b,")).unwrap(), "ada:a+b");
        for (name, groups) in [(None, Some("a")), (Some(""), None), (Some("a\nb"), None)] {
            assert_eq!(read(name, groups).unwrap(), "(unreadable principal):");
        }
        let many = vec!["g"; 65].join(",");
        assert_eq!(
            read(Some("ada"), Some(&many)).unwrap(),
            "(unreadable principal):"
        );
    }

    #[test]
    fn a_name_is_one_line_without_commas() {
        assert!(Principal::new("ada@example.com", ["support", "EU staff"]).is_ok());
        for name in ["", " ada", "a,b", "a\u{7f}"] {
            assert!(Principal::new(name, []).is_err(), "{name}");
            assert!(Principal::new("ada", [name]).is_err(), "{name}");
        }
    }
}
