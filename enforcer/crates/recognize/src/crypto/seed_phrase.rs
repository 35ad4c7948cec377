//! Seed phrases of wallets: 12 to 24 words of the English list of BIP-39, the last of which checks the others.

use std::sync::LazyLock;

use bip39::{Language, Mnemonic};

use crate::context::Words;
use crate::{
    Confidence::{High, Medium},
    Detector, Family, Look, Sight, Wake, context,
};

pub(crate) static SEED_PHRASE: Detector = Detector {
    name: "seed_phrase",
    family: Family::Crypto,
    wake: &[Wake::Words],
    longest: 24 * 9 - 1,
    recognise,
    examples: &[
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
        "test test test test test test test test test test test junk",
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
        "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
    ],
};

/// The most words and the fewest.
const MOST: usize = 24;
const LEAST: usize = 12;

const WORDS: Words = Words::new(&[
    "seed",
    "mnemonic",
    "recovery phrase",
    "secret phrase",
    "seed phrase",
    "backup phrase",
    "bip39",
    "wallet",
    "passphrase",
]);

static LISTED: LazyLock<Listed> = LazyLock::new(Listed::new);

/// The list by the first four letters, of which no two words have the same.
struct Listed {
    /// One more than the place in the list; none is 0.
    places: Box<[u16; SLOTS]>,
}

/// Four times as many as there are words.
const SLOTS: usize = 8192;

impl Listed {
    fn new() -> Self {
        let mut places = Box::new([0; SLOTS]);
        for (place, word) in (1..).zip(Language::English.word_list()) {
            let mut slot = Self::slot(word.as_bytes());
            while places[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            places[slot] = place;
        }
        Self { places }
    }

    fn holds(&self, word: &[u8]) -> bool {
        let list = Language::English.word_list();
        let mut slot = Self::slot(word);
        while let Some(place) = usize::from(self.places[slot]).checked_sub(1) {
            if list[place].as_bytes() == word {
                return true;
            }
            slot = (slot + 1) % SLOTS;
        }
        false
    }

    fn slot(word: &[u8]) -> usize {
        let mut head = [0; 4];
        for (to, from) in head.iter_mut().zip(word) {
            *to = *from;
        }
        (u32::from_le_bytes(head).wrapping_mul(0x9E37_79B1) >> 19) as usize
    }
}

/// Words of the list that follow each other.
struct Row {
    start: usize,
    /// Where each word begins and ends.
    words: [(usize, usize); MOST],
    count: usize,
    /// The text ended before the row did.
    open: bool,
}

/// A phrase can begin at any word of the run. Most words are none of the list: so the twelfth is looked at first, and only
/// if that is one, those before it.
fn recognise(look: &Look<'_>) -> Sight {
    let mut at = look.at
        + look.text[look.at..]
            .iter()
            .take_while(|byte| **byte == b' ')
            .count();
    loop {
        match skip(look, at) {
            Skip::To(next) => at = next,
            Skip::Row(start) => {
                let row = read(look, start);
                match judge(look, &row) {
                    Some(sight) => return sight,
                    // The next word is the next chance; a row that has ended is done with.
                    None if row.count < LEAST => at = row.behind(look),
                    None => at = row.words[1].0,
                }
            }
            Skip::End(sight) => return sight,
        }
    }
}

/// Where to look next.
enum Skip {
    /// The run is over.
    End(Sight),
    /// A row of listed words begins here.
    Row(usize),
    /// None begins before this word.
    To(usize),
}

/// Of the next twelve words the last one that is not listed: behind it a row may begin.
fn skip(look: &Look<'_>, at: usize) -> Skip {
    let mut ends = [(0, 0); LEAST];
    let mut count = 0;
    let mut next = at;
    while count < LEAST {
        let Some(word) = word(look, next) else { break };
        ends[count] = word;
        count += 1;
        next = following(look, word.1);
    }
    let whole = count == LEAST;
    match ends[..count]
        .iter()
        .rposition(|word| !is_listed(look, *word))
    {
        None if count == 0 => Skip::End(beyond(look, at)),
        None => Skip::Row(at),
        Some(last) if last + 1 < count => Skip::To(ends[last + 1].0),
        Some(_) if whole && word(look, next).is_some() => Skip::To(next),
        Some(last) => Skip::End(beyond(look, ends[last].1)),
    }
}

/// No row is in sight, but the run may go on in what follows.
fn beyond(look: &Look<'_>, end: usize) -> Sight {
    let end = end + usize::from(look.text.get(end) == Some(&b' '));
    if end >= look.text.len() && !look.last {
        Sight::Open {
            start: look.text.len(),
        }
    } else {
        Sight::Nothing
    }
}

impl Row {
    /// Where the run goes on, if it does.
    fn behind(&self, look: &Look<'_>) -> usize {
        self.words[..self.count]
            .last()
            .map_or(self.start + 1, |word| following(look, word.1))
    }
}

fn read(look: &Look<'_>, start: usize) -> Row {
    let mut row = Row {
        start,
        words: [(0, 0); MOST],
        count: 0,
        open: false,
    };
    let mut next = start;
    while row.count < MOST {
        let Some(found) = word(look, next).filter(|word| is_listed(look, *word)) else {
            row.open |= next >= look.text.len() && !look.last;
            return row;
        };
        if found.1 == look.text.len() && !look.last {
            row.open = true;
            return row;
        }
        row.words[row.count] = found;
        row.count += 1;
        next = following(look, found.1);
        if next == found.1 {
            return row;
        }
    }
    row
}

/// What a row's beginning is; `None` if no phrase begins with its first word.
fn judge(look: &Look<'_>, row: &Row) -> Option<Sight> {
    let start = row.start;
    if row.open {
        return Some(Sight::Open { start });
    }
    let phrase = |count: usize| start..row.words[count - 1].1;
    for count in [24, 21, 18, 15, 12]
        .into_iter()
        .filter(|count| *count <= row.count)
    {
        let span = phrase(count);
        let text = std::str::from_utf8(&look.text[span.clone()]).ok()?;
        if Mnemonic::parse_in_normalized(Language::English, text).is_ok() {
            return Some(Sight::Found {
                span,
                confidence: High,
            });
        }
    }
    let written = matches!(row.count, 12 | 15 | 18 | 21 | 24) && context::told(look, start, &WORDS);
    written.then(|| Sight::Found {
        span: phrase(row.count),
        confidence: Medium,
    })
}

/// The word that begins here, if one does.
fn word(look: &Look<'_>, at: usize) -> Option<(usize, usize)> {
    let length = look
        .text
        .get(at..)?
        .iter()
        .take_while(|byte| byte.is_ascii_lowercase())
        .count();
    (length > 0).then_some((at, at + length))
}

/// Where the next word of the run would begin; the end itself if the run ends there.
fn following(look: &Look<'_>, end: usize) -> usize {
    end + usize::from(look.text.get(end) == Some(&b' '))
}

/// It is a word of the list, or can become one.
fn is_listed(look: &Look<'_>, (start, end): (usize, usize)) -> bool {
    if end - start > 8 {
        return false;
    }
    let word = &look.text[start..end];
    match look.text.get(end) {
        None if !look.last => {
            let list = Language::English.word_list();
            let place = list.partition_point(|known| known.as_bytes() < word);
            list.get(place)
                .is_some_and(|known| known.as_bytes().starts_with(word))
        }
        // Longer than its small letters.
        Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') => false,
        Some(_) | None => end - start > 2 && LISTED.holds(word),
    }
}
