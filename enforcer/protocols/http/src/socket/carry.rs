//! Messages between two sockets, one direction beside the other, until somebody ends it.

use std::time::Duration;

use enforcer_flow::Side;
use enforcer_gate::{Broken, Judge, Meter, Refusal};
use enforcer_policy::Part;
use enforcer_prompt::{AnswerEditor, Cause, Item, Stop};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::Socket;
use crate::answer::rule;
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

/// Who rules on what the far side says, and how it is read.
pub(super) type Judged<'j> = Option<&'j mut (Judge, AnswerEditor)>;

/// Carries messages until it ends. `judge` rules on what the agent says.
pub(super) async fn carry(
    (agent, far): (Socket, Socket),
    meter: &Meter,
    idle: Duration,
    judge: impl Fn(&str) -> Result<(), Refusal>,
    mut judged: Judged<'_>,
) -> Ending {
    let (mut agent_sink, mut agent_stream) = agent.split();
    let (mut far_sink, mut far_stream) = far.split();
    let up = up(&mut agent_stream, &mut far_sink, meter, judge);
    let down = down(
        &mut far_stream,
        &mut agent_sink,
        meter,
        judged.as_deref_mut(),
    );
    let (side, ending) = tokio::select! {
        ended = up => (Side::Agent, ended),
        ended = down => (Side::Upstream, ended),
        () = enforcer_gate::stalled(meter, idle) => (Side::Own, broken(Side::Own, "idle_timeout")),
    };
    let farewell = async {
        match ending {
            End::Broken(broken) => {
                let gone = close(CloseCode::Away, "");
                let _ = tokio::join!(agent_sink.send(gone.clone()), far_sink.send(gone));
                Ending::Broken(broken)
            }
            End::Closed(frame) => {
                let close = Message::Close(frame);
                // Whoever closed has been answered by its own socket.
                let _ = match side {
                    Side::Agent | Side::Own => far_sink.send(close).await,
                    Side::Upstream => agent_sink.send(close).await,
                };
                let _ = tokio::join!(agent_sink.close(), far_sink.close());
                Ending::Closed
            }
            End::Refused(refusal) => {
                let words = words(judged, &refusal);
                let no = close(CloseCode::Policy, &refusal.public);
                let _ = agent_sink.feed(words).await;
                let _ = tokio::join!(
                    agent_sink.send(no),
                    far_sink.send(close(CloseCode::Away, ""))
                );
                Ending::Refused(refusal)
            }
        }
    };
    match tokio::time::timeout(FAREWELL, farewell).await {
        Ok(ending) => ending,
        Err(_) => Ending::Broken(Broken {
            side,
            cause: "close_timeout",
        }),
    }
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
    judge: impl Fn(&str) -> Result<(), Refusal>,
) -> End {
    loop {
        let message = match next(from, Side::Agent).await {
            Ok(message) => message,
            Err(end) => return end,
        };
        meter.add_up(weight(&message));
        let Said::Text(text) = said(message) else {
            continue;
        };
        if let Err(refusal) = judge(&text) {
            return End::Refused(refusal);
        }
        if to.send(Message::Text(text)).await.is_err() {
            return broken(Side::Upstream, "write_failed");
        }
    }
}

/// From the far side to the agent.
async fn down(
    from: &mut SplitStream<Socket>,
    to: &mut SplitSink<Socket, Message>,
    meter: &Meter,
    mut judged: Judged<'_>,
) -> End {
    loop {
        let message = match next(from, Side::Upstream).await {
            Ok(message) => message,
            Err(end) => return end,
        };
        meter.add_down(weight(&message));
        let Said::Text(text) = said(message) else {
            continue;
        };
        let passed = match judged.as_deref_mut() {
            None => vec![text],
            Some((judge, editor)) => match edit(judge, editor, &text) {
                Ok(passed) => passed,
                Err(refusal) => return End::Refused(refusal),
            },
        };
        for text in passed {
            if to.feed(Message::Text(text)).await.is_err() {
                return broken(Side::Agent, "write_failed");
            }
        }
        if to.flush().await.is_err() {
            return broken(Side::Agent, "write_failed");
        }
    }
}

fn edit(
    judge: &mut Judge,
    editor: &mut AnswerEditor,
    text: &str,
) -> Result<Vec<Utf8Bytes>, Refusal> {
    let mut out = Vec::new();
    let mut ruling = |item: &Item<'_>| rule(judge, item);
    match editor.message(text, &mut ruling, &mut out) {
        Ok(()) => Ok(out.into_iter().map(Utf8Bytes::from).collect()),
        Err(Stop::Blocked) => Err(judge.refusal("answer_blocked", UNJUDGED)),
        Err(Stop::Undecidable(undecidable)) => {
            judge.rule(Part::Undecidable(undecidable.cause));
            Err(judge.refusal("answer_blocked", UNJUDGED))
        }
    }
}

const UNJUDGED: &str = "a message cannot be judged";

/// What of a message is passed on.
enum Said {
    /// Pings and pongs are between each side and us.
    Nothing,
    Text(Utf8Bytes),
}

fn said(message: Message) -> Said {
    match message {
        Message::Text(text) => Said::Text(text),
        Message::Binary(_)
        | Message::Close(_)
        | Message::Frame(_)
        | Message::Ping(_)
        | Message::Pong(_) => Said::Nothing,
    }
}

/// The next message of a side; the end when there is none, or one that nobody can judge.
async fn next(from: &mut SplitStream<Socket>, side: Side) -> Result<Message, End> {
    match from.next().await {
        Some(Ok(Message::Close(frame))) => Err(End::Closed(frame)),
        Some(Ok(Message::Binary(_))) => Err(broken(side, "binary_message")),
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
fn words(judged: Judged<'_>, refusal: &Refusal) -> Message {
    let own = judged.map(|(_, editor)| editor.refusal(DENIED, &refusal.public));
    let own = own.and_then(|words| String::from_utf8(words).ok());
    let text = own.filter(|words| !words.is_empty());
    Message::text(text.unwrap_or_else(|| error_event(&refusal.public)))
}
