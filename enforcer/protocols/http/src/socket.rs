//! A WebSocket whose messages rules judge or have recorded: read message by message in both directions, passed on or not.
//!
//! Each side speaks to us: pings are answered here, extensions are negotiated away (a compressed message is not read), and a
//! message that is refused is answered with an error of its interface, after which both sides are closed (1008).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use enforcer_audit::Way;
use enforcer_flow::Side;
use enforcer_gate::{Ask, Exchange, Granted, Head, Held, Judge, Masking, Reading, Refusal, Terms};
use enforcer_mask::Direction;
use enforcer_mask::body::Kind;
use enforcer_policy::{self as policy, Obligation};
use enforcer_prompt::{self as prompt, Api, Content, Media, Shape, Usage};
use http::Response;
use http::header::{HeaderMap, SEC_WEBSOCKET_EXTENSIONS};
use http::request::Parts;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::aside::LARGE;
use crate::asked::Asked;
use crate::body::BodyError;
use crate::forward::{down, fail};
use crate::judged::{mask_head, meet, unready};
use crate::masking::{Rewriter, Texts};
use crate::obligation::Delivery;
use crate::serve::Connection;
use crate::upgrade::{self, Switched, Upgrade};
use crate::{ResponseBody, masking, recording, refuse};

mod carry;
mod far;

use carry::{Ending, carry};
use far::Far;

/// What a side may be sent before it has read what came before.
const WRITE_BUFFER: usize = 64 * 1024;

/// One side.
type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Everything a judged socket depends on while it is open.
struct Talk {
    connection: Arc<Connection>,
    parts: Parts,
    shape: Shape,
    exchange: Exchange,
    /// What the exchange was granted under; a message may ask for nothing else.
    obligations: Vec<Obligation>,
    /// Whether rules read what the agent says.
    judges_agent: bool,
    /// Whether anybody reads what either side says.
    reads: bool,
    far: Far,
    /// A message of each side, while it is read.
    _room: Held,
}

/// A socket that was asked for.
struct Opened {
    exchange: Exchange,
    obligations: Vec<Obligation>,
    judge: Option<Judge>,
}

/// How a socket was asked for, and what its messages are.
struct Asking {
    parts: Parts,
    shape: Shape,
    /// Whether rules read what the agent says.
    is_read: bool,
    room: Held,
}

/// Forwards a request for a WebSocket on which messages are judged.
pub(crate) async fn forward(
    connection: &Arc<Connection>,
    head: Head,
    (parts, body): (Parts, Incoming),
    upgrade: Upgrade,
    shape: Shape,
) -> Result<Response<ResponseBody>, Refusal> {
    let is_read = matches!(head, Head::Body);
    let (granted, room) = grant(connection, head, &parts)?;
    let asking = Asking {
        parts: parts.clone(),
        shape,
        is_read,
        room,
    };
    let (mut opened, answer) = open(connection, granted, (parts, body)).await?;
    let exchange = &mut opened.exchange;
    let (head, far) = match upgrade::switched(answer, exchange)? {
        Switched::Not(answer) => return Ok(down(*answer, None, opened.exchange, connection)),
        Switched::Over(head, far) => (head, far),
    };
    let head = recording::opened(&connection.agent.fingerprinter, exchange, head);
    if has_extensions(head.headers()) {
        return Err(fail(exchange, "unasked_extension"));
    }
    begin(connection, opened, asking, (upgrade.agent, far));
    Ok(head)
}

/// Has the socket granted, where there is room for a message of each side.
fn grant(connection: &Connection, head: Head, parts: &Parts) -> Result<(Granted, Held), Refusal> {
    let agent = &connection.agent;
    let asked = Asked::read(connection, parts, None)?;
    let bytes = agent.judging.message_bytes.saturating_mul(2);
    let workload = agent.flow.workload().cgroup;
    let room = agent.judging.memory.admit_many(workload, bytes);
    let room = room.ok_or_else(|| unready(&asked))?;
    let granted = match head {
        Head::Granted(granted) => granted,
        Head::Body => agent
            .gate
            .ask(&agent.flow, asked.ask(policy::Body::Later))?,
    };
    Ok((granted, room))
}

