//! The rare way of an exchange: a rule reads its body or judges its answer, or a secret is filled in on the way.
//!
//! The body is gathered and read before policy is asked again, so that one grant covers all of it. What rules cannot read
//! in one way only is theirs to refuse; what is not here whole is refused by us.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use enforcer_cost::Estimate;
use enforcer_flow::Side;
use enforcer_gate::{Exchange, Fault, Granted, Head, Refusal, Terms};
use enforcer_policy as policy;
use enforcer_prompt::{self as prompt, Shape};
use http::Response;
use http::request::Parts;
use http_body::Body as _;
use hyper::body::Incoming;

use crate::asked::Asked;
use crate::body::Source;
use crate::exchange::drain;
use crate::gather::{Bounds, Gathered, Ungathered, gather};
use crate::serve::Connection;
use crate::upgrade::{self, Upgrade};
use crate::{ResponseBody, answer, coding, forward, obligation, shape, socket};

/// Carries out what the head of a request was answered.
pub(crate) async fn handle(
    connection: &Arc<Connection>,
    head: Head,
    mut parts: Parts,
    body: Incoming,
    upgrade: Option<Upgrade>,
) -> Result<Response<ResponseBody>, Refusal> {
    let asked = Asked::read(connection, &parts, None)?;
    let mut shape = shape::of(asked.destination(), &parts, upgrade.is_some());
    if let Some(upgrade) = upgrade {
        return match head {
            Head::Granted(granted) if granted.terms.is_none() => {
                upgrade::forward(connection, granted, parts, body, upgrade).await
            }
            head => socket::forward(connection, head, (parts, body), upgrade, shape).await,
        };
    }
    let (granted, source) = match head {
        Head::Granted(granted) => (granted, Source::Wire(body)),
        Head::Body => {
            let (granted, gathered) = ask(connection, &parts, body, &mut shape).await?;
            (granted, Source::Gathered(Box::new(gathered)))
        }
    };
    let Granted {
        mut exchange,
        permit,
        terms,
    } = granted;
    let Terms { obligations, judge } = terms.map(|terms| *terms).unwrap_or_default();
    let delivery = obligation::Delivery {
        exchange: exchange.id(),
        time: SystemTime::now(),
        body: source.bytes(),
    };
    let judging = &connection.agent.judging;
    if let Err(unmet) = obligation::meet(&mut parts, &obligations, &judging.secrets, &delivery) {
        return Err(unable(&mut exchange, unmet.cause()));
    }
    if let Err(unmet) = obligation::unhide(&mut parts, &judging.hooks, permit.destination()) {
        return Err(unable(&mut exchange, unmet.cause()));
    }
    match judge {
        None if exchange.is_billed() => {
            answer::prepare(&mut parts.headers);
            let (answer, lease) =
                forward::fetch(connection, &mut exchange, &permit, parts, source).await?;
            Ok(answer::watch(connection, answer, lease, exchange, &shape))
        }
        None => {
            let (answer, lease) =
                forward::fetch(connection, &mut exchange, &permit, parts, source).await?;
            Ok(forward::down(answer, Some(lease), exchange, connection))
        }
        Some(judge) => {
            if judge.needs().content() || exchange.is_billed() {
                answer::prepare(&mut parts.headers);
            }
            let (answer, lease) =
                forward::fetch(connection, &mut exchange, &permit, parts, source).await?;
            answer::judge(connection, answer, lease, exchange, (judge, &shape)).await
        }
    }
}

/// Gathers the body and asks policy with what it says.
async fn ask(
    connection: &Connection,
    parts: &Parts,
    mut body: Incoming,
    shape: &mut Shape,
) -> Result<(Granted, Gathered), Refusal> {
    let agent = &connection.agent;
    let mut asked = Asked::read(connection, parts, body.size_hint().exact())?;
    let bounds = Bounds {
        limit: agent.judging.body_bytes,
        time: agent.judging.body_timeout,
        memory: Arc::clone(&agent.judging.memory),
        workload: agent.flow.workload().cgroup,
    };
    let mut gathered = match gather(&parts.headers, &mut body, &bounds).await {
        Ok(gathered) => gathered,
        Err(ungathered) => {
            let refusal = ungathered.refuse(&asked);
            drain(&parts.headers, body).await;
            return Err(refusal);
        }
    };
    let length = gathered.bytes.len() as u64;
    let decoded = coding::decode(&parts.headers, &gathered.bytes, bounds.limit);
    // What was decoded takes room too, for as long as it is read.
    if let Ok(bytes) = &decoded
        && coding::is_coded(&parts.headers)
        && !gathered.room.grow(bytes.len())
    {
        return Err(Ungathered::NoRoom.refuse(&asked));
    }
    let granted = match decoded {
        Ok(bytes) => {
            asked.estimated(estimate(connection, shape, &bytes).await);
            let mut granted = read(connection, &asked, shape, (&bytes, length))?;
            if let Some(Terms {
                judge: Some(judge), ..
            }) = granted.terms.as_deref_mut()
            {
                judge.keep_body(shape.clone(), bytes, agent.judging.structure);
            }
            Ok(granted)
        }
        Err(cause) => {
            let unread = policy::Body::Undecidable(cause);
            agent.gate.ask(&agent.flow, asked.ask(unread))
        }
    };
    Ok((granted?, gathered))
}

