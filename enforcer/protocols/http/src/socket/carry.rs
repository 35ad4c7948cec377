//! Messages between two sockets, one direction beside the other, until somebody ends it.

use std::time::Duration;

use enforcer_audit::Way;
use enforcer_flow::Side;
use enforcer_gate::{Broken, Meter, Refusal};
use enforcer_prompt::Cause;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{Ear, Far, Socket};
use crate::masking::Alarm;
use crate::recording;
use crate::refuse::{DENIED, error_event};

/// The longest reason of a close frame (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;
/// How long both sides may take to hear that it is over.
const FAREWELL: Duration = Duration::from_secs(2);

/// How it ended.
pub(super) enum Ending {
    /// A side broke.
    Broken(Broken),
    /// A side closed, and the other was told.
    Closed,
    /// A message was refused, and both sides were told.
    Refused(Refusal),
}

/// Who hears the agent, if rules read what it says; who hears both; and how the far side is read.
pub(super) type Hearing<'h> = (Option<&'h Ear<'h>>, &'h Ear<'h>, &'h mut Far);

/// Carries messages until it ends.
pub(super) async fn carry(
    (agent, far): (Socket, Socket),
    meter: &Meter,
    idle: Duration,
    (agents, ear, reader): Hearing<'_>,
) -> Ending {
    let (mut agent_sink, mut agent_stream) = agent.split();
    let (mut far_sink, mut far_stream) = far.split();
    let up = up(&mut agent_stream, &mut far_sink, meter, (agents, ear));
    let mut down = Down {
        from: &mut far_stream,
        to: &mut agent_sink,
        meter,
        ear,
        alarm: reader.alarm(ear.held_text_timeout()),
        reader,
    };
    let down = down.run();
    let (side, ending) = tokio::select! {
        ended = up => (Side::Agent, ended),
        ended = down => (Side::Upstream, ended),
        () = enforcer_gate::stalled(meter, idle) => (Side::Own, broken(Side::Own, "idle_timeout")),
    };
    let words = match &ending {
        End::Refused(refusal) => Some(words(reader, refusal)),
        End::Broken(_) | End::Closed(_) => None,
    };
    let farewell = farewell((ending, side), words, (&mut agent_sink, &mut far_sink));
    let told = tokio::time::timeout(FAREWELL, farewell).await;
    if told.is_ok() {
        let _ = tokio::time::timeout(FAREWELL, listen_out(&mut agent_stream)).await;
    }
    told.unwrap_or(Ending::Broken(Broken {
        side,
        cause: "close_timeout",
    }))
}

/// Tells both sides that it is over.
async fn farewell(
    (ending, side): (End, Side),
    words: Option<Message>,
    (agent, far): (
        &mut SplitSink<Socket, Message>,
        &mut SplitSink<Socket, Message>,
    ),
) -> Ending {
    match ending {
        End::Broken(broken) => {
            let gone = close(CloseCode::Away, "");
            let _ = tokio::join!(agent.send(gone.clone()), far.send(gone));
            Ending::Broken(broken)
        }
        End::Closed(frame) => {
            let close = Message::Close(frame);
            // Whoever closed has been answered by its own socket.
            let _ = match side {
                Side::Agent | Side::Own => far.send(close).await,
                Side::Upstream => agent.send(close).await,
            };
            let _ = tokio::join!(agent.close(), far.close());
            Ending::Closed
        }
        End::Refused(refusal) => {
            let no = close(CloseCode::Policy, &refusal.public);
            if let Some(words) = words {
                let _ = agent.feed(words).await;
            }
            let _ = tokio::join!(agent.send(no), far.send(close(CloseCode::Away, "")));
            Ending::Refused(refusal)
        }
    }
}

/// Takes what the agent still says, and passes nothing on, until it has closed as well (RFC 6455, section 7.1.1).
///
/// A connection that is closed over bytes that nobody read is reset, and a reset takes the last words from whoever has not yet
/// read them (RFC 1122, section 4.2.2.13).
async fn listen_out(agent: &mut SplitStream<Socket>) {
    while let Some(Ok(_)) = agent.next().await {}
}

/// Why one direction ended.
enum End {
    Broken(Broken),
    Closed(Option<CloseFrame>),
    Refused(Refusal),
}

/// From the agent to the far side.
async fn up(
    from: &mut SplitStream<Socket>,
    to: &mut SplitSink<Socket, Message>,
    meter: &Meter,
    (hears, ear): (Option<&Ear<'_>>, &Ear<'_>),
) -> End {
    loop {
        let message = match next(from, Side::Agent, ear).await {
            Ok(message) => message,
            Err(end) => return end,
        };
        meter.add_up(weight(&message));
        let passed = match (said(message), hears) {
            (Said::Nothing, _) => continue,
            (Said::Binary(message), _) => message,
            (Said::Text(text), None) => Message::Text(text),
            (Said::Text(text), Some(ear)) => match ear.hear(text).await {
                Ok(text) => Message::Text(text),
                Err(refusal) => return End::Refused(refusal),
            },
        };
        if ear.keep(Way::Request, &passed).await.is_err() {
            return broken(Side::Own, recording::FAILED);
        }
        if to.send(passed).await.is_err() {
            return broken(Side::Upstream, "write_failed");
        }
    }
}

