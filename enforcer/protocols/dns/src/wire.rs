//! Bytes to one question, and an answer back to bytes. Pure; knows no policy and no names.
//!
//! Strict on purpose: a query is one question and at most one OPT record, with nothing before, between or behind. A real
//! resolver sends nothing else, and what is not read cannot be misread. Responses are met with silence, so that no two
//! servers can be made to talk to each other for ever.

use hickory_proto::op::{
    Edns, Header, Message, MessageType, Metadata, OpCode, Query, ResponseCode,
};
use hickory_proto::rr::rdata::SOA;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

use crate::Cause;

/// Longest query that is read. A question takes at most 271 bytes; the rest is room for EDNS options and padding.
pub const MAX_QUERY: usize = 4096;

/// Largest answer over UDP for clients that allow more than 512 bytes: fits an IPv6 packet on every link.
/// <https://www.rfc-editor.org/rfc/rfc9715#section-3>
const MAX_DATAGRAM: u16 = 1232;

/// Every DNS answer over UDP may have this size. <https://www.rfc-editor.org/rfc/rfc1035#section-4.2.1>
const MIN_DATAGRAM: u16 = 512;

/// How long a resolver may remember a no. Short, because a policy may allow the name in the next moment.
const NEGATIVE_TTL: u32 = 2;

/// How a query came, which bounds how long the answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Two bytes of length, then the message.
    Tcp,
    /// One datagram.
    Udp,
}

/// A well-formed query: one question, and what of it an answer must repeat.
#[derive(Debug)]
pub(crate) struct Question {
    echo: Echo,
    query: Query,
}

/// What any answer repeats of the query it answers.
#[derive(Debug)]
pub(crate) struct Echo {
    metadata: Metadata,
    query: Option<Query>,
    opt: Option<Opt>,
}

/// What an OPT record says that matters here. Read by hand: options are skipped, and nothing an agent puts into them can
/// make the library log. <https://www.rfc-editor.org/rfc/rfc6891#section-6.1>
#[derive(Clone, Copy, Debug)]
struct Opt {
    payload: u16,
    version: u8,
    dnssec_ok: bool,
}

/// Why bytes are not a question.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nothing that an answer could be addressed to, or itself an answer.
    Mute,
    /// A query that is refused as such.
    Refused(Box<Echo>, ResponseCode, Cause),
}

// === impl Question ===

impl Question {
    /// Reads a query.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut decoder = BinDecoder::new(bytes);
        let Ok(header) = Header::read(&mut decoder) else {
            return Err(Fault::Mute);
        };
        if header.message_type == MessageType::Response {
            return Err(Fault::Mute);
        }
        let mut echo = Echo {
            metadata: header.metadata,
            query: None,
            opt: None,
        };
        if header.op_code != OpCode::Query {
            return Err(echo.refused(ResponseCode::NotImp, Cause::Opcode));
        }
        let counts = header.counts;
        let shape = (counts.queries, counts.answers, counts.authorities);
        if bytes.len() > MAX_QUERY || header.truncation || shape != (1, 0, 0) {
            return Err(echo.malformed());
        }
        let Ok(query) = Query::read(&mut decoder) else {
            return Err(echo.malformed());
        };
        echo.query = Some(query.clone());
        echo.opt = match counts.additionals {
            0 => None,
            1 => match Opt::read(&mut decoder) {
                Some(opt) => Some(opt),
                None => return Err(echo.malformed()),
            },
            2.. => return Err(echo.malformed()),
        };
        if !decoder.is_empty() {
            return Err(echo.malformed());
        }
        if echo.opt.is_some_and(|opt| opt.version > 0) {
            return Err(echo.refused(ResponseCode::BADVERS, Cause::EdnsVersion));
        }
        Ok(Self { echo, query })
    }

    /// What is asked.
    pub(crate) fn query(&self) -> &Query {
        &self.query
    }

    /// An answer with records of the question's own name.
    pub(crate) fn grant(&self, ttl: u32, data: RData) -> Message {
        let mut message = self.echo.respond(ResponseCode::NoError);
        message.add_answer(Record::from_rdata(self.query.name().clone(), ttl, data));
        message
    }

    /// An answer without records, which resolvers may remember for a moment: `NoError` says that the name has no records
    /// of this type, `NXDomain` that there is no such name.
    pub(crate) fn deny(&self, code: ResponseCode) -> Message {
        let mut message = self.echo.respond(code);
        message.add_authority(start_of_authority());
        message
    }

    /// An answer with records as somebody else gave them.
    pub(crate) fn pass_on(&self, records: Vec<Record>) -> Message {
        let mut message = self.echo.respond(ResponseCode::NoError);
        message.add_answers(records);
        message
    }

    /// An answer that says nothing but its code, and that nobody remembers.
    pub(crate) fn refuse(&self, code: ResponseCode) -> Message {
        self.echo.respond(code)
    }

    /// The longest answer that the asker takes.
    pub(crate) fn room(&self, transport: Transport) -> u16 {
        self.echo.room(transport)
    }
}