/// What a request to a model will take at most, where a rule wants to know. Counting takes long enough to be in others' way.
async fn estimate(connection: &Connection, shape: &Shape, bytes: &Bytes) -> Option<Estimate> {
    let costs = Arc::clone(connection.agent.gate.costs()?);
    let limits = connection.agent.judging.structure;
    let (shape, bytes) = (shape.clone(), bytes.clone());
    let count = move || {
        let body = prompt::Body::parse(&shape, &bytes, &limits).ok()?;
        match body.content(&shape, &limits).ok()? {
            prompt::Content::Model(call) => Some(costs.estimate(&call)),
            prompt::Content::Empty | prompt::Content::Mcp { .. } | prompt::Content::Plain => None,
        }
    };
    tokio::task::spawn_blocking(count).await.ok().flatten()
}

/// Reads a body and asks policy with it; `length` is what was sent of it.
fn read(
    connection: &Connection,
    asked: &Asked<'_>,
    shape: &mut Shape,
    (bytes, length): (&[u8], u64),
) -> Result<Granted, Refusal> {
    let agent = &connection.agent;
    let limits = &agent.judging.structure;
    let body = prompt::Body::parse(shape, bytes, limits);
    let content = match &body {
        Ok(body) => body.content(shape, limits),
        Err(undecidable) => Err(undecidable.clone()),
    };
    let known = match (&body, &content) {
        (Ok(body), Ok(content)) => policy::Body::Read(policy::Read {
            bytes: length,
            shape,
            body,
            content,
        }),
        (Err(undecidable), _) | (_, Err(undecidable)) => {
            tracing::debug!(%undecidable, flow.id = %agent.flow.id(), "a body cannot be judged");
            policy::Body::Undecidable(undecidable.cause)
        }
    };
    let granted = agent.gate.ask(&agent.flow, asked.ask(known))?;
    if matches!(content, Ok(prompt::Content::Mcp { .. })) {
        // Its answer is one too, whatever the head said.
        shape.api = prompt::Api::Mcp;
    }
    Ok(granted)
}

/// Notes that we cannot do what the grant asks for. Nothing has left.
pub(crate) fn unable(exchange: &mut Exchange, cause: &'static str) -> Refusal {
    let id = exchange.id();
    tracing::error!(exchange.id = %id, cause, "an exchange was granted under terms that cannot be met; it is refused");
    exchange.fault(Side::Own, cause);
    Refusal {
        exchange: id,
        fault: Fault::Unavailable,
        cause,
        public: format!("the enforcer cannot do what a rule asks for (exchange {id})"),
    }
}

/// Records that too much is being judged now.
pub(crate) fn unready(asked: &Asked<'_>) -> Refusal {
    Ungathered::NoRoom.refuse(asked)
}

// === impl Ungathered ===

impl Ungathered {
    fn refuse(self, asked: &Asked<'_>) -> Refusal {
        let refusal = asked.refuse(self.cause(), self.public());
        let fault = match self {
            Self::Broken => Fault::Agent,
            Self::NoRoom => Fault::Unavailable,
            Self::Late | Self::Length | Self::TooLong => Fault::Policy,
        };
        Refusal { fault, ..refusal }
    }

    fn public(self) -> &'static str {
        match self {
            Self::Broken => "the request's body did not arrive",
            Self::Late => {
                "the request's body did not come in the time that bodies may take which rules read"
            }
            Self::Length => "the request's body is not as long as its head says",
            Self::NoRoom => "too many bodies are being judged now",
            Self::TooLong => "the request's body is longer than rules read",
        }
    }
}
