//! Frames: two connections in one stream, and ttrpc's messages on each. Pure.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The longest message of ttrpc.
pub const MOST: usize = 4 << 20;

/// Before each piece: whose it is and how long.
const PIECE_HEADER: usize = 8;
/// Before each message: how long, of which call, what it is, flags.
const MESSAGE_HEADER: usize = 10;

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

/// Which of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The runtime calls the plug-in.
    Plugin,
    /// The plug-in calls the runtime.
    Runtime,
}

/// A message of ttrpc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The connection.
    pub line: Line,
    /// Which call it belongs to.
    pub stream: u32,
    /// Whether it asks or answers.
    pub kind: Kind,
    /// The protobuf message.
    pub payload: Bytes,
}

/// What a message does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It calls.
    Request,
    /// It answers a call.
    Response,
}

/// What no peer sends that speaks this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A connection that there is not.
    #[error("a frame of connection {0}, which there is not")]
    Line(u32),
    /// A message longer than messages may be.
    #[error("a message of {0} bytes")]
    TooLong(usize),
    /// A message that belongs to a stream of messages. No call here has one.
    #[error("a message of kind {0}, which no call here has")]
    Kind(u8),
}

/// Takes bytes as they come and gives messages.
#[derive(Debug, Default)]
pub struct Decoder {
    trunk: BytesMut,
    plugin: BytesMut,
    runtime: BytesMut,
}

// === impl Line ===

impl Line {
    const ALL: [Self; 2] = [Self::Plugin, Self::Runtime];

    fn number(self) -> u32 {
        match self {
            Self::Plugin => 1,
            Self::Runtime => 2,
        }
    }
}

// === impl Kind ===

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Request => REQUEST,
            Self::Response => RESPONSE,
        }
    }
}

// === impl Frame ===

impl Frame {
    /// The bytes that say it.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let Self {
            line,
            stream,
            kind,
            payload,
        } = self;
        let length = MESSAGE_HEADER + payload.len();
        let mut out = BytesMut::with_capacity(PIECE_HEADER + length);
        out.put_u32(line.number());
        out.put_u32(short(length));
        out.put_u32(short(payload.len()));
        out.put_u32(*stream);
        out.put_u8(kind.number());
        out.put_u8(0);
        out.extend_from_slice(payload);
        out.freeze()
    }
}

// === impl Decoder ===

impl Decoder {
    /// Adds what came.
    ///
    /// # Errors
    /// When it is not what a peer sends; the stream is then of no more use.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        self.trunk.extend_from_slice(bytes);
        while let Some((line, length)) = piece(&self.trunk)? {
            if self.trunk.len() < PIECE_HEADER + length {
                break;
            }
            self.trunk.advance(PIECE_HEADER);
            let piece = self.trunk.split_to(length);
            let waiting = self.line(line);
            waiting.extend_from_slice(&piece);
            if waiting.len() > 2 * (MESSAGE_HEADER + MOST) {
                return Err(WireError::TooLong(waiting.len()));
            }
        }
        Ok(())
    }

    /// The next message that is whole.
    ///
    /// # Errors
    /// As of [`Decoder::push`].
    pub fn pop(&mut self) -> Result<Option<Frame>, WireError> {
        for line in Line::ALL {
            let waiting = self.line(line);
            let Some(mut header) = waiting.get(..MESSAGE_HEADER) else {
                continue;
            };
            let length = header.get_u32() as usize;
            let stream = header.get_u32();
            let kind = match header.get_u8() {
                REQUEST => Kind::Request,
                RESPONSE => Kind::Response,
                other => return Err(WireError::Kind(other)),
            };
            if length > MOST {
                return Err(WireError::TooLong(length));
            }
            if waiting.len() < MESSAGE_HEADER + length {
                continue;
            }
            waiting.advance(MESSAGE_HEADER);
            let payload = waiting.split_to(length).freeze();
            return Ok(Some(Frame {
                line,
                stream,
                kind,
                payload,
            }));
        }
        Ok(None)
    }

    fn line(&mut self, line: Line) -> &mut BytesMut {
        match line {
            Line::Plugin => &mut self.plugin,
            Line::Runtime => &mut self.runtime,
        }
    }
}

/// Whose the piece at the front is, and its length.
fn piece(trunk: &BytesMut) -> Result<Option<(Line, usize)>, WireError> {
    let Some(mut header) = trunk.get(..PIECE_HEADER) else {
        return Ok(None);
    };
    let number = header.get_u32();
    let length = header.get_u32() as usize;
    let line = Line::ALL
        .into_iter()
        .find(|line| line.number() == number)
        .ok_or(WireError::Line(number))?;
    if length > MESSAGE_HEADER + MOST {
        return Err(WireError::TooLong(length));
    }
    Ok(Some((line, length)))
}

/// Lengths are bounded by [`MOST`] on the way in, and what we send is far shorter.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(line: Line, stream: u32, payload: &'static [u8]) -> Frame {
        Frame {
            line,
            stream,
            kind: Kind::Request,
            payload: Bytes::from_static(payload),
        }
    }

    fn all(decoder: &mut Decoder) -> Vec<Frame> {
        std::iter::from_fn(|| decoder.pop().unwrap()).collect()
    }

    #[test]
    fn a_frame_is_as_the_protocol_says() {
        let bytes = frame(Line::Runtime, 3, b"abc").encode();
        let expected: &[u8] = &[
            0, 0, 0, 2, 0, 0, 0, 13, 0, 0, 0, 3, 0, 0, 0, 3, 1, 0, b'a', b'b', b'c',
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn frames_are_found_at_every_split() {
        let frames = [frame(Line::Plugin, 1, b"one"), frame(Line::Plugin, 3, b"")];
        let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
        for split in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            let (before, after) = bytes.split_at(split);
            decoder.push(before).unwrap();
            let mut found = all(&mut decoder);
            decoder.push(after).unwrap();
            found.extend(all(&mut decoder));
            assert_eq!(found, frames, "{split}");
        }
    }

    #[test]
    fn a_message_may_come_in_pieces_of_its_connection() {
        let mut whole = frame(Line::Plugin, 1, b"hello").encode();
        whole.advance(PIECE_HEADER);
        let mut decoder = Decoder::default();
        for byte in whole {
            decoder.push(&[0, 0, 0, 1, 0, 0, 0, 1, byte]).unwrap();
        }
        assert_eq!(all(&mut decoder), [frame(Line::Plugin, 1, b"hello")]);
    }

    #[test]
    fn what_nobody_sends_ends_it() {
        for (bytes, error) in [
            (&[0, 0, 0, 0, 0, 0, 0, 1, 0][..], WireError::Line(0)),
            (&[0, 0, 0, 3, 0, 0, 0, 1, 0][..], WireError::Line(3)),
            (
                &[0, 0, 0, 1, 255, 0, 0, 0][..],
                WireError::TooLong(0xff00_0000),
            ),
        ] {
            assert_eq!(Decoder::default().push(bytes), Err(error));
        }
        let mut decoder = Decoder::default();
        decoder
            .push(&[0, 0, 0, 1, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0])
            .unwrap();
        assert_eq!(decoder.pop(), Err(WireError::Kind(3)));
        let mut decoder = Decoder::default();
        decoder
            .push(&[0, 0, 0, 1, 0, 0, 0, 10, 255, 0, 0, 0, 0, 0, 0, 1, 1, 0])
            .unwrap();
        assert_eq!(decoder.pop(), Err(WireError::TooLong(0xff00_0000)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::default();
            if decoder.push(&bytes).is_ok() {
                while let Ok(Some(_)) = decoder.pop() {}
            }
        }
    }
}