// === impl Echo ===

impl Echo {
    /// The frame of an answer.
    pub(crate) fn respond(&self, code: ResponseCode) -> Message {
        let Self {
            metadata,
            query,
            opt,
        } = self;
        let mut message = Message::response(metadata.id, metadata.op_code);
        message.metadata = Metadata::response_from_request(metadata);
        message.metadata.recursion_available = true;
        message.metadata.response_code = code;
        message.add_queries(query.iter().cloned());
        if let Some(opt) = opt {
            let mut edns = Edns::new();
            edns.set_max_payload(MAX_DATAGRAM);
            // <https://www.rfc-editor.org/rfc/rfc3225#section-3>: the answer repeats the DO bit.
            edns.set_dnssec_ok(opt.dnssec_ok);
            message.set_edns(edns);
        }
        message
    }

    /// The longest answer that the asker takes.
    pub(crate) fn room(&self, transport: Transport) -> u16 {
        match (transport, self.opt) {
            (Transport::Tcp, _) => u16::MAX,
            (Transport::Udp, None) => MIN_DATAGRAM,
            (Transport::Udp, Some(opt)) => opt.payload.clamp(MIN_DATAGRAM, MAX_DATAGRAM),
        }
    }

    /// The question's name and type, when it got that far.
    pub(crate) fn query(&self) -> Option<&Query> {
        self.query.as_ref()
    }

    fn malformed(self) -> Fault {
        self.refused(ResponseCode::FormErr, Cause::Malformed)
    }

    fn refused(self, code: ResponseCode, cause: Cause) -> Fault {
        Fault::Refused(Box::new(self), code, cause)
    }
}

// === impl Opt ===

impl Opt {
    fn read(decoder: &mut BinDecoder<'_>) -> Option<Self> {
        let owner = decoder.read_u8().ok()?.unverified(/* compared below */);
        let kind = decoder.read_u16().ok()?.unverified(/* compared below */);
        let payload = decoder.read_u16().ok()?.unverified(/* clamped where it is used */);
        let flags = decoder.read_u32().ok()?.unverified(/* any bits are flags */);
        let length = decoder.read_u16().ok()?.unverified(/* checked by `read_slice` */);
        let options = decoder.read_slice(usize::from(length)).ok()?;
        let [_, version, high, _] = flags.to_be_bytes();
        let is_opt = owner == 0 && kind == u16::from(RecordType::OPT);
        (is_opt && are_options(options.unverified(/* checked here */))).then_some(Self {
            payload,
            version,
            dnssec_ok: high & 0x80 != 0,
        })
    }
}

/// Writes an answer of at most `room` bytes; one that is longer loses its records and is marked as truncated, so that the
/// client asks again over TCP. None of ours is that long.
pub(crate) fn write(message: &Message, room: u16) -> Option<Vec<u8>> {
    // The library's own bound would count a name before it is compressed and cut answers that fit.
    let written = match message.to_vec() {
        Ok(bytes) if bytes.len() > usize::from(room) => message.truncate().to_vec(),
        written => written,
    };
    written
        .inspect_err(|error| tracing::debug!(%error, "an answer could not be written"))
        .ok()
}

/// Whether bytes are a sequence of EDNS options, each a code, a length and that many bytes.
fn are_options(mut bytes: &[u8]) -> bool {
    while let [_, _, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        match rest.get(length..) {
            Some(rest) => bytes = rest,
            None => return false,
        }
    }
    bytes.is_empty()
}

/// The record that carries the lifetime of a no. <https://www.rfc-editor.org/rfc/rfc2308#section-5>
///
/// Its owner is the root: the one zone that holds every name, so that no resolver rejects it as foreign.
fn start_of_authority() -> Record {
    let ttl = NEGATIVE_TTL;
    let seconds = NEGATIVE_TTL.cast_signed();
    let soa = SOA::new(
        Name::root(),
        Name::root(),
        1,
        seconds,
        seconds,
        seconds,
        ttl,
    );
    Record::from_rdata(Name::root(), ttl, RData::SOA(soa))
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::TXT;

    use super::*;

    #[test]
    fn an_answer_that_does_not_fit_says_so() {
        let mut message = Message::response(7, OpCode::Query);
        message.add_query(Query::query(Name::root(), RecordType::TXT));
        let data = TXT::new(vec!["a".repeat(255), "b".repeat(255)]);
        message.add_answer(Record::from_rdata(Name::root(), 1, RData::TXT(data)));
        let cut = Message::from_vec(&write(&message, MIN_DATAGRAM).unwrap()).unwrap();
        assert!(cut.truncation && cut.answers.is_empty());
        assert_eq!((cut.id, cut.queries), (7, message.queries.clone()));
        let whole = Message::from_vec(&write(&message, MAX_DATAGRAM).unwrap()).unwrap();
        assert!(!whole.truncation && whole.answers.len() == 1);
    }
}
