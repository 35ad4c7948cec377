//! A granted request on its way up, and the answer on its way down.

use enforcer_audit::Way;
use enforcer_flow::{Protocol, Side};
use enforcer_gate::{DialError, Exchange, Fault, Granted, Masking, Permit, Refusal};
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderValue};
use http::request::Parts;
use http::uri::{PathAndQuery, Scheme};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;

use crate::body::{BodyError, Source, UpstreamBody};
use crate::exchange::drain;
use crate::judged::unable;
use crate::pool::{Lease, Need};
use crate::serve::Connection;
use crate::{RequestBody, ResponseBody, headers, kept, masking, recording};

/// How often a request is moved to another connection because the far side had closed an idle one before it was sent.
const MOVES: usize = 3;

/// Forwards a granted request and returns the head of the answer with its body still streaming.
pub(crate) async fn forward(
    connection: &Connection,
    granted: Granted,
    parts: Parts,
    body: Source,
) -> Result<Response<ResponseBody>, Refusal> {
    let Granted {
        mut exchange,
        permit,
        terms: _,
    } = granted;
    let (answer, lease) = fetch(connection, &mut exchange, &permit, parts, body).await?;
    Ok(down(answer, Some(lease), exchange, connection))
}

/// Sends a granted request up and waits for the head of its answer.
pub(crate) async fn fetch(
    connection: &Connection,
    exchange: &mut Exchange,
    permit: &Permit,
    parts: Parts,
    body: Source,
) -> Result<(Response<Incoming>, Lease), Refusal> {
    let agent = &connection.agent;
    let need = need(&parts.headers);
    let body = body.recorded(recording::track(exchange, Way::Request));
    let body = RequestBody::new(body, exchange.meter().clone(), agent.limits.idle_timeout);
    let mut lease = match lease(connection, exchange, permit, need).await {
        Ok(lease) => lease,
        Err(refusal) => {
            Box::pin(drain(&parts.headers, body.unrecorded())).await;
            return Err(refusal);
        }
    };
    let request = onward(parts, body, permit, lease.is_http2());
    let answer = send(connection, exchange, permit, &mut lease, request, need);
    let answer = tokio::time::timeout(agent.limits.response_timeout, answer)
        .await
        .unwrap_or_else(|_| Err(fail(exchange, "response_timeout")))?;
    exchange.upstream(lease.upstream());
    if headers::size(answer.headers()) > agent.limits.header_bytes {
        return Err(fail(exchange, "response_header_too_large"));
    }
    Ok((answer, lease))
}

/// The answer as the agent gets it.
pub(crate) fn down(
    answer: Response<Incoming>,
    lease: Option<Lease>,
    mut exchange: Exchange,
    connection: &Connection,
) -> Response<ResponseBody> {
    let (head, body) = received(answer, &mut exchange);
    recording::answer(&connection.agent.fingerprinter, &exchange, &head);
    let limit = connection.agent.limits.idle_timeout;
    let body = UpstreamBody::new(body, lease, exchange, limit);
    Response::from_parts(head, ResponseBody::Upstream(Box::new(body)))
}

/// The head as the agent gets it, and the body as it comes.
pub(crate) fn received(
    answer: Response<Incoming>,
    exchange: &mut Exchange,
) -> (http::response::Parts, Incoming) {
    let (mut head, body) = answer.into_parts();
    exchange.status(head.status.as_u16());
    headers::strip_response(&mut head.headers);
    head.version = Version::HTTP_11;
    head.extensions.clear();
    (head, body)
}

/// Notes on the exchange that the agent's own body failed.
fn incomplete(exchange: &mut Exchange, cause: &'static str) -> Refusal {
    exchange.fault(Side::Agent, cause);
    Refusal {
        exchange: exchange.id(),
        fault: Fault::Agent,
        cause,
        public: format!(
            "the request's body did not arrive (exchange {})",
            exchange.id()
        ),
    }
}

/// Notes on the exchange that the far side failed, and says so to the agent without saying how.
pub(crate) fn fail(exchange: &mut Exchange, cause: &'static str) -> Refusal {
    exchange.fault(Side::Upstream, cause);
    Refusal {
        exchange: exchange.id(),
        fault: Fault::Upstream,
        cause,
        public: format!(
            "the destination could not be reached: {cause} (exchange {})",
            exchange.id()
        ),
    }
}

/// As [`fail`], for a connection that was never made.
pub(crate) fn undialled(exchange: &mut Exchange, permit: &Permit, error: &DialError) -> Refusal {
    tracing::debug!(
        %error,
        exchange.id = %exchange.id(),
        dst.host = %permit.destination().host,
        "an upstream could not be reached"
    );
    let mut refusal = fail(exchange, error.cause());
    if error.side() == Side::Own {
        refusal.fault = Fault::Unavailable;
    }
    exchange.fault_with(error.side(), error.cause(), error);
    refusal
}

