//! Bytes in characters that are not seen: tags, which copy ASCII, and selectors of variations, of which there are 256.

use super::reading::READINGS;
use super::stretch::Stretch;
use super::{Context, Work};
use crate::engines::Window;
use crate::layers::Layers;

#[derive(Clone, Debug)]
pub(super) struct Smuggled {
    next: u64,
    short: bool,
    live: bool,
    stretch: Stretch,
}

enum Unit {
    /// A byte, in so many.
    Byte(u8, usize),
    Other,
    Short,
}

// === impl Smuggled ===

impl Default for Smuggled {
    fn default() -> Self {
        Self {
            next: 0,
            short: false,
            live: false,
            stretch: Stretch::new(Layers::SMUGGLED, READINGS[0].looked_for()),
        }
    }
}

impl Smuggled {
    /// As a new one, in the room that it has.
    pub(super) fn restart(&mut self) {
        (self.next, self.short, self.live) = (0, false, false);
        self.stretch.restart();
    }

    pub(super) fn begin_at(&mut self, at: u64) {
        self.next = at;
    }

    pub(super) fn feed(&mut self, window: &Window<'_>, work: &mut Work<'_, '_>) {
        let text = window.text;
        let mut at = (self.next.max(window.base) - window.base) as usize;
        self.short = false;
        if !self.live && memchr::memchr(0xf3, &text[at..]).is_none() {
            self.next = window.base + text.len() as u64;
            return;
        }
        while at < text.len() {
            if !self.live {
                let found = memchr::memchr(0xf3, &text[at..]);
                at = found.map_or(text.len(), |found| at + found);
                if at == text.len() {
                    break;
                }
            }
            match unit(&text[at..]) {
                Unit::Short if !window.last => {
                    self.short = true;
                    break;
                }
                Unit::Byte(byte, took) => {
                    let source = window.base + at as u64;
                    if !self.live {
                        self.stretch.begin(source, source, None::<&Context>);
                        self.live = true;
                    }
                    self.stretch.take(&[byte], (source, took as u8), work);
                    at += took;
                }
                Unit::Other | Unit::Short => {
                    at += usize::from(!self.live);
                    self.live = false;
                    self.stretch.end(work);
                }
            }
        }
        if window.last {
            self.stretch.end(work);
        }
        self.next = window.base + at as u64;
        self.stretch.show(work);
    }

    pub(super) fn open(&self) -> Option<u64> {
        let next = self.short.then_some(self.next);
        [next, self.stretch.open()].into_iter().flatten().min()
    }

    pub(super) fn first_source(&self) -> Option<u64> {
        self.stretch.first_source()
    }
}

fn unit(rest: &[u8]) -> Unit {
    match rest {
        [0xf3, 0xa0, 0x80, low @ 0xa0..=0xbf, ..] => Unit::Byte(low - 0x80, 4),
        [0xf3, 0xa0, 0x81, low @ 0x80..=0xbf, ..] => Unit::Byte(low - 0x40, 4),
        [0xf3, 0xa0, high @ 0x84..=0x87, low @ 0x80..=0xbf, ..] => {
            let byte = u32::from(*high - 0x84) * 64 + u32::from(*low - 0x80) + 16;
            u8::try_from(byte).map_or(Unit::Other, |byte| Unit::Byte(byte, 4))
        }
        [0xef, 0xb8, low @ 0x80..=0x8f, ..] => Unit::Byte(low - 0x80, 3),
        [0xf3] | [0xf3, 0xa0] | [0xf3, 0xa0, 0x80 | 0x81 | 0x84..=0x87] => Unit::Short,
        [0xef] | [0xef, 0xb8] => Unit::Short,
        _ => Unit::Other,
    }
}
