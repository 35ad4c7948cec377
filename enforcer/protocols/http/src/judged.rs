//! The rare way of an exchange: a rule reads its body or judges its answer, or a secret is filled in on the way.
//!
//! The body is gathered and read before policy is asked again, so that one grant covers all of it. What rules cannot read
//! in one way only is theirs to refuse; what is not here whole is refused by us.

use std::sync::Arc;
use std::time::SystemTime;

use enforcer_flow::{Destination, ExchangeId, Side};
use enforcer_gate::{
    Exchange, Fault, Granted, Head, MaskedHead, Masking, Permit, Reading, Refusal, Terms,
};
use enforcer_policy::{self as policy, Obligation};
use enforcer_prompt::{Api, Content, Shape};
use http::request::Parts;
use http::{HeaderMap, Response};
use http_body::Body as _;
use hyper::body::Incoming;

use crate::aside::LARGE;
use crate::asked::Asked;
use crate::body::Source;
use crate::exchange::drain;
use crate::gather::{Bounds, Gathered, Ungathered};
use crate::kept::{Kept, keep};
use crate::masking::{self, Rest};
use crate::obligation::{self, Delivery, Unmet};
use crate::pool::Lease;
use crate::serve::Connection;
use crate::upgrade::{self, Upgrade};
use crate::{ResponseBody, answer, coding, forward, recording, shape, socket};

/// Carries out what the head of a request was answered.
pub(crate) async fn handle(
    connection: &Arc<Connection>,
    head: Head,
    parts: Parts,
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
            let (granted, kept) = ask(connection, &parts, body, &mut shape).await?;
            (granted, kept.into())
        }
    };
    carry_out(connection, granted, (parts, source), &shape).await
}

/// Does with a request and its answer what the grant asks for.
async fn carry_out(
    connection: &Arc<Connection>,
    granted: Granted,
    (mut parts, source): (Parts, Source),
    shape: &Shape,
) -> Result<Response<ResponseBody>, Refusal> {
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
    let masking = exchange.masking().cloned();
    let (source, rest) = match &masking {
        None => (source, Rest::default()),
        Some(masking) => {
            masking::prepare(connection, &mut parts, source, (masking, &mut exchange)).await?
        }
    };
    let masks = masking.as_ref().is_some_and(Masking::edits_answers);
    let reads = judge.as_ref().is_some_and(|judge| judge.needs().content());
    if reads || masks || exchange.is_billed() {
        answer::prepare(&mut parts.headers);
    }
    recording::request(connection, &exchange, &parts, permit.destination());
    let source = signable(connection, source, &obligations, &mut exchange).await?;
    let delivery = Delivery {
        exchange: exchange.id(),
        time: SystemTime::now(),
        body: source.bytes(),
    };
    let terms = (&*obligations, &delivery, permit.destination());
    meet(connection, &mut exchange, &mut parts, terms)?;
    let sent = (parts, source, rest);
    let (answer, lease) = fetch(connection, &mut exchange, &permit, sent).await?;
    match judge {
        None if exchange.is_billed() => {
            Ok(answer::watch(connection, answer, lease, exchange, shape))
        }
        None => Ok(forward::down(answer, Some(lease), exchange, connection)),
        Some(judge) => answer::judge(connection, answer, lease, exchange, (judge, shape)).await,
    }
}

/// Puts what the grant has masked of the head in its place.
pub(crate) fn mask_head(
    exchange: &mut Exchange,
    parts: &mut Parts,
    head: Option<Box<MaskedHead>>,
) -> Result<(), Refusal> {
    match head.map(|head| masking::apply(parts, *head)) {
        None | Some(Some(())) => Ok(()),
        Some(None) => Err(unable(exchange, Unmet::Terms.cause())),
    }
}