async fn lease(
    connection: &Connection,
    exchange: &mut Exchange,
    permit: &Permit,
    need: Need,
) -> Result<Lease, Refusal> {
    let agent = &connection.agent;
    agent
        .pool
        .lease(&agent.flow, permit, need)
        .await
        .map_err(|error| {
            if let DialError::Tls(_) = error {
                agent.gate.spare(&agent.flow, &permit.destination().host);
            }
            undialled(exchange, permit, &error)
        })
}

async fn send(
    connection: &Connection,
    exchange: &mut Exchange,
    permit: &Permit,
    current: &mut Lease,
    mut request: Request<RequestBody>,
    need: Need,
) -> Result<Response<Incoming>, Refusal> {
    for _ in 0..MOVES {
        let mut error = match current.send(request).await {
            Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                return Err(fail(exchange, "unasked_upgrade"));
            }
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        tracing::debug!(error = %error.error(), exchange.id = %exchange.id(), "an upstream connection failed");
        if let Some(cause) = body_cause(error.error()) {
            let stopped = exchange.masking().and_then(Masking::refusal).cloned();
            return Err(match stopped {
                None if matches!(cause, kept::FAILED | recording::FAILED) => {
                    unable(exchange, cause)
                }
                Some(refusal) => masking::stopped(exchange, refusal),
                None => incomplete(exchange, cause),
            });
        }
        // hyper hands the message back only if none of it was written.
        request = match error.take_message() {
            Some(message) if current.is_reused() => message,
            Some(_) | None => break,
        };
        *current = lease(connection, exchange, permit, need).await?;
    }
    Err(fail(exchange, "upstream_connection_failed"))
}

/// Whether a connection failed because the agent's body did.
fn body_cause(error: &hyper::Error) -> Option<&'static str> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<BodyError>().map(BodyError::cause)
}

fn need(headers: &HeaderMap) -> Need {
    let grpc = headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"));
    if grpc { Need::Http2 } else { Need::Any }
}

/// The request as the far side gets it: for the next hop only, with the judged name as its host.
pub(crate) fn onward(
    parts: Parts,
    body: RequestBody,
    permit: &Permit,
    http2: bool,
) -> Request<RequestBody> {
    let Parts {
        method,
        uri,
        version,
        mut headers,
        ..
    } = parts;
    headers::strip_request(&mut headers);
    if version == Version::HTTP_2 {
        join_cookies(&mut headers);
    }
    let path = uri
        .path_and_query()
        .cloned()
        .unwrap_or(PathAndQuery::from_static("/"));
    if http2 {
        headers.remove(HOST);
    } else if !is_spelt_as_judged(headers.get(HOST), permit)
        && let Ok(host) = HeaderValue::from_str(&authority(permit))
    {
        headers.insert(HOST, host);
    }
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = if http2 {
        absolute(permit, path)
    } else {
        Uri::from(path)
    };
    *request.version_mut() = if http2 {
        Version::HTTP_2
    } else {
        Version::HTTP_11
    };
    *request.headers_mut() = headers;
    request
}

fn absolute(permit: &Permit, path: PathAndQuery) -> Uri {
    Uri::builder()
        .scheme(Scheme::HTTPS)
        .authority(authority(permit))
        .path_and_query(path.clone())
        .build()
        // A host in its normal form is always an authority; without one the far side refuses the request.
        .unwrap_or_else(|_| Uri::from(path))
}

/// The judged host, with the port unless it is the scheme's own.
fn authority(permit: &Permit) -> String {
    let destination = permit.destination();
    let text = destination.to_string();
    let default = match permit.protocol() {
        Protocol::Http => ":80",
        Protocol::Dns | Protocol::Https | Protocol::Tcp | Protocol::Tls => ":443",
    };
    text.strip_suffix(default)
        .map_or(text.clone(), str::to_owned)
}

/// Whether the agent's `Host` is the judged name in its normal form, with or without the port; then it need not be written
/// anew. Anything else, if it is an unusual spelling of the same, is replaced: two servers could read it differently.
fn is_spelt_as_judged(host: Option<&HeaderValue>, permit: &Permit) -> bool {
    let destination = permit.destination();
    let Some(text) = host.and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let Some(rest) = destination
        .host
        .name()
        .and_then(|name| text.strip_prefix(name))
    else {
        return false;
    };
    rest.is_empty()
        || rest
            .strip_prefix(':')
            .is_some_and(|port| port.parse() == Ok(destination.port))
}

/// HTTP/2 may split a cookie over several fields; HTTP/1.1 may not (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}
