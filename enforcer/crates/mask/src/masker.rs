//! One logical text, as it comes, made safe.

mod flow;
mod joined;
mod looker;
mod merge;
mod replace;
mod swallow;
mod token;
mod views;

use std::fmt;
use std::sync::Arc;

use enforcer_recognize::Family;

use crate::rules::Lane;
use crate::{Direction, Finding, Masked, Place, Ruleset, Session, Stop};
use flow::Flow;
pub(crate) use joined::Joined;
use swallow::Swallowed;

/// How much of one text is held back at most.
pub const HOLD: usize = 64 * 1024;

/// So much of a text is scanned at once: what the nearest cache holds.
const CHUNK: usize = 16 * 1024;
/// Less than this that was let go is not worth moving the rest for.
const TRIM: usize = 4 * 1024;

/// Takes what may go: every byte that came in is told once and in order, as kept or as replaced.
pub trait Sink {
    /// These bytes stay as they were.
    fn keep(&mut self, bytes: &[u8]);
    /// In place of so many bytes stands something else.
    fn replace(&mut self, taken: usize, with: &[u8]);
}

/// Makes one logical text safe as it comes: a string of JSON, a channel of deltas, a header's value.
///
/// ```
/// use std::sync::Arc;
/// use enforcer_mask::{Action, Confidence, Direction, Keys, Masker, Place, Rule, Ruleset, Session, Settings, What};
///
/// let rule = Rule {
///     id: "names".to_owned(),
///     what: vec![What::Dictionary { name: "customer".to_owned(), words: vec!["Ada Lovelace".to_owned()] }],
///     action: Action::Redact,
///     direction: None,
///     least: Confidence::Medium,
/// };
/// let rules = Arc::new(Ruleset::new(&[rule], Settings::default()).expect("the rules are right"));
/// let session = Arc::new(Session::new(&Keys::new(&[7; 32]), "tenant", Default::default()));
/// let place = Place { direction: Direction::Request, field: None, path: "$.text" };
/// let mut masker = Masker::new(&rules, &session, place);
/// let mut out = Vec::new();
/// masker.push(b"from Ada Love", &mut out).expect("nothing is blocked");
/// assert_eq!(out, b"from ");
/// masker.push(b"lace.", &mut out).expect("nothing is blocked");
/// masker.finish(&mut out).expect("nothing is blocked");
/// assert_eq!(out, b"from [CUSTOMER].");
/// assert_eq!(masker.take_findings().len(), 1);
/// ```
pub struct Masker {
    standing: Standing,
    /// What is held back, and some of what stood before.
    text: Vec<u8>,
    flow: Flow,
    /// All that stands here is one finding.
    swallowed: Option<Swallowed>,
    findings: Vec<Finding>,
    stopped: Option<Stop>,
}

/// A whole text, made safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The text; none where nothing was changed.
    pub text: Option<Vec<u8>>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// Where the text stands, and what holds there.
struct Standing {
    rules: Arc<Ruleset>,
    session: Arc<Session>,
    direction: Direction,
    /// In small letters.
    field: Option<String>,
    path: String,
    /// What belongs where the text stands, and is no finding there.
    spare: Option<Family>,
}

/// What is needed to judge a text beside the text.
#[derive(Clone, Copy)]
struct Around<'a> {
    lane: &'a Lane,
    session: &'a Session,
    direction: Direction,
    spare: Option<Family>,
    field: Option<&'a str>,
    path: &'a str,
}

/// Where what comes out goes.
struct Out<'a> {
    sink: &'a mut dyn Sink,
    findings: &'a mut Vec<Finding>,
}

/// The text, once something of it was replaced.
struct Changed<'a> {
    whole: &'a [u8],
    taken: usize,
    text: Option<Vec<u8>>,
}

// === impl Sink ===

impl Sink for Vec<u8> {
    fn keep(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn replace(&mut self, _: usize, with: &[u8]) {
        self.extend_from_slice(with);
    }
}

impl Sink for Changed<'_> {
    fn keep(&mut self, bytes: &[u8]) {
        self.taken += bytes.len();
        if let Some(text) = &mut self.text {
            text.extend_from_slice(bytes);
        }
    }

    fn replace(&mut self, taken: usize, with: &[u8]) {
        let before = self.whole.get(..self.taken).unwrap_or_default();
        self.taken += taken;
        self.text
            .get_or_insert_with(|| before.to_vec())
            .extend_from_slice(with);
    }
}

// === impl Masker ===

impl Masker {
    /// For a text at `place`.
    #[must_use]
    pub fn new(rules: &Arc<Ruleset>, session: &Arc<Session>, place: Place<'_>) -> Self {
        let mut masker = Self {
            standing: Standing {
                rules: Arc::clone(rules),
                session: Arc::clone(session),
                direction: place.direction,
                field: None,
                path: String::new(),
                spare: None,
            },
            text: Vec::new(),
            flow: Flow::default(),
            swallowed: None,
            findings: Vec::new(),
            stopped: None,
        };
        masker.restart(place);
        masker
    }

    /// Ready for another text; what was held of the last one is gone. Findings that nobody took stay.
    pub fn restart(&mut self, place: Place<'_>) {
        self.standing.move_to(place);
        self.text.clear();
        self.flow.restart();
        self.stopped = None;
        let Around { lane, session, .. } = self.standing.around();
        self.swallowed = match lane.names_places() {
            true => Swallowed::at(lane, session, &place),
            false => None,
        };
    }

    /// From the next text on, what detectors of this family see is no finding.
    pub(crate) fn spare(&mut self, family: Option<Family>) {
        self.standing.spare = family;
    }

