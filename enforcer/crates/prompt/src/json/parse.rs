//! The walk over a document's tokens. It keeps its own stack, so that depth is a number and not the thread's.

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem;

use hifijson::escape::Lex as _;
use hifijson::num::LexWrite as _;
use hifijson::token::Lex as _;
use hifijson::{Read as _, SliceLexer};
use memchr::memchr2;

use super::{Data, Document, Member, Number, Value};
use crate::{Cause, Limits, Undecidable};

/// No deeper whatever is configured, because values are dropped by recursion.
const DEEPEST: usize = 512;

/// Up to this many members are compared pair by pair.
const FEW: usize = 12;

/// An array or object that is still open.
enum Open<'a> {
    Array {
        start: u32,
        elements: Vec<Value<'a>>,
    },
    Object {
        start: u32,
        members: Vec<Member<'a>>,
        key: Cow<'a, str>,
        key_start: u32,
    },
}

struct Walk<'a, 'l> {
    text: &'a str,
    lexer: SliceLexer<'a>,
    open: Vec<Open<'a>>,
    values: usize,
    limits: &'l Limits,
}

pub(super) fn document<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Document<'a>, Undecidable> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Undecidable::new(Cause::InvalidUnicode, "", error.valid_up_to()))?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(Undecidable::whole(Cause::TooMany));
    }
    let mut walk = Walk {
        text,
        lexer: SliceLexer::new(bytes),
        open: Vec::new(),
        values: 0,
        limits,
    };
    if walk.lexer.ws_peek().is_none() {
        return Err(Undecidable::whole(Cause::Empty));
    }
    let root = walk.root()?;
    match walk.lexer.ws_peek() {
        None => Ok(Document { text, root }),
        Some(_) => Err(walk.wrong(Cause::TrailingBytes)),
    }
}

