//! The score of a text, and why.

use enforcer_decode::{Decoder, Layers, Limits, View};

use crate::page::{Hidden, Page, Part};
use crate::phrase::{Hit, Search};
use crate::words::{Word, Words};

/// Those that stand first in a text are enough.
const REASONS: usize = 32;
/// So many words round a phrase may say that it is talked about.
const ABOUT: u64 = 80;
/// Words of those who talk about such phrases. Two of them near by are needed, or one that stands for two.
const TOPIC: &[(&str, u8)] = &[
    ("attack", 1),
    ("attacker", 1),
    ("attackers", 1),
    ("attacks", 1),
    ("example", 1),
    ("examples", 1),
    ("malicious", 1),
    ("injection", 2),
    ("injections", 2),
    ("jailbreak", 1),
    ("owasp", 2),
    ("vulnerability", 1),
    ("vulnerabilities", 1),
    ("mitigation", 1),
    ("mitigations", 1),
    ("detect", 1),
    ("detection", 1),
    ("adversarial", 1),
    ("such", 1),
    ("phrases", 1),
    ("phrase", 1),
    ("researchers", 1),
    ("defend", 1),
    ("defenses", 1),
    ("untrusted", 1),
];

/// Why a text scores as it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The phrase's name.
    pub phrase: &'static str,
    /// Where it begins, in bytes since the beginning of the text.
    pub at: u64,
    /// Why nobody sees it, if so.
    pub hidden: Option<Hidden>,
    /// It is talked about, quoted or negated rather than used.
    pub mentioned: bool,
    /// What it adds, between 0 and 1.
    pub weight: f32,
}

/// What a text is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// How sure it is that it gives orders, between 0 and 1.
    pub score: f32,
    /// Why, in the order in which it stands there.
    pub reasons: Vec<Reason>,
}

/// Judges a text that comes in pieces.
#[derive(Clone, Debug)]
pub struct Judge {
    page: Page,
    reader: Reader,
    decoder: Decoder,
    found: Vec<Found>,
    at: u64,
}

/// Words of one text in one place of it.
#[derive(Clone, Debug, Default)]
struct Reader {
    words: Words,
    search: Search,
    hidden: Option<Hidden>,
    count: u64,
    /// Numbers of the words that are of the topic, and how much they say.
    topic: Vec<(u64, u8)>,
}

#[derive(Clone, Debug)]
struct Found {
    hit: Hit,
    hidden: Option<Hidden>,
    /// The number of the word it ends with.
    word: u64,
}

/// Judges a whole text.
#[must_use]
pub fn judge(text: &[u8]) -> Verdict {
    let mut judge = Judge::new();
    judge.push(text, true);
    judge.verdict()
}

// === impl Judge ===

impl Default for Judge {
    fn default() -> Self {
        Self::new()
    }
}

impl Judge {
    /// For one text.
    #[must_use]
    pub fn new() -> Self {
        // Characters are folded where words are compared.
        let layers = Layers::ALL.without(Layers::LOOKALIKE | Layers::INVISIBLE);
        let limits = Limits {
            layers,
            ..Limits::default()
        };
        Self {
            page: Page::default(),
            reader: Reader::default(),
            decoder: Decoder::new(&limits),
            found: Vec::new(),
            at: 0,
        }
    }

    /// Takes the next piece; `last` if the text ends with it.
    pub fn push(&mut self, text: &[u8], last: bool) {
        let Self {
            page,
            reader,
            decoder,
            found,
            at,
        } = self;
        for byte in text {
            match page.byte(*byte) {
                Part::Text(hidden) => reader.byte(*byte, *at, hidden, found),
                Part::Markup => reader.end(found),
            }
            *at += 1;
        }
        if last {
            reader.end(found);
        }
        decoder.push(text, last, &mut |view| look(view, found));
    }

