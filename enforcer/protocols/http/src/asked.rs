//! What a request asks, as policy and the ledger take it.

use enforcer_audit::Fingerprint;
use enforcer_cost::Estimate;
use enforcer_credentials::shown_path;
use enforcer_flow::{Destination, Host};
use enforcer_gate::{Ask, Fault, Refusal};
use enforcer_policy as policy;
use http::HeaderMap;
use http::request::Parts;

use crate::request::Contradiction;
use crate::serve::Connection;
use crate::{headers, request};

/// The head of a request, read. Borrowed by every question about it.
pub(crate) struct Asked<'a> {
    connection: &'a Connection,
    parts: &'a Parts,
    credentials: Vec<Fingerprint>,
    /// None when it is the connection's own.
    named: Option<Destination>,
    shown_path: Option<String>,
    length: Option<u64>,
    /// What it contradicts, where it could go on all the same.
    contradiction: Option<Contradiction>,
    estimate: Option<Estimate>,
}

impl<'a> Asked<'a> {
    /// Reads a head; `length` is that of the body, where the transport knows it.
    ///
    /// # Errors
    /// When it contradicts itself or its connection, or is too long; this is recorded.
    pub(crate) fn read(
        connection: &'a Connection,
        parts: &'a Parts,
        length: Option<u64>,
    ) -> Result<Self, Refusal> {
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
        let asked = |named| Self {
            connection,
            parts,
            credentials,
            named,
            shown_path: None,
            length,
            contradiction: None,
            estimate: None,
        };
        if headers::size(&parts.headers) > agent.limits.header_bytes {
            let public = "the request's headers are longer than may be";
            let refusal = asked(None).masked().refuse("header_too_large", public);
            return Err(Refusal {
                fault: Fault::TooLarge,
                ..refusal
            });
        }
        match judged {
            Ok(named) => Ok(asked(named).masked()),
            Err(contradiction) if contradiction.could_go_on() => Ok(Self {
                contradiction: Some(contradiction),
                ..asked(None).masked()
            }),
            Err(contradiction) => {
                let asked = asked(None).masked();
                Err(asked.refuse(contradiction.cause(), contradiction.public()))
            }
        }
    }

    /// The question, with the body as far as it is known.
    pub(crate) fn ask(&'a self, body: policy::Body<'a>) -> Ask<'a> {
        let uri = &self.parts.uri;
        let request = policy::Request {
            query: uri.query(),
            headers: Some(&self.parts.headers),
            length: self.length,
            body,
            ..policy::Request::new(self.parts.method.as_str(), uri.path())
        };
        Ask {
            protocol: self.connection.agent.protocol,
            destination: self.destination(),
            request: Some(request),
            shown_path: self.shown_path.as_deref(),
            estimate: self.estimate,
            credentials: &self.credentials,
        }
    }

    /// The headers as they came.
    pub(crate) fn headers(&self) -> &'a HeaderMap {
        &self.parts.headers
    }

    /// Takes note of what it will take at most.
    pub(crate) fn estimated(&mut self, estimate: Option<Estimate>) {
        self.estimate = estimate;
    }

    /// What it contradicts: it may go on for who observes only, and not without being recorded.
    pub(crate) fn contradiction(&self) -> Option<Contradiction> {
        self.contradiction
    }

    /// Records that we refuse it ourselves.
    pub(crate) fn refuse(&self, cause: &'static str, public: &str) -> Refusal {
        let agent = &self.connection.agent;
        let ask = self.ask(policy::Body::Unread);
        agent.gate.refuse(&agent.flow, ask, cause, public)
    }

    /// Where it goes.
    pub(crate) fn destination(&self) -> &Destination {
        let own = &self.connection.agent.proven.destination;
        self.named.as_ref().unwrap_or(own)
    }

    /// A path that holds a secret is not written down. Connections of which the host is known know it too.
    fn masked(mut self) -> Self {
        if (self.connection.is_special || self.named.is_some())
            && let Host::Name(name) = &self.destination().host
        {
            self.shown_path = shown_path(name, self.parts.uri.path());
        }
        self
    }
}