    /// Takes the next part of the text and gives out what may go.
    ///
    /// # Errors
    /// When the text must not go on; nothing comes out after that.
    pub fn push(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        self.push_to(text, out)
    }

    /// The text has ended: gives out the rest.
    ///
    /// # Errors
    /// As [`Masker::push`].
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Stop> {
        self.finish_to(out)
    }

    /// As [`Masker::push`], and tells what was kept and what was replaced.
    ///
    /// # Errors
    /// As [`Masker::push`].
    pub fn push_to(&mut self, text: &[u8], sink: &mut dyn Sink) -> Result<(), Stop> {
        self.going()?;
        for chunk in text.chunks(CHUNK) {
            let done = self.step(chunk, false, sink);
            self.note(done)?;
        }
        Ok(())
    }

    /// As [`Masker::finish`], and tells what was kept and what was replaced.
    ///
    /// # Errors
    /// As [`Masker::push`].
    pub fn finish_to(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.going()?;
        let done = self.step(b"", true, sink);
        self.note(done)
    }

    /// What is held has waited long enough: it is judged as if the text ended here. What is found is replaced; the rest goes,
    /// and what is found later of a value that began there is found in what comes then. A text that is one finding as a
    /// whole goes on waiting for its end.
    ///
    /// # Errors
    /// As [`Masker::push`].
    pub fn lapse_to(&mut self, sink: &mut dyn Sink) -> Result<(), Stop> {
        self.going()?;
        if self.swallowed.is_some() || self.held() == 0 {
            return Ok(());
        }
        let around = self.standing.around();
        let findings = &mut self.findings;
        let done = self
            .flow
            .lapse(around, &self.text, &mut Out { sink, findings });
        self.note(done)
    }

    /// The whole text at once, at `place`: what `restart`, `push` and `finish` would do, without copying it.
    ///
    /// # Errors
    /// As [`Masker::push`].
    pub fn whole(
        &mut self,
        place: Place<'_>,
        text: &[u8],
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        self.restart(place);
        if self.swallowed.is_some() {
            self.push_to(text, sink)?;
            return self.finish_to(sink);
        }
        let around = self.standing.around();
        let findings = &mut self.findings;
        let done = self.flow.whole(around, text, &mut Out { sink, findings });
        self.note(done)
    }

    /// How many bytes came in that did not go out yet, as they are or replaced.
    #[must_use]
    pub fn held(&self) -> usize {
        self.swallowed
            .as_ref()
            // A text that was looked at where it lay was never here.
            .map_or(self.text.len().saturating_sub(self.flow.sent()), |held| {
                held.held()
            })
    }

    /// What was found and not taken yet.
    #[must_use]
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    fn going(&self) -> Result<(), Stop> {
        self.stopped.clone().map_or(Ok(()), Err)
    }

    fn note(&mut self, done: Result<(), Stop>) -> Result<(), Stop> {
        if let Err(stop) = &done {
            self.stopped = Some(stop.clone());
            self.text.clear();
            self.flow.restart();
        }
        done
    }

    fn step(&mut self, chunk: &[u8], last: bool, sink: &mut dyn Sink) -> Result<(), Stop> {
        let around = self.standing.around();
        let findings = &mut self.findings;
        let mut out = Out { sink, findings };
        if let Some(swallowed) = &mut self.swallowed {
            return swallowed.take(around, (chunk, last), &mut out);
        }
        self.text.extend_from_slice(chunk);
        self.flow.step(around, &self.text, last, &mut out)?;
        let gone = self.flow.trim(TRIM);
        self.text.drain(..gone);
        Ok(())
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is held is just what must not be shown.
        write!(f, "Masker({}, {} held)", self.standing.path, self.held())
    }
}

// === impl Standing ===

impl Standing {
    fn move_to(&mut self, place: Place<'_>) {
        let Place {
            direction,
            field,
            path,
        } = place;
        self.direction = direction;
        self.path.clear();
        self.path.push_str(path);
        let mut room = self.field.take().unwrap_or_default();
        self.field = field.map(|name| {
            room.clear();
            room.push_str(name);
            room.make_ascii_lowercase();
            room
        });
    }

    fn around(&self) -> Around<'_> {
        Around {
            lane: self.rules.lane(self.direction),
            session: &self.session,
            direction: self.direction,
            spare: self.spare,
            field: self.field.as_deref(),
            path: &self.path,
        }
    }
}

// === impl Ruleset ===

impl Ruleset {
    /// A whole text, made safe: the same as a [`Masker`] that is given all of it.
    ///
    /// # Errors
    /// When the text must not go on.
    pub fn mask(
        self: &Arc<Self>,
        session: &Arc<Session>,
        place: Place<'_>,
        text: &[u8],
    ) -> Result<Outcome, Stop> {
        let mut masker = Masker::new(self, session, place);
        let mut changed = Changed {
            whole: text,
            taken: 0,
            text: None,
        };
        masker.whole(place, text, &mut changed)?;
        Ok(Outcome {
            text: changed.text,
            findings: masker.take_findings(),
        })
    }

    /// Text for logs, recordings and errors; what must not go on is withheld whole.
    #[must_use]
    pub fn shown(
        self: &Arc<Self>,
        session: &Arc<Session>,
        place: Place<'_>,
        text: &str,
    ) -> Masked<String> {
        Masked::new(match self.mask(session, place, text.as_bytes()) {
            Ok(Outcome { text: None, .. }) => text.to_owned(),
            Ok(Outcome {
                text: Some(text), ..
            }) => String::from_utf8_lossy(&text).into_owned(),
            Err(_) => "[WITHHELD]".to_owned(),
        })
    }
}