    /// What it is, by what came so far.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut reasons: Vec<Reason> = Vec::new();
        for found in &self.found {
            let reason = self.reason(found);
            match reasons
                .iter_mut()
                .find(|known| known.phrase == reason.phrase && known.at == reason.at)
            {
                Some(known) if known.weight < reason.weight => *known = reason,
                Some(_) => {}
                None => reasons.push(reason),
            }
        }
        reasons.sort_by_key(|reason| reason.at);
        let mut left = 1.0;
        let mut names: Vec<(&str, f32)> = Vec::new();
        for reason in &reasons {
            match names.iter_mut().find(|(name, _)| *name == reason.phrase) {
                Some((_, weight)) => *weight = weight.max(reason.weight),
                None => names.push((reason.phrase, reason.weight)),
            }
        }
        for (_, weight) in names {
            left *= 1.0 - weight;
        }
        Verdict {
            score: 1.0 - left,
            reasons,
        }
    }

    fn reason(&self, found: &Found) -> Reason {
        let Found { hit, hidden, word } = found;
        let near = |(number, _): &&(u64, u8)| number.abs_diff(*word) <= ABOUT;
        let topic: u32 = self
            .reader
            .topic
            .iter()
            .filter(near)
            .map(|(_, says)| u32::from(*says))
            .sum();
        let seen = hidden.is_none();
        let mut weight = hit.phrase.weight;
        let mut mentioned = false;
        for (is, left) in [(topic >= 2, 0.3), (hit.quoted, 0.5), (hit.negated, 0.2)] {
            if seen && is {
                weight *= left;
                mentioned = true;
            }
        }
        if !seen {
            weight += (1.0 - weight) * 0.5;
        }
        Reason {
            phrase: hit.phrase.name,
            at: hit.at,
            hidden: *hidden,
            mentioned,
            weight,
        }
    }
}

/// Reads a decoded text from its beginning; what was found in it before is found again, and is known.
fn look(view: &mut View<'_>, found: &mut Vec<Found>) {
    let text = view.text();
    let mut inner = Vec::new();
    let mut reader = Reader::default();
    for (at, byte) in text.iter().enumerate() {
        reader.byte(*byte, at as u64, Some(Hidden::Encoded), &mut inner);
    }
    if view.last() {
        reader.end(&mut inner);
    }
    // Escapes are how documents write; only runs of digits and unseen characters hide.
    let hiding = Layers::BASE32 | Layers::BASE64 | Layers::HEX | Layers::SMUGGLED;
    let hides = view.layers().without(hiding) != view.layers();
    for mut one in inner {
        let start = one.hit.at as usize;
        let Some(source) = view.source(start..text.len().min(start + 16)) else {
            continue;
        };
        one.hidden = hides.then_some(Hidden::Encoded);
        one.hit.at = source.start;
        keep(found, one);
    }
}

fn keep(found: &mut Vec<Found>, one: Found) {
    let known = found.iter().any(|known| {
        known.hit.at == one.hit.at
            && known.hit.phrase.name == one.hit.phrase.name
            && known.hidden == one.hidden
    });
    if known {
        return;
    }
    found.push(one);
    if found.len() > REASONS {
        // What is decoded is found at another time than what stands beside it, so the first to come is not the first there.
        let places = found.iter().enumerate();
        let last = places.max_by_key(|(_, found)| place(found));
        if let Some((last, _)) = last {
            found.remove(last);
        }
    }
}

/// The order of what is found, whenever that is.
fn place(found: &Found) -> (u64, &'static str, Option<Hidden>) {
    (found.hit.at, found.hit.phrase.name, found.hidden)
}

// === impl Reader ===

impl Reader {
    fn byte(&mut self, byte: u8, at: u64, hidden: Option<Hidden>, found: &mut Vec<Found>) {
        if self.hidden != hidden {
            self.end(found);
            self.hidden = hidden;
        }
        let mut new = None;
        let mut more = None;
        self.words.byte(byte, at, &mut |word| {
            if new.is_none() {
                new = Some(word);
            } else {
                more = Some(word);
            }
        });
        for word in new.into_iter().chain(more) {
            self.word(&word, found);
        }
    }

    fn end(&mut self, found: &mut Vec<Found>) {
        let mut new = None;
        self.words.end(&mut |word| new = Some(word));
        if let Some(word) = new {
            self.word(&word, found);
        }
    }

    fn word(&mut self, word: &Word, found: &mut Vec<Found>) {
        self.count += 1;
        if let Some((_, says)) = TOPIC.iter().find(|(topic, _)| *topic == word.text)
            && self.hidden.is_none()
        {
            if self.topic.len() == 256 {
                self.topic.remove(0);
            }
            self.topic.push((self.count, *says));
        }
        let (hidden, count) = (self.hidden, self.count);
        self.search.word(word, |hit| {
            keep(
                found,
                Found {
                    hit,
                    hidden,
                    word: count,
                },
            );
        });
    }
}
