//! Paths as the ledger has them where no rule's mask looked through them: without the secrets that show in them.

use std::sync::Arc;

use enforcer_mask::{
    Action, Confidence, Direction, Keys, Place, Rule, Ruleset, Session, Settings, VaultLimits, What,
};

use super::Ask;

/// What stands where nothing may be written.
const WITHHELD: &str = "[WITHHELD]";

/// Every detector of secrets.
pub(super) struct Shown {
    /// None if there were none, and then no path is written.
    rules: Option<Arc<Ruleset>>,
    session: Arc<Session>,
}

// === impl Ask ===

impl<'a> Ask<'a> {
    /// As it may be written.
    pub(super) fn shown(self, path: Option<&'a str>) -> Self {
        Self {
            shown_path: path,
            ..self
        }
    }
}

// === impl Shown ===

impl Default for Shown {
    fn default() -> Self {
        let rule = Rule {
            id: "ledger".to_owned(),
            what: vec![What::Named("secret".to_owned())],
            action: Action::Redact,
            direction: Some(Direction::Request),
            least: Confidence::Medium,
        };
        let rules = Ruleset::new(&[rule], Settings::default());
        // What is redacted depends on no key, and nothing is put behind a token.
        let session = Session::new(&Keys::new(&[0; 32]), "", VaultLimits::default());
        Self {
            rules: rules.ok().map(Arc::new),
            session: Arc::new(session),
        }
    }
}

impl Shown {
    /// The path of what is asked for, if it has one.
    pub(super) fn path(&self, ask: &Ask<'_>) -> Option<String> {
        let path = ask.request.map(|request| request.path);
        let path = ask.shown_path.or(path)?;
        let Some(rules) = &self.rules else {
            return Some(WITHHELD.to_owned());
        };
        let place = Place {
            direction: Direction::Request,
            field: None,
            path: "path",
        };
        Some(rules.shown(&self.session, place, path).into_inner())
    }
}
