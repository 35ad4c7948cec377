//! Bodies, rewritten while they stream: each format is read far enough to know what is a text, each text is looked at
//! without its escapes, and what is replaced leaves the body valid. Where nothing is replaced the bytes stay as they were.
//!
//! A body is never held as a whole: only what could still become a finding, and the start of what is not whole yet (an
//! escape, a name, a number, a line's head).

mod binary;
mod csv;
mod desk;
mod events;
mod form;
mod gone;
mod inner;
mod json;
mod kind;
mod known;
mod machine;
mod multipart;
mod pieces;
mod spelled;
mod spelling;
mod text;
mod trail;
mod utf8;
mod value;
mod xml;
mod yaml;

use std::sync::Arc;

use crate::{Direction, Finding, Place, Ruleset, Session, Sink, Stop};
pub(crate) use desk::Desk;
pub use desk::Limits;
pub(crate) use form::Form;
pub use kind::Kind;
pub(crate) use machine::Machine;
pub(crate) use spelled::{Respell, Spelled};
pub(crate) use spelling::Spelling;
pub(crate) use trail::Trail;

/// Rewrites one body as it comes.
///
/// ```
/// # use std::sync::Arc;
/// # use enforcer_mask::{Action, Confidence, Direction, Keys, Rule, Ruleset, Session, Settings, Stop, What};
/// use enforcer_mask::body::{Kind, Rewriter};
/// # let rule = Rule {
/// #     id: "cards".to_owned(),
/// #     what: vec![What::Field("card".to_owned())],
/// #     action: Action::Redact,
/// #     direction: None,
/// #     least: Confidence::Medium,
/// # };
/// # let rules = Arc::new(Ruleset::new(&[rule], Settings::default()).expect("the rules are right"));
/// # let session = Arc::new(Session::new(&Keys::new(&[7; 32]), "tenant", Default::default()));
///
/// let kind = Kind::of(Some("application/json"));
/// let mut rewriter = Rewriter::new(kind, &rules, &session, Direction::Request);
/// let mut out = Vec::new();
/// rewriter.push(br#"{"card": 4111"#, &mut out)?;
/// rewriter.push(br#"1111, "n": 1}"#, &mut out)?;
/// rewriter.finish(&mut out)?;
/// assert_eq!(out, br#"{"card": "[CARD]", "n": 1}"#);
/// # Ok::<(), Stop>(())
/// ```
#[derive(Debug)]
pub struct Rewriter {
    machine: Box<dyn Machine>,
    desk: Desk,
    /// How much came in that did not go out, as it was or replaced.
    held: usize,
    stopped: Option<Stop>,
}

/// What a body becomes, and how much of it that is.
struct Counted<'o> {
    out: &'o mut Vec<u8>,
    held: usize,
}

impl Rewriter {
    /// For a body of this kind.
    #[must_use]
    pub fn new(
        kind: Kind,
        rules: &Arc<Ruleset>,
        session: &Arc<Session>,
        direction: Direction,
    ) -> Self {
        let trail = Trail::new(root(&kind));
        let mut desk = Desk::new(rules, session, direction, trail);
        Self {
            machine: machine(kind, &mut desk),
            desk,
            held: 0,
            stopped: None,
        }
    }

    /// For one text that stands in something else, read already: the arguments of a tool call in pieces, a field's
    /// value. Where it is a JSON object or array it is read as one, and as text from where it is none.
    #[must_use]
    pub fn text(place: Place<'_>, rules: &Arc<Ruleset>, session: &Arc<Session>) -> Self {
        let path = if place.path.is_empty() {
            "$"
        } else {
            place.path
        };
        let trail = Trail::within(path, place.field);
        Self {
            machine: Box::new(text::Text::said()),
            desk: Desk::new(rules, session, place.direction, trail),
            held: 0,
            stopped: None,
        }
    }

