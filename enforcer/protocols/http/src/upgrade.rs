//! A WebSocket: an HTTP exchange that turns into a stream of bytes in both directions (RFC 6455).
//!
//! The exchange stays open for as long as the socket does, so its ending in the ledger counts what passed.

use enforcer_flow::Side;
use enforcer_gate::{Exchange, Granted, Permit, Refusal, relay};
use http::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use http::request::Parts;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use crate::body::Source;
use crate::forward::{down, fail, onward, undialled};
use crate::serve::Connection;
use crate::{RequestBody, ResponseBody};

/// The agent's half of an upgrade that was asked for.
pub(crate) struct Upgrade {
    pub(crate) agent: OnUpgrade,
}

/// Whether the request asks for a WebSocket. Other upgrades (`h2c`) are not offered: the header is dropped and the
/// request answered as HTTP, as RFC 9110, section 7.8 allows.
pub(crate) fn requested(request: &mut Request<Incoming>) -> Option<Upgrade> {
    let asked = request.version() == Version::HTTP_11 && is_websocket(request.headers());
    asked.then(|| Upgrade {
        agent: hyper::upgrade::on(request),
    })
}

/// Forwards the request on a connection of its own; on 101 both sides become one stream.
pub(crate) async fn forward(
    connection: &Connection,
    granted: Granted,
    parts: Parts,
    body: Incoming,
    upgrade: Upgrade,
) -> Result<Response<ResponseBody>, Refusal> {
    let Granted {
        mut exchange,
        permit,
        terms: _,
    } = granted;
    let answer = ask(connection, &mut exchange, &permit, parts, body).await?;
    let limit = connection.agent.limits.idle_timeout;
    let (head, far) = match switched(answer, &mut exchange)? {
        Switched::Not(answer) => return Ok(down(*answer, None, exchange, connection)),
        Switched::Over(head, far) => (head, far),
    };
    tokio::spawn(tunnel(upgrade.agent, far, exchange, limit));
    Ok(head)
}

/// What a request for a WebSocket is answered.
pub(crate) enum Switched {
    /// With an ordinary answer.
    Not(Box<Response<Incoming>>),
    /// Both sides speak WebSocket now: the head for the agent, and the far half.
    Over(Response<ResponseBody>, OnUpgrade),
}

/// Sends the request up on a connection of its own.
pub(crate) async fn ask(
    connection: &Connection,
    exchange: &mut Exchange,
    permit: &Permit,
    parts: Parts,
    body: Incoming,
) -> Result<Response<Incoming>, Refusal> {
    let agent = &connection.agent;
    let mut departing = match agent.pool.depart(&agent.flow, permit).await {
        Ok(departing) => departing,
        Err(error) => return Err(undialled(exchange, permit, &error)),
    };
    exchange.upstream(departing.upstream);
    // Ends with the connection; the tunnel holds the other half and the exchange.
    tokio::spawn(departing.connection.with_upgrades());
    let meter = exchange.meter().clone();
    let body = RequestBody::new(Source::Wire(body), meter, agent.limits.idle_timeout);
    let mut request = onward(parts, body, permit, false);
    ask_for_websocket(request.headers_mut());
    let answer = departing.sender.send_request(request);
    match tokio::time::timeout(agent.limits.response_timeout, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(fail(exchange, "upstream_connection_failed")),
        Err(_) => Err(fail(exchange, "response_timeout")),
    }
}

/// Reads the answer to a request for a WebSocket.
pub(crate) fn switched(
    mut answer: Response<Incoming>,
    exchange: &mut Exchange,
) -> Result<Switched, Refusal> {
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(Switched::Not(Box::new(answer)));
    }
    if !is_websocket(answer.headers()) {
        return Err(fail(exchange, "unasked_upgrade"));
    }
    exchange.status(StatusCode::SWITCHING_PROTOCOLS.as_u16());
    let far = hyper::upgrade::on(&mut answer);
    let mut head = Response::new(ResponseBody::Own(None));
    *head.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *head.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(Switched::Over(head, far))
}

/// Both ends once HTTP is left behind; none, and why on the exchange, when one of them went before.
pub(crate) async fn upgraded(
    agent: OnUpgrade,
    far: OnUpgrade,
    exchange: &mut Exchange,
) -> Option<(Upgraded, Upgraded)> {
    match tokio::try_join!(agent, far) {
        Ok(both) => Some(both),
        Err(error) => {
            tracing::debug!(%error, exchange.id = %exchange.id(), "an upgrade was not completed");
            exchange.fault(Side::Agent, "upgrade_failed");
            None
        }
    }
}

/// Carries the socket's bytes until either side ends it.
pub(crate) async fn tunnel(
    agent: OnUpgrade,
    far: OnUpgrade,
    mut exchange: Exchange,
    limit: std::time::Duration,
) {
    let Some((agent, far)) = upgraded(agent, far, &mut exchange).await else {
        return;
    };
    let meter = exchange.meter().clone();
    let flow = exchange.flow().clone();
    let relayed = tokio::select! {
        biased;
        // The connection's own task is over: hyper has given its socket to us.
        () = flow.ended() => return,
        relayed = relay(TokioIo::new(agent), TokioIo::new(far), &meter, limit) => relayed,
    };
    match relayed {
        Ok(()) => exchange.finish(),
        Err(broken) => exchange.fault(broken.side, broken.cause),
    }
}

fn is_websocket(headers: &HeaderMap) -> bool {
    let has = |name, wanted: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    has(CONNECTION, "upgrade") && has(UPGRADE, "websocket")
}

fn ask_for_websocket(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}
