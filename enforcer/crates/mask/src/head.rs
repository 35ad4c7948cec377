//! Heads: what can leave in a path, a query, a header, a cookie or a host's name. Each is there as a whole.
//!
//! What is replaced is written as its place demands, everything else stays byte for byte. Where nothing can be put in
//! place of a value (a host's name, what frames a message) a finding refuses the exchange.
//!
//! Headers that exist to carry the agent's own credentials keep them: secrets in `authorization` and its like, and in
//! cookies, are what stands there on purpose, and whether they may go where they go is for rules about destinations. In
//! cookies everything else is looked for as anywhere; in `authorization` and its like only what is to be blocked counts. A
//! rule that names such a header decides about all of it.

mod cookie;
mod header;

use std::sync::Arc;

use crate::body::{Desk, Form, Machine, Respell, Spelled, Spelling, Trail};
use crate::{Direction, Finding, Ruleset, Session, Stop};

/// Looks at the head of one message, place by place.
///
/// ```
/// # use std::sync::Arc;
/// # use enforcer_mask::{Action, Confidence, Direction, Keys, Rule, Ruleset, Session, Settings, Stop, What};
/// use enforcer_mask::head::Head;
/// # let rule = Rule {
/// #     id: "users".to_owned(),
/// #     what: vec![What::Field("user".to_owned()), What::Header("x-user".to_owned())],
/// #     action: Action::Redact,
/// #     direction: None,
/// #     least: Confidence::Medium,
/// # };
/// # let rules = Arc::new(Ruleset::new(&[rule], Settings::default()).expect("the rules are right"));
/// # let session = Arc::new(Session::new(&Keys::new(&[7; 32]), "tenant", Default::default()));
///
/// let mut head = Head::new(&rules, &session, Direction::Request);
/// let target = head.target("/find?q=%41&user=ada")?;
/// assert_eq!(target.as_deref(), Some("/find?q=%41&user=%5BUSER%5D"));
/// assert_eq!(head.header("accept", b"*/*")?, None);
/// assert_eq!(head.take_findings().len(), 1);
/// # Ok::<(), Stop>(())
/// ```
#[derive(Debug)]
pub struct Head {
    desk: Desk,
}

impl Head {
    /// For a message that goes this way.
    #[must_use]
    pub fn new(rules: &Arc<Ruleset>, session: &Arc<Session>, direction: Direction) -> Self {
        Self {
            desk: Desk::new(rules, session, direction, Trail::new("head")),
        }
    }

    /// Looks at a path and its query; none is returned where nothing changes.
    ///
    /// # Errors
    ///
    /// When the message must not go on.
    pub fn target(&mut self, target: &str) -> Result<Option<String>, Stop> {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let mut out = Vec::with_capacity(target.len());
        self.path(path, &mut out)?;
        if let Some(query) = query {
            out.push(b'?');
            self.desk.trail = Trail::new("query:");
            let mut form = Form::default();
            form.push(query.as_bytes(), &mut self.desk, &mut out)?;
            form.finish(&mut self.desk, &mut out)?;
        }
        if out == target.as_bytes() {
            return Ok(None);
        }
        match String::from_utf8(out) {
            Ok(target) => Ok(Some(target)),
            Err(_) => Err(self.desk.undecidable("a path that is not UTF-8")),
        }
    }

    /// Looks at a host's name, one that is asked for or one to be looked up.
    ///
    /// # Errors
    ///
    /// When it must not go on; nothing can be put in its place.
    pub fn host(&mut self, host: &str) -> Result<(), Stop> {
        self.desk.trail = Trail::new("host");
        self.fixed(host.as_bytes())?;
        let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
        // What the name belongs to was registered; what stands before it says whatever its owner likes.
        if let Some((own, _)) = labels.split_last_chunk::<2>()
            && own.len() > 1
        {
            self.fixed(own.concat().as_bytes())?;
        }
        Ok(())
    }

    /// What was found and not taken yet.
    #[must_use]
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.desk.take_findings()
    }

    fn path(&mut self, path: &str, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.desk.trail = Trail::new("path");
        self.desk.trail.index(0);
        for (place, segment) in path.split('/').enumerate() {
            if place > 0 {
                out.push(b'/');
                self.desk.trail.next();
            }
            self.part(segment.as_bytes(), Spelling::Percent, out)?;
        }
        Ok(())
    }

    /// Looks at a text that is there as a whole, and writes it as `spelling` demands.
    fn part(&mut self, raw: &[u8], spelling: Spelling, out: &mut Vec<u8>) -> Result<(), Stop> {
        let mut spelled = Spelled::default();
        let text = spelling.read(raw, &mut spelled);
        let Some(pieces) = self.desk.judge(&text)? else {
            out.extend_from_slice(raw);
            return Ok(());
        };
        let mut respell = Respell {
            spelling,
            spelled: &mut spelled,
            down: out,
        };
        pieces.give(&text, &mut respell);
        Ok(())
    }

    /// Looks at a text in whose place nothing can be put.
    fn fixed(&mut self, text: &[u8]) -> Result<(), Stop> {
        let before = self.desk.count();
        match self.desk.judge(text)? {
            Some(_) => self.desk.irreplaceable(before),
            None => Ok(()),
        }
    }
}