/// From the far side to the agent.
struct Down<'d> {
    from: &'d mut SplitStream<Socket>,
    to: &'d mut SplitSink<Socket, Message>,
    meter: &'d Meter,
    ear: &'d Ear<'d>,
    /// When something of a text has been held for as long as may be.
    alarm: Alarm,
    reader: &'d mut Far,
}

// === impl Down ===

impl Down<'_> {
    async fn run(&mut self) -> End {
        loop {
            let done = match self.heard().await {
                Ok(passed) => self.pass(passed).await,
                // What is held goes first; nothing goes on with it any more.
                Err(end @ End::Closed(_)) => self.let_go().await.and(Err(end)),
                Err(end) => Err(end),
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// What may go on next: of a message that comes, or of what was held for long enough.
    async fn heard(&mut self) -> Result<Vec<Message>, End> {
        let message = tokio::select! {
            biased;
            () = self.alarm.rings() => None,
            message = next(self.from, Side::Upstream, self.ear) => Some(message?),
        };
        let Some(message) = message else {
            self.alarm.again();
            return self.let_lapse();
        };
        self.meter.add_down(weight(&message));
        match said(message) {
            Said::Nothing => Ok(Vec::new()),
            Said::Binary(message) => Ok(vec![message]),
            Said::Text(text) => {
                let passed = self.reader.take(text, self.ear).await;
                passed.map(texts).map_err(End::Refused)
            }
        }
    }

    async fn let_go(&mut self) -> Result<(), End> {
        let rest = self.let_lapse()?;
        self.pass(rest).await
    }

    fn let_lapse(&mut self) -> Result<Vec<Message>, End> {
        self.reader.lapse().map(texts).map_err(End::Refused)
    }

    async fn pass(&mut self, passed: Vec<Message>) -> Result<(), End> {
        for message in passed {
            if self.ear.keep(Way::Answer, &message).await.is_err() {
                return Err(broken(Side::Own, recording::FAILED));
            }
            if self.to.feed(message).await.is_err() {
                return Err(broken(Side::Agent, "write_failed"));
            }
        }
        let flushed = self.to.flush().await;
        flushed.map_err(|_| broken(Side::Agent, "write_failed"))
    }
}

fn texts(passed: Vec<Utf8Bytes>) -> Vec<Message> {
    passed.into_iter().map(Message::Text).collect()
}

/// What of a message is passed on.
enum Said {
    /// Bytes, which come here only where nobody would read them.
    Binary(Message),
    /// Pings and pongs are between each side and us.
    Nothing,
    Text(Utf8Bytes),
}

fn said(message: Message) -> Said {
    match message {
        Message::Text(text) => Said::Text(text),
        Message::Binary(_) => Said::Binary(message),
        Message::Close(_) | Message::Frame(_) | Message::Ping(_) | Message::Pong(_) => {
            Said::Nothing
        }
    }
}

/// The next message of a side; the end when there is none, or one that nobody can judge.
async fn next(from: &mut SplitStream<Socket>, side: Side, ear: &Ear<'_>) -> Result<Message, End> {
    match from.next().await {
        Some(Ok(Message::Close(frame))) => Err(End::Closed(frame)),
        Some(Ok(Message::Binary(_))) if ear.reads => Err(broken(side, "binary_message")),
        Some(Ok(message)) => Ok(message),
        Some(Err(Error::Capacity(_))) => Err(broken(side, Cause::TooLarge.code())),
        Some(Err(Error::Utf8(_))) => Err(broken(side, Cause::InvalidUnicode.code())),
        Some(Err(Error::Protocol(_))) => Err(broken(side, "malformed_websocket")),
        Some(Err(_)) | None => Err(broken(side, "read_failed")),
    }
}

fn broken(side: Side, cause: &'static str) -> End {
    End::Broken(Broken { side, cause })
}

/// What a message counts for, its head included.
fn weight(message: &Message) -> usize {
    message.len() + 2
}

fn close(code: CloseCode, reason: &str) -> Message {
    let end = reason.floor_char_boundary(MAX_REASON);
    let reason = reason.get(..end).unwrap_or_default().to_owned();
    Message::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }))
}

/// The error that the agent's SDK understands.
fn words(reader: &Far, refusal: &Refusal) -> Message {
    let own = reader.refusal(DENIED, &refusal.public);
    let text = own.filter(|words| !words.is_empty());
    Message::text(text.unwrap_or_else(|| error_event(&refusal.public)))
}
