//! Texts that are open, each with its editor, and how much all of them hold.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, DefaultHasher, Hasher as _, RandomState};

use super::super::Stop;
use super::super::text::{Form, Text, TextEditor, Texts};
use super::stencil::Stencil;
use crate::{Cause, Limits, Undecidable};

/// How slots of arguments begin, where the owner has others.
pub(super) const ARGUMENT: &str = "argument ";

/// Longer names than texts have.
const NAME: usize = 512;

/// A text among those of an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// What it belongs to and ends with at the latest: a choice, a block, an item.
    pub(super) owner: String,
    /// Which of its texts.
    pub(super) slot: String,
}

/// Texts that end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those of its texts that are arguments of a call.
    Arguments(String),
    Of(String),
    One(Key),
    /// Those whose owner begins so.
    Within(String),
}

/// A text that is open.
#[derive(Debug)]
struct Channel {
    editor: Box<dyn TextEditor>,
    held: usize,
    /// The event that would bring what is held.
    stencil: Option<Stencil>,
    original: Original,
}

/// What a text was before the editing, as far as somebody still asks.
#[derive(Debug)]
struct Original {
    hasher: DefaultHasher,
    /// What has come and is not known to have gone out as it was; nothing once something else did.
    ahead: Option<String>,
}

/// Every text of an answer.
#[derive(Debug)]
pub(super) struct Channels {
    texts: Box<dyn Texts>,
    limits: Limits,
    open: BTreeMap<Key, Channel>,
    /// Those that have ended, and whether they were changed.
    ended: BTreeMap<Key, bool>,
    /// Hashes of texts that were edited.
    edited: BTreeSet<u64>,
    state: RandomState,
    /// Bytes that are held, with their stencils.
    bytes: usize,
}

// === impl Which ===

impl Which {
    pub(super) fn includes(&self, key: &Key) -> bool {
        match self {
            Self::All => true,
            Self::Arguments(owner) => key.owner == *owner && key.slot.starts_with(ARGUMENT),
            Self::Of(owner) => key.owner == *owner,
            Self::One(one) => key == one,
            Self::Within(beginning) => key.owner.starts_with(beginning),
        }
    }
}

// === impl Original ===

impl Original {
    fn came(&mut self, text: &str) {
        self.hasher.write(text.as_bytes());
        if let Some(ahead) = &mut self.ahead {
            ahead.push_str(text);
        }
    }

    fn went(&mut self, text: &str) {
        if let Some(ahead) = &mut self.ahead {
            if ahead.starts_with(text) {
                ahead.drain(..text.len());
            } else {
                self.ahead = None;
            }
        }
    }
}

// === impl Channel ===

impl Channel {
    /// Counts anew what is held, of so many bytes in all.
    fn settle(&mut self, bytes: usize) -> usize {
        let held = self.editor.held();
        let bytes = bytes - self.held + held;
        self.held = held;
        match held {
            0 => bytes - self.stencil.take().map_or(0, |it| it.len()),
            _ => bytes,
        }
    }
}

// === impl Channels ===

impl Channels {
    pub(super) fn new(texts: Box<dyn Texts>, limits: &Limits) -> Self {
        Self {
            texts,
            limits: *limits,
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            edited: BTreeSet::new(),
            state: RandomState::new(),
            bytes: 0,
        }
    }

    /// Takes a piece of a text, and gives what may go on in its place.
    pub(super) fn push(&mut self, key: &Key, text: &Text<'_>, piece: &str) -> Result<String, Stop> {
        let mut out = String::with_capacity(piece.len());
        if !self.open.contains_key(key) {
            if piece.is_empty() {
                return Ok(out);
            }
            self.begin(key, text)?;
        }
        let Some(channel) = self.open.get_mut(key) else {
            return Ok(out);
        };
        channel.original.came(piece);
        channel.editor.push(piece, &mut out)?;
        channel.original.went(&out);
        self.bytes = channel.settle(self.bytes);
        self.bounded()?;
        Ok(out)
    }

    /// What may go of a text that has waited long enough, and how an event looks that brings it; none where nothing of it can
    /// be said before it goes on.
    pub(super) fn lapse(&mut self, key: &Key) -> Result<Option<(String, Stencil)>, Stop> {
        let Some(channel) = self.open.get_mut(key) else {
            return Ok(None);
        };
        let Some(stencil) = channel.stencil.clone() else {
            return Ok(None);
        };
        let mut out = String::new();
        channel.editor.lapse(&mut out)?;
        channel.original.went(&out);
        self.bytes = channel.settle(self.bytes);
        Ok((!out.is_empty()).then_some((out, stencil)))
    }

