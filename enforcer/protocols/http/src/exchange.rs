//! One request: read what it says, ask the gate, forward it or refuse it.

use std::time::Duration;

use bytes::Bytes;
use enforcer_flow::Destination;
use enforcer_gate::{Ask, Fault, Refusal};
use enforcer_policy as policy;
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::serve::Connection;
use crate::{ResponseBody, forward, headers, refuse, request, upgrade};

/// How much of a refused body is read and thrown away. A client that is still writing when the refusal comes may see
/// a reset instead of the refusal.
const DRAIN_BYTES: usize = 16 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Answers one request; every way through ends in a ledger entry.
pub(crate) async fn handle(
    connection: &Connection,
    mut request: Request<Incoming>,
) -> Response<ResponseBody> {
    let upgrade = upgrade::requested(&mut request);
    let (parts, body) = request.into_parts();
    let answer = match grant(connection, &parts) {
        Ok(granted) => match upgrade {
            // Boxed, like the refusal: neither is what most exchanges do.
            Some(upgrade) => {
                Box::pin(upgrade::forward(connection, granted, parts, body, upgrade)).await
            }
            None => forward::forward(connection, granted, parts, body).await,
        },
        Err(refusal) => {
            Box::pin(drain(&parts.headers, body)).await;
            Err(refusal)
        }
    };
    answer.unwrap_or_else(|refusal| refuse::refuse(&refusal))
}

/// A granted exchange and where it goes.
pub(crate) type Granted = (enforcer_gate::Exchange, enforcer_gate::Permit);

fn grant(connection: &Connection, parts: &Parts) -> Result<Granted, Refusal> {
    let agent = &connection.agent;
    let credentials = connection
        .credentials
        .of(&parts.headers, &agent.fingerprinter);
    let judged = request::destination(
        &parts.method,
        parts.version,
        &parts.uri,
        &parts.headers,
        agent.protocol,
        &agent.proven,
    );
    let ask = |destination| Ask {
        protocol: agent.protocol,
        destination,
        request: Some(policy::Request::new(
            parts.method.as_str(),
            parts.uri.path(),
        )),
        query_bytes: parts.uri.query().map(str::len),
        credentials: &credentials,
    };
    let own: &Destination = &agent.proven.destination;
    if headers::size(&parts.headers) > agent.limits.header_bytes {
        let public = "the request's headers are longer than may be";
        let refusal = agent
            .gate
            .refuse(&agent.flow, ask(own), "header_too_large", public);
        return Err(Refusal {
            fault: Fault::TooLarge,
            ..refusal
        });
    }
    match judged {
        Ok(named) => agent
            .gate
            .ask(&agent.flow, ask(named.as_ref().unwrap_or(own))),
        Err(contradiction) if contradiction.could_go_on() => agent.gate.object(
            &agent.flow,
            ask(own),
            contradiction.cause(),
            contradiction.public(),
        ),
        Err(contradiction) => Err(agent.gate.refuse(
            &agent.flow,
            ask(own),
            contradiction.cause(),
            contradiction.public(),
        )),
    }
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
        let size =
            size_of_answer(|connection: &'static Connection, request| handle(connection, request));
        assert!(size <= 4096, "{size} bytes");
    }
}