/// Carries what is said on a socket that is open, in a task of its own: message by message where anybody reads it.
fn begin(
    connection: &Arc<Connection>,
    opened: Opened,
    asking: Asking,
    (agent, far): (OnUpgrade, OnUpgrade),
) {
    let Opened {
        exchange,
        obligations,
        judge,
    } = opened;
    let Asking {
        parts,
        shape,
        is_read,
        room,
    } = asking;
    // What a message asks of a model is counted, also where no rule reads it.
    let asks_models = matches!(shape.api, Api::Model(..) | Api::Mcp);
    let judges_agent = is_read || (exchange.is_billed() && asks_models);
    let masking = exchange.masking().filter(|masking| !masking.watches());
    let masking = masking.cloned();
    let reads = judges_agent || judge.is_some() || masking.is_some();
    if !reads && exchange.recording().is_none() {
        let limit = connection.agent.limits.idle_timeout;
        tokio::spawn(upgrade::tunnel(agent, far, exchange, limit));
        return;
    }
    let limits = &connection.agent.judging.structure;
    let talk = Talk {
        connection: Arc::clone(connection),
        parts,
        far: Far::new((judge, masking), answers(&shape), limits),
        shape,
        exchange,
        obligations,
        judges_agent,
        reads,
        _room: room,
    };
    tokio::spawn(talk.run(agent, far));
}

/// Asks for the socket, under the terms of the grant.
async fn open(
    connection: &Connection,
    granted: Granted,
    (mut parts, body): (Parts, Incoming),
) -> Result<(Opened, Response<Incoming>), Refusal> {
    let Granted {
        mut exchange,
        permit,
        terms,
    } = granted;
    let Terms {
        obligations,
        judge,
        head,
    } = terms.map(|terms| *terms).unwrap_or_default();
    mask_head(&mut exchange, &mut parts, head)?;
    recording::request(connection, &exchange, &parts, permit.destination());
    let delivery = Delivery::empty(exchange.id());
    let terms = (&*obligations, &delivery, permit.destination());
    meet(connection, &mut exchange, &mut parts, terms)?;
    parts.headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    let answer = upgrade::ask(connection, &mut exchange, &permit, parts, body).await?;
    let opened = Opened {
        exchange,
        obligations,
        judge,
    };
    Ok((opened, answer))
}

/// The shape of what comes back: as with what goes up, a message is a document.
fn answers(shape: &Shape) -> Shape {
    let answer = shape.answer(&prompt::AnswerHead {
        status: 101,
        content_type: None,
    });
    Shape {
        media: Media::Json,
        ..answer
    }
}

fn has_extensions(headers: &HeaderMap) -> bool {
    headers.contains_key(SEC_WEBSOCKET_EXTENSIONS)
}

// === impl Talk ===

impl Talk {
    /// Carries messages until either side ends it, or a rule.
    async fn run(self, agent: OnUpgrade, far: OnUpgrade) {
        let Self {
            connection,
            parts,
            shape,
            mut exchange,
            obligations,
            judges_agent,
            reads,
            far: mut reader,
            _room,
        } = self;
        let Some((agent, far)) = upgrade::upgraded(agent, far, &mut exchange).await else {
            return;
        };
        let limit = connection.agent.judging.message_bytes;
        let sides = (
            socket(agent, Role::Server, limit).await,
            socket(far, Role::Client, limit).await,
        );
        let meter = Arc::clone(exchange.meter());
        // The head was read before, and is what it was.
        let Ok(asked) = Asked::read(&connection, &parts, None) else {
            exchange.fault(Side::Own, "request_unreadable");
            return;
        };
        let ear = Ear {
            connection: &connection,
            asked: &asked,
            shape: &shape,
            exchange: &exchange,
            obligations: &obligations,
            judges: judges_agent,
            reads,
        };
        let masks = exchange.masking().is_some_and(|masking| !masking.watches());
        let ear_of_agent = (judges_agent || masks).then_some(&ear);
        let idle = connection.agent.limits.idle_timeout;
        let carried = carry(sides, &meter, idle, (ear_of_agent, &ear, &mut reader)).await;
        match carried {
            Ending::Closed => exchange.finish(),
            Ending::Broken(broken) => exchange.fault(broken.side, broken.cause),
            Ending::Refused(refusal) => {
                refuse::heed(&connection, &refusal);
                exchange.fault(Side::Own, "message_denied");
            }
        }
    }
}