impl<'a> Walk<'a, '_> {
    fn root(&mut self) -> Result<Value<'a>, Undecidable> {
        loop {
            let Some(mut value) = self.value()? else {
                continue;
            };
            loop {
                match self.place(value)? {
                    Placed::Closed(outer) => value = outer,
                    Placed::Next => break,
                    Placed::Root(root) => return Ok(root),
                }
            }
        }
    }

    /// The next value, or nothing when it is an array or object that was opened and has something in it.
    fn value(&mut self) -> Result<Option<Value<'a>>, Undecidable> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(self.wrong(Cause::TooMany));
        }
        let next = self.lexer.ws_peek();
        let start = self.offset();
        let data = match next {
            Some(b'"') => Data::String(self.string()?),
            Some(b'{') => return self.object(start),
            Some(b'[') => return self.array(start),
            Some(b'-' | b'0'..=b'9') => Data::Number(self.number()?),
            Some(b'n' | b't' | b'f') => match self.lexer.null_or_bool() {
                Some(None) => Data::Null,
                Some(Some(it)) => Data::Bool(it),
                None => return Err(self.wrong(Cause::Malformed)),
            },
            Some(_) => return Err(self.wrong(Cause::Malformed)),
            None => return Err(self.wrong(Cause::Truncated)),
        };
        let end = self.offset();
        Ok(Some(Value { start, end, data }))
    }

    fn array(&mut self, start: u32) -> Result<Option<Value<'a>>, Undecidable> {
        self.deeper()?;
        if self.lexer.ws_peek() == Some(b']') {
            return Ok(Some(self.close(start, Data::Array(Vec::new()))));
        }
        self.open.push(Open::Array {
            start,
            elements: Vec::new(),
        });
        Ok(None)
    }

    fn object(&mut self, start: u32) -> Result<Option<Value<'a>>, Undecidable> {
        self.deeper()?;
        if self.lexer.ws_peek() == Some(b'}') {
            return Ok(Some(self.close(start, Data::Object(Vec::new()))));
        }
        self.open.push(Open::Object {
            start,
            members: Vec::new(),
            key: "".into(),
            key_start: start,
        });
        self.key()?;
        Ok(None)
    }

    fn deeper(&mut self) -> Result<(), Undecidable> {
        if self.open.len() >= self.limits.depth.min(DEEPEST) {
            return Err(self.wrong(Cause::TooDeep));
        }
        self.lexer.take_next();
        Ok(())
    }

    /// The next key and its colon, kept with the object that is open.
    fn key(&mut self) -> Result<(), Undecidable> {
        self.expect(b'"')?;
        let before = self.offset();
        let name = self.string()?;
        self.expect(b':')?;
        self.lexer.take_next();
        if let Some(Open::Object { key, key_start, .. }) = self.open.last_mut() {
            *key = name;
            *key_start = before;
        }
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Undecidable> {
        match self.lexer.ws_peek() {
            Some(found) if found == byte => Ok(()),
            Some(_) => Err(self.wrong(Cause::Malformed)),
            None => Err(self.wrong(Cause::Truncated)),
        }
    }

    /// Puts a value where it belongs and reads on to the next one, or to the end of what holds it.
    fn place(&mut self, value: Value<'a>) -> Result<Placed<'a>, Undecidable> {
        let Some(open) = self.open.last_mut() else {
            return Ok(Placed::Root(value));
        };
        let end = match open {
            Open::Array { elements, .. } => {
                elements.push(value);
                b']'
            }
            Open::Object {
                members,
                key,
                key_start,
                ..
            } => {
                members.push(Member {
                    key: mem::take(key),
                    start: *key_start,
                    value,
                });
                b'}'
            }
        };
        match self.lexer.ws_peek() {
            Some(b',') => {
                self.lexer.take_next();
                if end == b'}' {
                    self.key()?;
                }
                Ok(Placed::Next)
            }
            Some(found) if found == end => self.closed(),
            Some(_) => Err(self.wrong(Cause::Malformed)),
            None => Err(self.wrong(Cause::Truncated)),
        }
    }

    fn closed(&mut self) -> Result<Placed<'a>, Undecidable> {
        let Some(open) = self.open.pop() else {
            return Err(self.wrong(Cause::Malformed));
        };
        let (start, data) = match open {
            Open::Array { start, elements } => (start, Data::Array(elements)),
            Open::Object { start, members, .. } => {
                if let Some(twice) = repeated(&members) {
                    let place = format!("{}/{}", self.pointer(), escape(&twice.key));
                    return Err(Undecidable::new(
                        Cause::DuplicateKey,
                        place,
                        twice.start as usize,
                    ));
                }
                (start, Data::Object(members))
            }
        };
        Ok(Placed::Closed(self.close(start, data)))
    }

    fn close(&mut self, start: u32, data: Data<'a>) -> Value<'a> {
        self.lexer.take_next();
        let end = self.offset();
        Value { start, end, data }
    }

    /// A text in its quotes; what has no escapes is borrowed.
    fn string(&mut self) -> Result<Cow<'a, str>, Undecidable> {
        let at = self.offset() as usize;
        self.lexer.take_next();
        let mut unescaped: Option<String> = None;
        loop {
            let start = self.offset() as usize;
            let rest = self.text.get(start..).unwrap_or_default();
            let Some(length) = memchr2(b'"', b'\\', rest.as_bytes()) else {
                return Err(Undecidable::new(Cause::Truncated, self.pointer(), at));
            };
            let (piece, after) = rest.split_at(length);
            if piece.bytes().any(|byte| byte < b' ') {
                return Err(Undecidable::new(Cause::Malformed, self.pointer(), start));
            }
            self.lexer = SliceLexer::new(after.as_bytes());
            let quote = self.lexer.take_next() == Some(b'"');
            match (&mut unescaped, quote) {
                (None, true) => return Ok(Cow::Borrowed(piece)),
                (Some(text), true) => {
                    text.push_str(piece);
                    return Ok(Cow::Owned(mem::take(text)));
                }
                (text, false) => {
                    let escaped = self.escape(at)?;
                    let text = text.get_or_insert_with(|| String::with_capacity(2 * length + 16));
                    text.push_str(piece);
                    text.push(escaped);
                }
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self, at: usize) -> Result<char, Undecidable> {
        use hifijson::escape::Error;
        let escaped = match self.lexer.take_next() {
            Some(next) => self.lexer.escape(next),
            None => Err(Error::Eof),
        };
        escaped.map_err(|error| {
            let cause = match error {
                Error::InvalidChar(_) | Error::ExpectedLowSurrogate => Cause::InvalidUnicode,
                Error::Eof => Cause::Truncated,
                Error::InvalidKind(_) | Error::InvalidHex(_) => Cause::Malformed,
            };
            Undecidable::new(cause, self.pointer(), at)
        })
    }

    fn number(&mut self) -> Result<Number<'a>, Undecidable> {
        let at = self.offset();
        let (text, parts) = self
            .lexer
            .num_string()
            .validated()
            .map_err(|_| self.wrong(Cause::Malformed))?;
        let exact = if parts.is_int() {
            text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok()
        } else {
            has_a_value(text)
        };
        if exact {
            Ok(Number(text))
        } else {
            Err(Undecidable::new(Cause::Number, self.pointer(), at as usize))
        }
    }

    fn offset(&self) -> u32 {
        let read = self.text.len() - self.lexer.as_slice().len();
        // Checked at the start: the whole text is shorter.
        u32::try_from(read).unwrap_or(u32::MAX)
    }

    fn wrong(&self, cause: Cause) -> Undecidable {
        Undecidable::new(cause, self.pointer(), self.offset() as usize)
    }

    /// Where the walk is.
    fn pointer(&self) -> String {
        let mut pointer = String::new();
        for open in &self.open {
            match open {
                Open::Array { elements, .. } => {
                    pointer.push('/');
                    pointer.push_str(&elements.len().to_string());
                }
                // Between two members the walk is in the object itself.
                Open::Object { key, .. } if key.is_empty() => {}
                Open::Object { key, .. } => {
                    pointer.push('/');
                    pointer.push_str(&escape(key));
                }
            }
        }
        pointer
    }
}

enum Placed<'a> {
    Closed(Value<'a>),
    Next,
    Root(Value<'a>),
}

/// Neither beyond what a fraction can hold nor so small that it would become zero.
fn has_a_value(text: &str) -> bool {
    let Ok(value) = text.parse::<f64>() else {
        return false;
    };
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let zero = mantissa.bytes().all(|byte| !matches!(byte, b'1'..=b'9'));
    value.is_finite() && (value != 0.0 || zero)
}

fn repeated<'m, 'a>(members: &'m [Member<'a>]) -> Option<&'m Member<'a>> {
    if members.len() <= FEW {
        return members
            .iter()
            .enumerate()
            .find(|(at, member)| members[..*at].iter().any(|other| other.key == member.key))
            .map(|(_, member)| member);
    }
    let mut seen: HashSet<&str, foldhash::fast::RandomState> =
        HashSet::with_capacity_and_hasher(members.len(), foldhash::fast::RandomState::default());
    members.iter().find(|member| !seen.insert(&member.key))
}

/// A key as a step of a JSON pointer, RFC 6901; shortened, because places are quoted to people.
pub(crate) fn escape(key: &str) -> String {
    const SHOWN: usize = 64;
    let mut step = key.replace('~', "~0").replace('/', "~1");
    if let Some((end, _)) = step.char_indices().nth(SHOWN) {
        step.truncate(end);
        step.push('…');
    }
    step
}
