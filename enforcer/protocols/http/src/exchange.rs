//! One request: read what it says, ask the gate, forward it or refuse it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use enforcer_gate::{Granted, Head, Refusal};
use enforcer_policy as policy;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::asked::Asked;
use crate::body::Source;
use crate::serve::Connection;
use crate::upgrade::Upgrade;
use crate::{ResponseBody, forward, judged, refuse, upgrade};

/// How much of a refused body is read and thrown away. A client that is still writing when the refusal comes may see
/// a reset instead of the refusal.
const DRAIN_BYTES: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Answers one request; every way through ends in a ledger entry.
pub(crate) async fn handle(
    connection: &Arc<Connection>,
    mut request: Request<Incoming>,
) -> Response<ResponseBody> {
    let upgrade = upgrade::requested(&mut request);
    let (parts, body) = request.into_parts();
    let answer = match head(connection, &parts, &body, upgrade.as_ref()) {
        Ok(Head::Granted(granted)) if is_plain(connection, &granted) => match upgrade {
            // Boxed, like the rest: none of them is what most exchanges do.
            Some(upgrade) => {
                Box::pin(upgrade::forward(connection, granted, parts, body, upgrade)).await
            }
            None => forward::forward(connection, granted, parts, Source::Wire(body)).await,
        },
        Ok(head) => Box::pin(judged::handle(connection, head, parts, body, upgrade)).await,
        Err(refusal) => {
            Box::pin(drain(&parts.headers, body)).await;
            Err(refusal)
        }
    };
    answer.unwrap_or_else(|refusal| refuse::refuse(connection, &refusal))
}

fn head(
    connection: &Connection,
    parts: &Parts,
    body: &Incoming,
    upgrade: Option<&Upgrade>,
) -> Result<Head, Refusal> {
    let asked = Asked::read(connection, parts, body.size_hint().exact())?;
    // What is said on a WebSocket comes later, whatever the handshake says of a body.
    let body = if body.is_end_stream() && upgrade.is_none() {
        policy::Body::None
    } else {
        policy::Body::Unread
    };
    let agent = &connection.agent;
    match asked.contradiction() {
        None => agent.gate.head(&agent.flow, asked.ask(body)),
        Some(contradiction) => {
            let (cause, public) = (contradiction.cause(), contradiction.public());
            let objected = agent
                .gate
                .object(&agent.flow, asked.ask(body), cause, public);
            objected.map(Head::Granted)
        }
    }
}

/// Whether it is forwarded as it came, and the answer too.
fn is_plain(connection: &Connection, granted: &Granted) -> bool {
    granted.terms.is_none() && !connection.hides(granted.permit.destination())
}

/// Reads a refused body to its end, within bounds, unless the agent waits to be asked for it.
pub(crate) async fn drain<B: Body<Data = Bytes> + Unpin>(headers: &HeaderMap, mut body: B) {
    if headers.contains_key(http::header::EXPECT) {
        return;
    }
    let read = async {
        let mut left = DRAIN_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(bytes) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // Late or not, the refusal is sent.
    let _ = tokio::time::timeout(DRAIN_TIME, read).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_answer<A, B, F>(_: impl Fn(A, B) -> F) -> usize {
        size_of::<F>()
    }

    /// Every request moves this future at least once, and every open stream holds one.
    #[test]
    fn an_exchange_in_progress_is_small() {
        let size = size_of_answer(|connection: &'static Arc<Connection>, request| {
            handle(connection, request)
        });
        assert!(size <= 4096, "{size} bytes");
    }
}
