//! Text in what digits say.

use super::sift::is_text;
use super::{Context, LET_GO, Work};
use crate::channel::{Channel, Last};
use crate::layers::Layers;

/// Finds text in decoded bytes, and shows it.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    layer: Layers,
    /// How much text on end is looked for, and whether that is more than ASCII.
    enough: usize,
    wide: bool,
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
    /// One that ended, to be used again.
    spare: Option<Box<Channel>>,
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

// === impl Stretch ===

impl Stretch {
    pub(super) fn new(layer: Layers, (enough, wide): (usize, bool)) -> Self {
        Self {
            layer,
            enough,
            wide,
            start: 0,
            free: 0,
            bar: 0,
            units: Vec::new(),
            count: 0,
            more: 0,
            before: 0,
            context: Context::default(),
            view: None,
            spare: None,
            grown: false,
        }
    }

    /// As a new one, in the room that it has.
    pub(super) fn restart(&mut self) {
        if let Some(view) = self.view.take() {
            self.spare = Some(view);
        }
        self.clear();
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

    /// Takes groups of which each says `per` bytes, as far as they are plain text of a view that is shown; says how many.
    pub(super) fn go_on(&mut self, bytes: &[u8], per: usize, (at, took): (u64, u8)) -> usize {
        let Some(view) = &mut self.view else {
            return 0;
        };
        if self.more > 0 || at < self.free {
            return 0;
        }
        let groups = plain(bytes) / per;
        if let Some(last) = (groups * per).checked_sub(1) {
            self.before = bytes[last];
            self.count += groups * per;
            self.grown = true;
            view.groups((&bytes[..groups * per], per), (at, took), self.layer);
        }
        groups
    }

    /// Likewise where nothing is begun, if they are enough to be shown.
    pub(super) fn open_with(
        &mut self,
        bytes: &[u8],
        per: usize,
        ((mut at, took), work): ((u64, u8), &mut Work<'_, '_>),
    ) -> usize {
        let groups = plain(bytes) / per;
        if groups * per < self.enough || at < self.bar || self.more > 0 {
            return 0;
        }
        let mut rest = &bytes[..groups * per];
        // Of what is not replaced, less than a group may be.
        while at < self.free && !rest.is_empty() {
            let (group, others) = rest.split_at(per);
            let mut one = Group::new(at, took, self.free);
            group.iter().for_each(|byte| one.push(*byte));
            self.keep(one, work);
            (rest, at) = (others, at + u64::from(took));
        }
        if self.view.is_none() {
            if self.count == 0 && at > self.start.max(self.free) {
                self.context.text.clear();
            }
            self.open_view(work);
        }
        self.count += rest.len();
        if let Some(view) = &mut self.view {
            view.groups((rest, per), (at, took), self.layer);
        }
        self.before = bytes[groups * per - 1];
        self.grown = true;
        groups
    }

    /// What follows is no part of it.
    pub(super) fn end(&mut self, work: &mut Work<'_, '_>) {
        if let Some(mut view) = self.view.take() {
            view.show(work.trail, Last::Text, work.look);
            self.spare = Some(view);
        }
        self.clear();
    }

    fn clear(&mut self) {
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
        if self.count >= self.enough {
            self.open_view(work);
        }
    }

    /// Shows what is kept.
    fn open_view(&mut self, work: &Work<'_, '_>) {
        let layers = work.above | self.layer;
        let mut view = match self.spare.take() {
            Some(mut spare) => {
                spare.restart(layers, work.limits);
                spare
            }
            None => Box::new(Channel::new(layers, work.limits)),
        };
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
        if byte >= 0x80 && !self.wide {
            return Kind::Break;
        }
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

/// How many bytes of plain text these begin with; mostly all are, which is told in a way that compiles to vectors.
fn plain(bytes: &[u8]) -> usize {
    if bytes.iter().fold(true, |all, byte| all & is_text(*byte)) {
        return bytes.len();
    }
    bytes.iter().take_while(|byte| is_text(**byte)).count()
}