    /// With other limits than usual.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.desk.limits = limits;
        self
    }

    /// Takes more of the body, and gives out what may go.
    ///
    /// # Errors
    ///
    /// When the body must not go on; nothing comes out after that, and what this call gave out is not to be sent.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        self.going()?;
        let held = self.held + bytes.len();
        let mut out = Counted { out, held };
        let done = self.machine.push(bytes, &mut self.desk, &mut out);
        self.held = out.held;
        self.note(done)
    }

    /// The body has ended: gives out the rest.
    ///
    /// # Errors
    ///
    /// As [`Rewriter::push`]; also for a body that ends too early.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.going()?;
        let held = self.held;
        let mut out = Counted { out, held };
        let done = self.machine.finish(&mut self.desk, &mut out);
        self.held = out.held;
        self.note(done)
    }

    /// What is held has waited long enough: it is judged as if it ended here. What is found in texts is replaced, the rest is
    /// given out, and a value that began in them and goes on is found in what comes of it. What is found in a name, a number
    /// or a tag of which a part came stops the body, then or when it is whole. What says nothing yet (the start of an escape,
    /// of a line of YAML, of a part's head) goes on waiting, and so does what is masked as a whole.
    ///
    /// # Errors
    ///
    /// As [`Rewriter::push`].
    pub fn lapse(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.going()?;
        let held = self.held;
        let mut out = Counted { out, held };
        let done = self.machine.lapse(&mut self.desk, &mut out);
        self.held = out.held;
        self.note(done)
    }

    /// How many bytes came in that did not go out yet, as they were or replaced.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.held
    }

    /// What was found and not taken yet.
    #[must_use]
    pub fn take_findings(&mut self) -> Vec<Finding> {
        self.desk.take_findings()
    }

    fn going(&self) -> Result<(), Stop> {
        self.stopped.clone().map_or(Ok(()), Err)
    }

    fn note(&mut self, done: Result<(), Stop>) -> Result<(), Stop> {
        if let Err(stop) = &done {
            self.stopped = Some(stop.clone());
        }
        done
    }
}

impl Sink for Counted<'_> {
    fn keep(&mut self, bytes: &[u8]) {
        self.held = self.held.saturating_sub(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    fn replace(&mut self, taken: usize, with: &[u8]) {
        self.held = self.held.saturating_sub(taken);
        self.out.extend_from_slice(with);
    }
}

/// What places in a body of this kind begin with.
const fn root(kind: &Kind) -> &'static str {
    match kind {
        Kind::Binary | Kind::Unreadable => "body",
        Kind::Csv { .. } => "csv:",
        Kind::Events | Kind::Json | Kind::JsonLines | Kind::Text | Kind::Unknown => "$",
        Kind::Form => "form:",
        Kind::Multipart(_) => "part:",
        Kind::Xml => "xml:",
        Kind::Yaml => "yaml:",
    }
}

/// What reads bodies of this kind.
fn machine(kind: Kind, desk: &mut Desk) -> Box<dyn Machine> {
    match kind {
        Kind::Binary => Box::new(binary::Binary::default()),
        Kind::Csv { tabs } => Box::new(csv::Csv::new(tabs)),
        Kind::Events => Box::new(events::Events::default()),
        Kind::Form => Box::new(Form::default()),
        Kind::Json => {
            // Servers that watch something send one document after the other under this type.
            let reading = match desk.direction() {
                Direction::Answer => json::Reading::Many,
                Direction::Request => json::Reading::One,
            };
            Box::new(json::Json::new(reading, desk))
        }
        Kind::JsonLines => Box::new(json::Json::new(json::Reading::Many, desk)),
        Kind::Multipart(boundary) => Box::new(multipart::Multipart::new(&boundary)),
        Kind::Text => Box::new(text::Text::said()),
        Kind::Unknown => Box::new(text::Text::guessed()),
        Kind::Unreadable => Box::new(machine::Refused),
        Kind::Xml => Box::new(xml::Xml::default()),
        Kind::Yaml => Box::new(yaml::Yaml::default()),
    }
}
