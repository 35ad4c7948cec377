//! Phrases that take a model over, and their search in words.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use crate::words::{Word, Words};

/// No phrase spans more words.
const WINDOW: usize = 48;
/// Words that say that what follows is not meant; `don't` is two.
const NEGATIONS: [&str; 6] = ["not", "never", "dont", "cannot", "nicht", "t"];

#[derive(Debug)]
pub(crate) struct Phrase {
    pub(crate) name: &'static str,
    pub(crate) weight: f32,
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    /// Words that may stand before it.
    gap: usize,
    any_of: Vec<Vec<u32>>,
}

#[derive(Debug)]
struct Table {
    phrases: Vec<Phrase>,
    vocabulary: HashMap<String, u32>,
    /// Phrases by the last word that each may have.
    by_last: HashMap<u32, Vec<usize>>,
    negations: Vec<u32>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        phrases: Vec::new(),
        vocabulary: HashMap::new(),
        by_last: HashMap::new(),
        negations: Vec::new(),
    };
    for word in NEGATIONS {
        let ids = table.ids(word);
        table.negations.extend(ids);
    }
    let lines = include_str!("phrases.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        if let Some(phrase) = table.phrase(line) {
            table.add(phrase);
        }
    }
    table
});

/// Words seen last, and the phrases that end with the newest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    window: VecDeque<(u32, u64, bool)>,
}

/// A phrase that was found.
#[derive(Clone, Debug)]
pub(crate) struct Hit {
    pub(crate) phrase: &'static Phrase,
    pub(crate) at: u64,
    pub(crate) quoted: bool,
    /// A word before it says that it is not meant.
    pub(crate) negated: bool,
}

// === impl Search ===

impl Search {
    /// Takes the next word; says which phrases end with it.
    pub(crate) fn word(&mut self, word: &Word, mut found: impl FnMut(Hit)) {
        let table = &*TABLE;
        let id = table.vocabulary.get(&word.text).copied().unwrap_or(0);
        if self.window.len() == WINDOW {
            self.window.pop_front();
        }
        self.window.push_back((id, word.at, word.quoted));
        let Some(phrases) = table.by_last.get(&id) else {
            return;
        };
        for index in phrases {
            let phrase = &table.phrases[*index];
            if let Some(start) = self.back(&phrase.groups, self.window.len(), 0) {
                let (_, at, quoted) = self.window[start];
                found(Hit {
                    phrase,
                    at,
                    quoted,
                    negated: self.negated(start),
                });
            }
        }
    }

    /// Where `groups` begin, of which the last ends before `end` with at most `gap` words between.
    fn back(&self, groups: &[Group], end: usize, gap: usize) -> Option<usize> {
        let Some((group, before)) = groups.split_last() else {
            return Some(end);
        };
        for end in (end.saturating_sub(gap)..=end).rev() {
            for words in &group.any_of {
                let Some(start) = end.checked_sub(words.len()) else {
                    continue;
                };
                let same = words
                    .iter()
                    .enumerate()
                    .all(|(i, word)| self.window[start + i].0 == *word);
                if !same {
                    continue;
                }
                if before.is_empty() {
                    return Some(start);
                }
                if let Some(found) = self.back(before, start, group.gap) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn negated(&self, start: usize) -> bool {
        let mut near = start.saturating_sub(3)..start;
        near.any(|at| TABLE.negations.contains(&self.window[at].0))
    }
}

// === impl Table ===

impl Table {
    fn phrase(&mut self, line: &'static str) -> Option<Phrase> {
        let mut parts = line.split_whitespace();
        let (name, weight) = (parts.next()?, parts.next()?.parse().ok()?);
        let (mut groups, mut gap) = (Vec::new(), 0);
        for part in parts {
            if let Some(most) = part.strip_prefix('~') {
                gap = most.parse().ok()?;
                continue;
            }
            let any_of = part.split('|').map(|words| self.ids(words)).collect();
            groups.push(Group { gap, any_of });
            gap = 0;
        }
        Some(Phrase {
            name,
            weight,
            groups,
        })
    }

    fn ids(&mut self, words: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut take = |word: Word| {
            let next = self.vocabulary.len() as u32 + 1;
            ids.push(*self.vocabulary.entry(word.text).or_insert(next));
        };
        let mut cut = Words::default();
        let words = words.replace('_', " ");
        for (at, byte) in words.bytes().chain(*b" ").enumerate() {
            cut.byte(byte, at as u64, &mut take);
        }
        ids
    }

    fn add(&mut self, phrase: Phrase) {
        let index = self.phrases.len();
        let last = phrase.groups.last();
        let lasts = last.into_iter().flat_map(|group| &group.any_of);
        for id in lasts.filter_map(|words| words.last()) {
            let phrases = self.by_last.entry(*id).or_default();
            if phrases.last() != Some(&index) {
                phrases.push(index);
            }
        }
        self.phrases.push(phrase);
    }
}