/// Fills in, signs and unhides what the grant asks for.
pub(crate) fn meet(
    connection: &Connection,
    exchange: &mut Exchange,
    parts: &mut Parts,
    (obligations, delivery, destination): (&[Obligation], &Delivery<'_>, &Destination),
) -> Result<(), Refusal> {
    let judging = &connection.agent.judging;
    obligation::meet(parts, obligations, &judging.secrets, delivery)
        .and_then(|()| obligation::unhide(parts, &judging.hooks, destination))
        .map_err(|unmet| unable(exchange, unmet.cause()))
}

/// Sends the request and takes the answer. What is left of a body that was stopped is read to its end.
async fn fetch(
    connection: &Connection,
    exchange: &mut Exchange,
    permit: &Permit,
    (parts, source, rest): (Parts, Source, Rest),
) -> Result<(Response<Incoming>, Lease), Refusal> {
    let fetched = forward::fetch(connection, exchange, permit, parts, source).await;
    let left = rest.take().filter(|_| fetched.is_err());
    if let Some(body) = left {
        drain(&HeaderMap::new(), body).await;
    }
    fetched
}

/// The same body, in memory if it is signed.
async fn signable(
    connection: &Connection,
    source: Source,
    obligations: &[Obligation],
    exchange: &mut Exchange,
) -> Result<Source, Refusal> {
    match source {
        Source::Filed(filed) if obligations.iter().any(is_signature) => {
            let bounds = bounds(connection);
            let recalled = move || Kept::Filed(*filed).here(&bounds);
            let recalled = connection.agent.judging.aside.run(recalled).await;
            match recalled.unwrap_or(Err(Ungathered::Unkept)) {
                Ok(gathered) => Ok(Source::Gathered(Box::new(gathered))),
                Err(ungathered) => Err(unable(exchange, ungathered.cause())),
            }
        }
        source => Ok(source),
    }
}

fn is_signature(obligation: &Obligation) -> bool {
    matches!(obligation, Obligation::Sign(_))
}

/// Bounds on a body of which all must be here.
pub(crate) fn bounds(connection: &Connection) -> Bounds {
    let agent = &connection.agent;
    Bounds {
        limit: agent.judging.body_bytes,
        time: agent.judging.body_timeout,
        memory: Arc::clone(&agent.judging.memory),
        workload: agent.flow.workload().cgroup,
    }
}

/// Gathers the body and asks policy with what it says.
async fn ask(
    connection: &Arc<Connection>,
    parts: &Parts,
    mut body: Incoming,
    shape: &mut Shape,
) -> Result<(Granted, Kept), Refusal> {
    let agent = &connection.agent;
    let asked = Asked::read(connection, parts, body.size_hint().exact())?;
    let bounds = bounds(connection);
    let spilling = agent.judging.spilling.as_ref();
    let kept = match keep(&parts.headers, &mut body, &bounds, spilling).await {
        Ok(kept) => kept,
        Err(ungathered) => {
            let refusal = ungathered.refuse(&asked);
            drain(&parts.headers, body).await;
            return Err(refusal);
        }
    };
    // Counting tokens and decoding take long enough to be in others' way, whatever the size.
    let takes_long =
        kept.length() >= LARGE || coding::is_coded(&parts.headers) || agent.gate.costs().is_some();
    let (granted, kept, seen) = match kept {
        Kept::Here(gathered) if !takes_long => {
            let (granted, gathered, seen) = decide(connection, asked, shape, gathered);
            (granted, Kept::Here(gathered), seen)
        }
        kept => {
            let (connection, parts) = (Arc::clone(connection), parts.clone());
            let shape = shape.clone();
            let reading = move || aside(&connection, &parts, &shape, (kept, bounds));
            let Some(decided) = agent.judging.aside.run(reading).await else {
                return Err(unready(&asked));
            };
            decided?
        }
    };
    let granted = granted?;
    if let Some(api) = seen {
        shape.api = api;
    }
    Ok((granted, kept))
}

/// Decides beside the worker; what waits on disk is in memory only meanwhile.
fn aside(
    connection: &Connection,
    parts: &Parts,
    shape: &Shape,
    (kept, bounds): (Kept, Bounds),
) -> Result<Decided<Kept>, Refusal> {
    // The head was read before, and is what it was.
    let asked = Asked::read(connection, parts, Some(kept.length() as u64))?;
    let (filed, gathered) = match kept {
        Kept::Here(gathered) => (None, gathered),
        Kept::Filed(filed) => match filed.recall(&bounds) {
            Ok(gathered) => (Some(filed), gathered),
            Err(ungathered) => return Err(ungathered.refuse(&asked)),
        },
    };
    let (granted, gathered, seen) = decide(connection, asked, shape, gathered);
    let judge = |granted: &Granted| Some(granted.terms.as_ref()?.judge.is_some());
    let kept = match filed {
        // Who judges the answer keeps it in memory anyway.
        Some(filed) if granted.as_ref().ok().and_then(judge) == Some(true) => {
            Kept::Here(filed.with(gathered))
        }
        Some(filed) => Kept::Filed(filed),
        None => Kept::Here(gathered),
    };
    Ok((granted, kept, seen))
}

/// What policy says, the body, and what the body turned out to be whatever the head said.
type Decided<B> = (Result<Granted, Refusal>, B, Option<Api>);

/// Reads a body that is here, and asks policy with it.
fn decide(
    connection: &Connection,
    mut asked: Asked<'_>,
    shape: &Shape,
    mut gathered: Gathered,
) -> Decided<Gathered> {
    let agent = &connection.agent;
    let length = gathered.bytes.len() as u64;
    let headers = asked.headers();
    let bytes = match coding::decode(headers, &gathered.bytes, agent.judging.body_bytes) {
        Ok(bytes) => bytes,
        Err(cause) => {
            let unread = policy::Body::Undecidable(cause);
            let granted = agent.gate.ask(&agent.flow, asked.ask(unread));
            return (granted, gathered, None);
        }
    };
    // What was decoded takes room too, for as long as it is read.
    if coding::is_coded(headers) && !gathered.room.grow(bytes.len()) {
        return (Err(Ungathered::NoRoom.refuse(&asked)), gathered, None);
    }
    let reading = Reading::new(shape.clone(), bytes, length, agent.judging.structure);
    let mut seen = None;
    match reading.content() {
        Ok(Content::Model(call)) => {
            let costs = agent.gate.costs();
            asked.estimated(costs.map(|costs| costs.estimate(call)));
        }
        // Its answer is one too.
        Ok(Content::Mcp { .. }) => seen = Some(Api::Mcp),
        Ok(Content::Empty | Content::Plain) => {}
        Err(undecidable) => {
            tracing::debug!(%undecidable, flow.id = %agent.flow.id(), "a body cannot be judged");
        }
    }
    let mut granted = agent.gate.ask(&agent.flow, asked.ask(reading.body()));
    if let Ok(granted) = &mut granted
        && let Some(terms) = granted.terms.as_deref_mut()
        && let Some(judge) = &mut terms.judge
    {
        judge.keep_body(Arc::new(reading));
    }
    (granted, gathered, seen)
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
        Refusal {
            fault: self.fault(),
            ..refusal
        }
    }

    /// The same where an exchange was granted already.
    pub(crate) fn refusal(self, exchange: ExchangeId) -> Refusal {
        Refusal {
            exchange,
            fault: self.fault(),
            cause: self.cause(),
            public: format!("{} (exchange {exchange})", self.public()),
        }
    }

    fn fault(self) -> Fault {
        match self {
            Self::Broken => Fault::Agent,
            Self::NoRoom | Self::Unkept => Fault::Unavailable,
            Self::Late | Self::Length | Self::TooLong => Fault::Policy,
        }
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
            Self::Unkept => "the request's body cannot be kept until it is judged",
        }
    }
}
