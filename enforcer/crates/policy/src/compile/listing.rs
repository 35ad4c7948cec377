//! The rules about one place. Where they are many, those that name paths are found by the segments their paths begin with,
//! so that thousands of webhooks at one host cost no more than a few.

use foldhash::HashMap;

use crate::check::Effect;
use crate::compile::Rule;
use crate::compile::path::PathPattern;

/// Fewer rules than this are tried one after the other.
const WORTH_AN_INDEX: usize = 8;

/// Rules by their places in the file, in that order.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    all: Vec<u32>,
    by_path: Option<PathIndex>,
}

/// A trie of path segments; its first node is the root.
#[derive(Debug, Default)]
struct PathIndex {
    segments: Vec<Segment>,
}

#[derive(Debug, Default)]
struct Segment {
    children: HashMap<Box<[u8]>, usize>,
    /// Rules whose paths are literally this so far, and may go on with stars; at the root, also those without paths.
    rules: Vec<u32>,
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
        let mut index = PathIndex {
            segments: vec![Segment::default()],
        };
        for at in &self.all {
            match rules
                .get(*at as usize)
                .and_then(|rule| rule.paths.as_deref())
            {
                None => index.root().rules.push(*at),
                Some(paths) => {
                    for path in paths {
                        index.segment(path).rules.push(*at);
                    }
                }
            }
        }
        self.by_path = Some(index);
    }

    /// Hands over the rules that may speak of a path: all of them when the path is not known. A rule may come twice.
    pub(crate) fn hear(&self, path: Option<&[u8]>, mut take: impl FnMut(u32)) {
        match (&self.by_path, path) {
            (Some(index), Some(path)) => index.walk(path, take),
            (None, _) | (_, None) => self.all.iter().copied().for_each(&mut take),
        }
    }
}

// === impl PathIndex ===

impl PathIndex {
    fn walk(&self, path: &[u8], mut take: impl FnMut(u32)) {
        let Some(mut at) = self.segments.first() else {
            return;
        };
        at.rules.iter().copied().for_each(&mut take);
        for segment in path.split(|byte| *byte == b'/') {
            let child = at.children.get(segment);
            let Some(child) = child.and_then(|child| self.segments.get(*child)) else {
                return;
            };
            at = child;
            at.rules.iter().copied().for_each(&mut take);
        }
    }

    fn root(&mut self) -> &mut Segment {
        &mut self.segments[0]
    }

    /// Where a pattern's literal beginning ends, made if there is none.
    fn segment(&mut self, pattern: &PathPattern) -> &mut Segment {
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
        &mut self.segments[at]
    }
}
