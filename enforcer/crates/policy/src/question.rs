//! What is asked: typed facts about one exchange, and nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;

use enforcer_flow::{Host, Process, Protocol, Workload};
use enforcer_prompt as prompt;
use http::HeaderMap;

/// May this workload do this?
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub workload: &'a Workload,
    /// What more is known of the workload.
    pub attributes: Attributes<'a>,
    /// The process that opened the connection, where it is known.
    pub process: Option<&'a Process>,
    /// The person on whose behalf the workload acts; none when nobody said.
    pub principal: Option<Principal<'a>>,
    /// What it speaks, as far as it was opened.
    pub protocol: Protocol,
    /// Where to.
    pub host: &'a Host,
    /// At which port.
    pub port: u16,
    /// The request, where the protocol has one and it was read. What is not known never helps to allow.
    pub request: Option<Request<'a>>,
}

/// Labels by name.
pub type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// What is known of a workload beside its name. What is none is known not to be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attributes<'a> {
    /// The container's image, with its tag or digest.
    pub image: Option<&'a str>,
    /// The container's name.
    pub container: Option<&'a str>,
    /// The pod.
    pub pod: Option<&'a str>,
    /// The namespace of the pod.
    pub namespace: Option<&'a str>,
    /// The systemd unit.
    pub unit: Option<&'a str>,
    /// The labels of the pod, which say more than those of a container: an image brings its own.
    pub pod_labels: Option<&'a Labels>,
    /// The labels of the container.
    pub labels: Option<&'a Labels>,
}

/// A person or an account, and the groups it is in.
#[derive(Clone, Copy, Debug)]
pub struct Principal<'a> {
    /// Its name, unique among all of its kind.
    pub name: &'a str,
    /// Its groups.
    pub groups: &'a [Arc<str>],
}

/// An HTTP request, as far as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method as sent.
    pub method: &'a str,
    /// The path as sent: not decoded, without the query.
    pub path: &'a str,
    /// The query as sent, without its `?`.
    pub query: Option<&'a str>,
    /// The headers, if the asker has them.
    pub headers: Option<&'a HeaderMap>,
    /// How long the body will be, where the head says so in a way that the transport holds it to.
    pub length: Option<u64>,
    /// The body.
    pub body: Body<'a>,
    /// What the request will probably take, counted before it is sent.
    pub estimate: Estimate,
}

/// A request's body, as far as it was read.
#[derive(Clone, Copy, Debug, Default)]
pub enum Body<'a> {
    /// It comes message by message, and each is asked about: rules that allow and read it are taken at their word, rules
    /// that do not wait for it.
    Later,
    /// There is none, as the head says.
    None,
    /// It was read and understood.
    Read(Read<'a>),
    /// It was read, or began to be, and cannot be understood in one way only.
    Undecidable(prompt::Cause),
    /// It was not read.
    #[default]
    Unread,
}

/// A body that was read and understood.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// How long it is, as sent.
    pub bytes: u64,
    /// What was recognised in the head.
    pub shape: &'a prompt::Shape,
    /// Its parts.
    pub body: &'a prompt::Body<'a>,
    /// What they say.
    pub content: &'a prompt::Content<'a>,
}

/// What a request to a model will probably take. None is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Tokens sent.
    pub tokens: Option<u64>,
    /// Its price, in millionths of a US dollar.
    pub micro_usd: Option<u64>,
}

// === impl Question ===

impl<'a> Question<'a> {
    /// A question of which no more is known than who asks for what place.
    #[must_use]
    pub fn new(workload: &'a Workload, protocol: Protocol, host: &'a Host, port: u16) -> Self {
        Self {
            workload,
            attributes: Attributes::of(workload),
            process: None,
            principal: Principal::of(workload),
            protocol,
            host,
            port,
            request: None,
        }
    }

    /// The same question with a request.
    #[must_use]
    pub fn with_request(self, request: impl Into<Option<Request<'a>>>) -> Self {
        Self {
            request: request.into(),
            ..self
        }
    }

    /// The same question with the body read.
    #[must_use]
    pub fn with_body(self, body: Body<'a>) -> Self {
        let request = self.request.map(|request| Request { body, ..request });
        self.with_request(request)
    }
}

// === impl Principal ===

impl<'a> Principal<'a> {
    /// For whom a workload works, as its operator says.
    #[must_use]
    pub fn of(workload: &'a Workload) -> Option<Self> {
        let known = workload.attributes.principal.as_ref()?;
        Some(Self {
            name: known.name(),
            groups: known.groups(),
        })
    }
}

// === impl Attributes ===

impl<'a> Attributes<'a> {
    /// What a workload's own facts say. The one place to grow when workloads carry more.
    #[must_use]
    pub fn of(workload: &'a Workload) -> Self {
        let known = &workload.attributes;
        let container = known.container.as_ref();
        let pod = known.pod.as_ref();
        Self {
            image: container.and_then(|container| container.image.as_deref()),
            container: container.and_then(|container| container.name.as_deref()),
            pod: pod.map(|pod| &*pod.name),
            namespace: pod.map(|pod| &*pod.namespace),
            unit: known.unit.as_deref(),
            pod_labels: pod.map(|pod| &pod.labels),
            labels: Some(&known.labels),
        }
    }

    /// The value of a label.
    pub(crate) fn label(&self, name: &str) -> Option<&'a str> {
        let of = |labels: Option<&'a Labels>| labels?.get(name).map(|value| &**value);
        of(self.pod_labels).or_else(|| of(self.labels))
    }

    /// Every label, those that count more last.
    pub(crate) fn all_labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let all = self.labels.into_iter().chain(self.pod_labels).flatten();
        all.map(|(name, value)| (&**name, &**value))
    }
}

// === impl Request ===

impl<'a> Request<'a> {
    /// A request of which no more is known than its first line.
    #[must_use]
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self {
            method,
            path,
            query: None,
            headers: None,
            length: None,
            body: Body::Unread,
            estimate: Estimate::default(),
        }
    }
}