    fn begin(&mut self, key: &Key, text: &Text<'_>) -> Result<(), Undecidable> {
        let wrong = |cause| Err(Undecidable::new(cause, text.place, 0));
        // What goes on after its end could be the other half of something.
        if self.ended.contains_key(key) {
            return wrong(Cause::Inconsistent);
        }
        if key.owner.len() + key.slot.len() > NAME {
            return wrong(Cause::TooLarge);
        }
        if self.open.len() + self.ended.len() >= self.limits.parts {
            return wrong(Cause::TooMany);
        }
        let channel = Channel {
            editor: self.texts.open(text),
            held: 0,
            stencil: None,
            original: Original {
                hasher: self.state.build_hasher(),
                ahead: Some(String::new()),
            },
        };
        self.open.insert(key.clone(), channel);
        Ok(())
    }

    /// Whether something of a text is held.
    pub(super) fn holds(&self, key: &Key) -> bool {
        self.open.get(key).is_some_and(|channel| channel.held > 0)
    }

    pub(super) fn has_stencil(&self, key: &Key) -> bool {
        let open = self.open.get(key);
        open.is_some_and(|channel| channel.stencil.is_some())
    }

    /// Notes how an event would look that brings what is held of a text.
    pub(super) fn keep(&mut self, key: &Key, stencil: Stencil) -> Result<(), Stop> {
        if let Some(channel) = self.open.get_mut(key) {
            let before = channel.stencil.as_ref().map_or(0, Stencil::len);
            self.bytes = self.bytes - before + stencil.len();
            channel.stencil = Some(stencil);
        }
        self.bounded()
    }

    fn bounded(&self) -> Result<(), Stop> {
        if self.bytes > self.limits.text {
            return Err(Undecidable::whole(Cause::TooLarge).into());
        }
        Ok(())
    }

    /// Open texts that end, in the order of their keys.
    pub(super) fn ending(&self, which: &Which) -> Vec<Key> {
        let keys = self.open.keys().filter(|key| which.includes(key));
        keys.cloned().collect()
    }

    /// Ends a text, and gives what was held of it and how an event looks that brings it.
    pub(super) fn end(&mut self, key: &Key) -> Result<(String, Option<Stencil>), Stop> {
        let mut out = String::new();
        let Some(mut channel) = self.open.remove(key) else {
            return Ok((out, None));
        };
        self.bytes -= channel.held + channel.stencil.as_ref().map_or(0, Stencil::len);
        channel.editor.finish(&mut out)?;
        channel.original.went(&out);
        let changed = channel.original.ahead.is_none_or(|ahead| !ahead.is_empty());
        self.edited(channel.original.hasher.finish());
        self.ended.insert(key.clone(), changed);
        Ok((out, channel.stencil))
    }

    /// Forgets texts that have ended, because nothing can go on with them.
    pub(super) fn forget(&mut self, which: &Which) {
        self.ended.retain(|key, _| !which.includes(key));
    }

    /// Whether a text goes out as another than it came, as far as is known.
    pub(super) fn is_changed(&self, key: &Key) -> bool {
        let open = self.open.get(key);
        open.is_some_and(|channel| channel.original.ahead.is_none())
            || self.ended.get(key).copied().unwrap_or(false)
    }

    /// Edits a text that is all there; none if it stays what it is.
    pub(super) fn whole(
        &mut self,
        (form, field, place): (Form, Option<&str>, &str),
        whole: &str,
    ) -> Result<Option<String>, Stop> {
        if whole.is_empty() {
            return Ok(None);
        }
        let mut hasher = self.state.build_hasher();
        hasher.write(whole.as_bytes());
        let hash = hasher.finish();
        let again = self.edited.contains(&hash);
        let mut editor = self.texts.open(&Text {
            form,
            field,
            place,
            again,
        });
        let mut out = String::with_capacity(whole.len());
        editor.push(whole, &mut out)?;
        editor.finish(&mut out)?;
        self.edited(hash);
        Ok((out != whole).then_some(out))
    }

    fn edited(&mut self, hash: u64) {
        // A session may last for days; what is said again is said soon.
        if self.edited.len() >= self.limits.parts {
            self.edited.clear();
        }
        self.edited.insert(hash);
    }
}
