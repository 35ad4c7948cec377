//! Text in what digits say.

use super::{Context, LET_GO, Work};
use crate::channel::{Channel, Last};
use crate::layers::Layers;

/// So many bytes of text on end are no chance.
const ENOUGH: usize = 8;

/// Finds text in decoded bytes, and shows it.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    layer: Layers,
    /// Offset of the first digit.
    start: u64,
    /// What is replaced begins here at the earliest.
    free: u64,
    /// Groups before this are not looked at.
    bar: u64,
    /// Bytes that may be the beginning of text.
    units: Vec<Group>,
    count: usize,
    /// Bytes of a character that are still to come.
    more: u8,
    /// The byte before, if it was kept.
    before: u8,
    context: Context,
    view: Option<Box<Channel>>,
    grown: bool,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    bytes: [u8; 8],
    len: u8,
    at: u64,
    took: u8,
}

enum Kind {
    Break,
    Text,
    /// Every other byte of a wide encoding.
    Wide,
}

/// Whether it is a byte of plain text.
pub(super) const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// How many of `bytes` pass before something that is text for long enough, or up to their end.
pub(super) fn skim(bytes: &[u8]) -> usize {
    let (mut start, mut at) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        let len = match byte {
            byte if is_text(*byte) => 1,
            0 if at > start && is_text(bytes[at - 1]) => 1,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 0,
        };
        let more = bytes
            .get(at + 1..bytes.len().min(at + len))
            .unwrap_or_default();
        let cut = more.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
        at += 1 + cut;
        if len == 0 || cut < more.len() {
            start = at;
        } else if at - start >= ENOUGH {
            break;
        }
    }
    start
}

// === impl Stretch ===

impl Stretch {
    pub(super) fn new(layer: Layers) -> Self {
        Self {
            layer,
            start: 0,
            free: 0,
            bar: 0,
            units: Vec::new(),
            count: 0,
            more: 0,
            before: 0,
            context: Context::default(),
            view: None,
            grown: false,
        }
    }

    /// Digits begin at `start`, of which none before `free` is replaced, behind what `context` says.
    pub(super) fn begin(&mut self, start: u64, free: u64, context: Option<&Context>) {
        self.start = start;
        self.free = free;
        self.bar = start;
        self.context.text.clear();
        if let Some(context) = context {
            self.context.text.extend_from_slice(&context.text);
            self.context.at = context.at;
        }
    }

    /// Nothing is begun.
    pub(super) const fn is_idle(&self) -> bool {
        self.count == 0
    }

    /// Takes the bytes that the `took` bytes at `at` say.
    pub(super) fn take(&mut self, bytes: &[u8], (at, took): (u64, u8), work: &mut Work<'_, '_>) {
        if at < self.bar {
            return;
        }
        let mut group = Group::new(at, took, self.free);
        for byte in bytes {
            match self.kind(*byte) {
                Kind::Text => group.push(*byte),
                Kind::Wide => {}
                Kind::Break => {
                    self.keep(group, work);
                    self.end(work);
                    self.broken(at);
                    if at < self.bar {
                        return;
                    }
                    group = Group::new(at, took, self.free);
                    if let Kind::Text = self.kind(*byte) {
                        group.push(*byte);
                    }
                }
            }
            self.before = *byte;
        }
        self.keep(group, work);
    }

    /// What follows is no part of it.
    pub(super) fn end(&mut self, work: &mut Work<'_, '_>) {
        if let Some(mut view) = self.view.take() {
            view.show(work.trail, Last::Text, work.look);
        }
        self.units.clear();
        self.count = 0;
        self.more = 0;
        self.before = 0;
        self.grown = false;
    }

    pub(super) const fn is_shown(&self) -> bool {
        self.view.is_some()
    }

    pub(super) fn show(&mut self, work: &mut Work<'_, '_>) {
        if let Some(view) = &mut self.view
            && self.grown
        {
            view.show(work.trail, Last::No, work.look);
            self.grown = false;
        }
    }

    pub(super) fn open(&self) -> Option<u64> {
        match &self.view {
            Some(view) => view.open(),
            None => self.units.first().map(|group| group.at),
        }
    }

    pub(super) fn first_source(&self) -> Option<u64> {
        self.view.as_ref().map(|view| view.first_source())
    }

    /// Where a run begins with something else, text is looked for only behind as much as was let go before it was known
    /// to be a run.
    pub(super) fn broken(&mut self, at: u64) {
        let bar = self.start + LET_GO;
        if at < bar {
            self.bar = bar;
        }
    }

    fn keep(&mut self, group: Group, work: &mut Work<'_, '_>) {
        if group.len == 0 {
            return;
        }
        let first = self.units.is_empty() && self.count == 0;
        self.count += usize::from(group.len);
        if let Some(view) = &mut self.view {
            view.unit(group.bytes(), (group.at, group.took), self.layer);
            self.grown = true;
            return;
        }
        if first && group.at > self.start.max(self.free) {
            self.context.text.clear();
        }
        self.units.push(group);
        if self.count < ENOUGH {
            return;
        }
        let mut view = Box::new(Channel::new(work.above | self.layer, work.limits));
        // A value's name and the sign behind it are all that detectors need to see again.
        let wake = self.context.text.len().saturating_sub(4);
        view.context(&self.context.text, self.context.at, wake);
        view.begins_here();
        for group in self.units.drain(..) {
            view.unit(group.bytes(), (group.at, group.took), self.layer);
        }
        self.view = Some(view);
        self.grown = true;
    }

    fn kind(&mut self, byte: u8) -> Kind {
        if self.more > 0 && byte & 0xc0 == 0x80 {
            self.more -= 1;
            return Kind::Text;
        }
        let cut = self.more > 0;
        self.more = match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => 0,
        };
        match byte {
            _ if cut => Kind::Break,
            0 if is_text(self.before) => Kind::Wide,
            0xc2..=0xf4 => Kind::Text,
            byte if is_text(byte) => Kind::Text,
            _ => Kind::Break,
        }
    }
}

// === impl Group ===

impl Group {
    fn new(at: u64, took: u8, free: u64) -> Self {
        let end = at + u64::from(took);
        let at = at.max(free.min(end));
        Self {
            bytes: [0; 8],
            len: 0,
            at,
            took: (end - at) as u8,
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(to) = self.bytes.get_mut(usize::from(self.len)) {
            *to = byte;
            self.len += 1;
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}
