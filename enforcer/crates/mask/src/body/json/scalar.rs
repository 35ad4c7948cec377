//! Numbers and literals: replaced by a string, where they are to be replaced.

use memchr::{memchr, memchr2, memchr3};

use super::{Cursor, Desk, Halt, Json, Reading, Sink};
use crate::Stop;
use crate::body::spelling::Spelling;

/// No number is longer.
const LONGEST: usize = 1024;

/// Zeros that are written out at most.
const EXPANDED: usize = 40;

impl Json {
    pub(super) fn scalar(
        &mut self,
        cursor: &mut Cursor<'_>,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let loose = self.reading == Reading::Loose;
        let rest = cursor.rest();
        let belongs = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'+' | b'-' | b'.')
                || (loose && byte.is_ascii_whitespace())
        };
        let ends = rest.iter().position(|byte| !belongs(byte));
        let piece = rest.get(..ends.unwrap_or(rest.len())).unwrap_or_default();
        if self.held.len() + piece.len() > LONGEST {
            return Err(Halt::Broken("a number that is too long"));
        }
        let Some(&next) = ends.and_then(|end| rest.get(end)) else {
            self.held.extend_from_slice(piece);
            cursor.given(piece.len());
            return Ok(());
        };
        let fits = !loose || matches!(next, b',' | b']' | b'}');
        let read = if self.held.is_empty() && fits {
            self.scalar_read(piece, desk, sink)
        } else {
            self.held.extend_from_slice(piece);
            let held = std::mem::take(&mut self.held);
            let mut gone = self.gone;
            let read = match fits {
                true => gone.rest(desk, sink, |desk, sink| self.scalar_read(&held, desk, sink)),
                false => Err(Halt::Broken("a number with something behind it")),
            };
            (self.held, self.gone) = (held, gone);
            read
        };
        if matches!(read, Err(Halt::Broken(_))) && self.held.is_empty() {
            self.held.extend_from_slice(piece);
        }
        cursor.given(piece.len());
        read?;
        self.held.clear();
        self.ended();
        Ok(())
    }

    /// What has come of a number has waited long enough. One that is masked whatever it is goes on waiting.
    pub(super) fn lapse_scalar(
        &mut self,
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Stop> {
        if desk.covered() {
            return Ok(());
        }
        let word = self.held.trim_ascii_end();
        self.gone.lapse((&self.held, word), desk, sink)
    }

    /// Looks at a number or literal, and gives it out.
    pub(super) fn scalar_read(
        &mut self,
        token: &[u8],
        desk: &mut Desk,
        sink: &mut dyn Sink,
    ) -> Result<(), Halt> {
        let word = token.trim_ascii_end();
        let masked = match word {
            b"null" => None,
            b"true" | b"false" if !desk.names_field() => None,
            b"true" | b"false" => desk.masked(word)?,
            _ if number(word) => match desk.masked(word)? {
                None => match expanded(word) {
                    Some(digits) => desk.masked(&digits)?,
                    None => None,
                },
                masked => masked,
            },
            _ => return Err(Halt::Broken("JSON that is malformed")),
        };
        let Some(masked) = masked else {
            sink.keep(token);
            return Ok(());
        };
        let mut string = vec![b'"'];
        Spelling::Json.write(&masked, &mut string);
        string.push(b'"');
        sink.replace(word.len(), &string);
        sink.keep(token.get(word.len()..).unwrap_or_default());
        Ok(())
    }
}

/// The digits of a number that is whole but written with a fraction or an exponent: `4.111e3`.
fn expanded(word: &[u8]) -> Option<Vec<u8>> {
    memchr3(b'.', b'e', b'E', word)?;
    let end = memchr2(b'e', b'E', word);
    let (mantissa, exponent) = word.split_at(end.unwrap_or(word.len()));
    let exponent: usize = match exponent.get(1..) {
        None => 0,
        Some(digits) => std::str::from_utf8(digits).ok()?.parse().ok()?,
    };
    let (whole, fraction) = match memchr(b'.', mantissa) {
        None => (mantissa, &b""[..]),
        Some(point) => (
            mantissa.get(..point)?,
            without_zeros(mantissa.get(point + 1..)?),
        ),
    };
    let zeros = exponent.checked_sub(fraction.len())?;
    if zeros > EXPANDED {
        return None;
    }
    let mut digits = [whole, fraction].concat();
    digits.resize(digits.len() + zeros, b'0');
    Some(digits)
}

/// A number as JSON writes it: no leading zeros, digits on both sides of the point.
fn number(word: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.first() == Some(&b'0')) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or_default();
    if let Some(behind) = rest.strip_prefix(b".") {
        let fraction = digits(behind);
        rest = behind.get(fraction..).unwrap_or_default();
        if fraction == 0 {
            return false;
        }
    }
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let exponent = exponent
        .strip_prefix(b"+")
        .or_else(|| exponent.strip_prefix(b"-"))
        .unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

fn without_zeros(fraction: &[u8]) -> &[u8] {
    let end = fraction.iter().rposition(|digit| *digit != b'0');
    fraction
        .get(..end.map_or(0, |end| end + 1))
        .unwrap_or_default()
}
