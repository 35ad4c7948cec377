//! The rules about one place. Where they are many, those that name paths are found by the segments their paths begin with,
//! and those that begin alike by who asks and by the head, so that thousands at one host cost no more than a few.

use foldhash::HashMap;

use crate::check::Effect;
use crate::compile::Rule;
use crate::compile::path::PathPattern;
use crate::compile::sieve::{Key, Sieve, Told, WORTH_AN_INDEX};

/// Rules by their places in the file, in that order.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    all: Vec<u32>,
    index: Option<Index>,
}

/// How many rules are found.
#[derive(Debug)]
struct Index {
    /// All of them, for when the path is not known.
    all: Sieve,
    /// By path, where one of them names any.
    by_path: Option<PathIndex<Sieve>>,
}

/// A trie of path segments; its first node is the root.
#[derive(Debug, Default)]
struct PathIndex<R> {
    segments: Vec<Segment<R>>,
}

#[derive(Debug, Default)]
struct Segment<R> {
    children: HashMap<Box<[u8]>, usize>,
    /// Rules whose paths are literally this so far, and may go on with stars; at the root, also those without paths.
    rules: R,
}

// === impl Listing ===

impl Listing {
    pub(crate) fn push(&mut self, rule: u32) {
        self.all.push(rule);
    }

    pub(crate) fn all(&self) -> &[u32] {
        &self.all
    }

    /// Whether one of them allows anything.
    pub(crate) fn allows(&self, rules: &[Rule]) -> bool {
        let mut listed = self.all.iter().filter_map(|at| rules.get(*at as usize));
        listed.any(|rule| rule.effect == Effect::Allow)
    }

    /// Builds the index, if it is worth one. To be called when all rules are listed.
    pub(crate) fn index(&mut self, rules: &[Rule]) {
        if self.all.len() < WORTH_AN_INDEX {
            return;
        }
        let rule = |at: &u32| Some((*at, rules.get(*at as usize)?));
        let listed: Vec<(u32, &Rule)> = self.all.iter().filter_map(rule).collect();
        let keyed: Vec<(u32, Vec<Key>)> =
            listed.iter().map(|(at, rule)| (*at, rule.keys())).collect();
        let by_path = listed.iter().any(|(_, rule)| rule.paths.is_some());
        self.index = Some(Index {
            all: Sieve::new(&keyed),
            by_path: by_path.then(|| PathIndex::new(&listed, &keyed)),
        });
    }

    /// Hands over the rules that may speak of a path, and of what is told beside it; what is not known may be anything. A
    /// rule may come twice.
    pub(crate) fn hear(
        &self,
        path: Option<&[u8]>,
        told: Option<&Told<'_>>,
        mut take: impl FnMut(u32),
    ) {
        match (&self.index, path) {
            (None, _) => self.all.iter().copied().for_each(take),
            (
                Some(Index {
                    by_path: Some(by_path),
                    ..
                }),
                Some(path),
            ) => {
                by_path.walk(path, |rules| rules.visit(told, &mut take));
            }
            (Some(Index { all, .. }), _) => all.visit(told, &mut take),
        }
    }
}

// === impl PathIndex ===

impl PathIndex<Sieve> {
    /// Files rules, each with its keys.
    fn new(listed: &[(u32, &Rule)], keyed: &[(u32, Vec<Key>)]) -> Self {
        let mut index = PathIndex {
            segments: vec![Segment::<Vec<(u32, Vec<Key>)>>::default()],
        };
        for ((_, rule), keyed) in listed.iter().zip(keyed) {
            let paths = rule.paths.as_deref();
            let mut ends: Vec<usize> = match paths {
                None => vec![0],
                Some(paths) => paths.iter().map(|path| index.segment(path)).collect(),
            };
            ends.sort_unstable();
            ends.dedup();
            for end in ends {
                index.segments[end].rules.push(keyed.clone());
            }
        }
        let sieved = |segment: Segment<Vec<(u32, Vec<Key>)>>| Segment {
            children: segment.children,
            rules: Sieve::new(&segment.rules),
        };
        Self {
            segments: index.segments.into_iter().map(sieved).collect(),
        }
    }
}

impl<R: Default> PathIndex<R> {
    fn walk<'s>(&'s self, path: &[u8], mut take: impl FnMut(&'s R)) {
        let Some(mut at) = self.segments.first() else {
            return;
        };
        take(&at.rules);
        for segment in path.split(|byte| *byte == b'/') {
            let child = at.children.get(segment);
            let Some(child) = child.and_then(|child| self.segments.get(*child)) else {
                return;
            };
            at = child;
            take(&at.rules);
        }
    }

    /// Where a pattern's literal beginning ends, made if there is none.
    fn segment(&mut self, pattern: &PathPattern) -> usize {
        let mut at = 0;
        for literal in pattern.beginning() {
            at = match self.segments[at].children.get(literal) {
                Some(child) => *child,
                None => {
                    let child = self.segments.len();
                    self.segments.push(Segment::default());
                    self.segments[at].children.insert(literal.into(), child);
                    child
                }
            };
        }
        at
    }
}