/// Whoever asks policy about what is said on the socket.
struct Ear<'t> {
    connection: &'t Connection,
    asked: &'t Asked<'t>,
    shape: &'t Shape,
    exchange: &'t Exchange,
    obligations: &'t [Obligation],
    /// Whether rules read what the agent says.
    judges: bool,
    /// Whether anybody reads what either side says. Otherwise it may be anything, and is kept.
    reads: bool,
}

// === impl Ear ===

impl Ear<'_> {
    /// For how long text of the far side is held that could become something.
    fn held_text_timeout(&self) -> Duration {
        self.connection.agent.judging.held_text_timeout
    }

    /// Keeps a message that is about to pass, if a rule wants that.
    async fn keep(&self, way: Way, message: &Message) -> Result<(), BodyError> {
        let aside = &self.connection.agent.judging.aside;
        recording::message(aside, self.exchange, way, message).await
    }

    /// Asks about something that the agent says, and gives what of it may go on.
    async fn hear(&self, text: Utf8Bytes) -> Result<Utf8Bytes, Refusal> {
        if self.judges {
            self.judge(&text).await?;
        }
        let masking = self.exchange.masking().filter(|masking| !masking.watches());
        match masking {
            Some(masking) if masking.looks_at(Direction::Request) => self.mask(text, masking),
            Some(_) | None => Ok(text),
        }
    }

    /// Masks a message as its interface is read, or as what it is.
    fn mask(&self, text: Utf8Bytes, masking: &Masking) -> Result<Utf8Bytes, Refusal> {
        let limits = &self.connection.agent.judging.structure;
        if !matches!(self.shape.api, Api::Model(..)) {
            return message(masking, Direction::Request, text);
        }
        let texts = Texts::new(masking, Direction::Request);
        match prompt::edit_message(&text, limits, texts) {
            Ok(None) => Ok(text),
            Ok(Some(masked)) => Ok(masked.into()),
            Err(prompt::Stop::Blocked) => {
                let cause = prompt::Cause::Malformed;
                Err(masking.undecidable(cause, Direction::Request))
            }
            Err(prompt::Stop::Undecidable(undecidable)) => {
                Err(masking.undecidable(undecidable.cause, Direction::Request))
            }
        }
    }

    /// Large messages, and those of which tokens are counted, are read aside.
    async fn judge(&self, text: &Utf8Bytes) -> Result<(), Refusal> {
        let agent = &self.connection.agent;
        let (shape, bytes) = (self.shape.clone(), Bytes::from(text.clone()));
        let (length, limits) = (bytes.len(), agent.judging.structure);
        let costs = agent.gate.costs().cloned();
        let takes = if costs.is_some() { LARGE } else { length };
        let read = move || {
            let reading = Reading::new(shape, bytes, length as u64, limits);
            let estimate = match (reading.content(), costs) {
                (Ok(Content::Model(call)), Some(costs)) if !call.silent => {
                    Some(costs.estimate(call))
                }
                (_, _) => None,
            };
            (reading, estimate)
        };
        let Some((reading, estimate)) = agent.judging.aside.weigh(takes, read).await else {
            return Err(unready(self.asked));
        };
        let ask = Ask {
            estimate,
            ..self.asked.ask(reading.body())
        };
        agent.gate.message(self.exchange, ask, self.obligations)
    }

    /// Counts what an answer took.
    fn paid(&self, model: Option<&str>, usage: &Usage) -> Result<(), Refusal> {
        let gate = &self.connection.agent.gate;
        gate.answered(self.exchange, model, usage)
    }
}

/// Masks a message of no known interface: a document, or text.
fn message(masking: &Masking, direction: Direction, text: Utf8Bytes) -> Result<Utf8Bytes, Refusal> {
    let rewriter = Rewriter::of_kind(masking, Kind::Text, direction);
    let masked = masking::whole(rewriter, &Bytes::from(text))?;
    let unreadable = |_| masking.undecidable(prompt::Cause::InvalidUnicode, direction);
    Utf8Bytes::try_from(masked).map_err(unreadable)
}

async fn socket(io: Upgraded, role: Role, message: usize) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_write_buffer_size(message.saturating_add(WRITE_BUFFER))
        .max_message_size(Some(message))
        .max_frame_size(Some(message));
    WebSocketStream::from_raw_socket(TokioIo::new(io), role, Some(config)).await
}
