//! Strings of a document.

use memchr::memchr2;

use super::{Cursor, Desk, Halt, Json, Reading, Sink};
use crate::body::inner;
use crate::body::spelled::{Respell, Spelled};
use crate::body::spelling::Spelling;
use crate::body::value;

/// As much of a string as a chunk has.
pub(super) struct Ahead<'r> {
    /// Its bytes, without the quote at the end.
    pub(super) piece: &'r [u8],
    pub(super) reach: Reach,
    /// There are escapes in it.
    pub(super) escapes: bool,
}

/// How far a string reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It ends with the piece.
    End,
    /// It goes on; `true` where the last byte begins an escape.
    On(bool),
}

impl Json {
    pub(super) fn text(
        &mut self,
        cursor: &mut Cursor<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let Ahead {
            piece,
            reach,
            escapes,
        } = ahead(cursor.rest(), self.escaped);
        if self.reading != Reading::Loose && controls(piece) {
            return Err(Halt::Broken("a control character in a JSON string"));
        }
        let whole = reach == Reach::End && self.value.is_none();
        if whole && !escapes && inner::plain(piece) {
            return self.whole(piece, cursor, desk, sink);
        }
        if whole {
            cursor.flush(sink);
            value::whole(piece, self.spelling(), desk, sink)?;
            cursor.given(piece.len());
            cursor.at += 1;
            self.ended();
            return Ok(());
        }
        let mut value = match self.value.take() {
            Some(value) => value,
            None => {
                cursor.flush(sink);
                value::Value::open(self.spelling(), desk)
            }
        };
        value.push(piece, desk, sink)?;
        cursor.given(piece.len());
        match reach {
            Reach::End => {
                self.escaped = false;
                value.close(desk, sink)?;
                cursor.at += 1;
                self.ended();
            }
            Reach::On(escaped) => {
                self.escaped = escaped;
                self.value = Some(value);
            }
        }
        Ok(())
    }

    /// A string that lies there from one end to the other.
    fn whole(
        &mut self,
        text: &[u8],
        cursor: &mut Cursor<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        if let Some(pieces) = desk.judge(text)? {
            cursor.flush(sink);
            let mut respell = Respell {
                spelling: self.spelling(),
                spelled: &mut Spelled::default(),
                down: sink,
            };
            pieces.give(text, &mut respell);
            cursor.given(text.len());
        } else {
            cursor.at += text.len();
        }
        cursor.at += 1;
        self.ended();
        Ok(())
    }

    pub(super) const fn spelling(&self) -> Spelling {
        match self.reading {
            Reading::Loose => Spelling::LooseJson,
            Reading::Many | Reading::One => Spelling::Json,
        }
    }
}

pub(super) fn ahead(rest: &[u8], escaped: bool) -> Ahead<'_> {
    let mut at = usize::from(escaped);
    let mut escapes = escaped;
    loop {
        let Some(found) = rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) else {
            return Ahead {
                piece: rest,
                // Behind an escape's backslash the chunk may be over already.
                reach: Reach::On(at > rest.len()),
                escapes,
            };
        };
        at += found;
        if rest.get(at) == Some(&b'"') {
            return Ahead {
                piece: rest.get(..at).unwrap_or_default(),
                reach: Reach::End,
                escapes,
            };
        }
        escapes = true;
        at += 2;
    }
}

/// Whether there is a byte that strings may only hold as an escape.
pub(super) fn controls(text: &[u8]) -> bool {
    text.iter().fold(false, |any, byte| any | (*byte < 0x20))
}
