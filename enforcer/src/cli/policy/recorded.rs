//! Exchanges as the ledger has them: their heads, and what was decided.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use enforcer_audit::{DEFAULT_LEDGER, Fingerprint, Message, Recordings, Way, read_recording};
use enforcer_flow::{Attributes, CgroupId, Host, Principal, Protocol, Workload};
use enforcer_policy::{Body, PolicySet, Question, Request, with_body};
use http::header::{CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;

/// Which ledger.
#[derive(Debug, clap::Args)]
pub(super) struct Ledger {
    /// The ledger's active file; full files beside it belong to it.
    #[arg(long, value_name = "FILE", default_value = DEFAULT_LEDGER)]
    pub(super) ledger: PathBuf,
    /// The folder of recordings; left out: `recordings` beside the ledger, where the daemon has them.
    #[arg(long, value_name = "FOLDER")]
    recordings: Option<PathBuf>,
}

/// What was recorded of a request: its body, as it went out, and what its head says beside.
#[derive(Debug)]
pub(super) struct Kept {
    headers: HeaderMap,
    query: Option<String>,
    said: Kind,
}

/// What was said.
#[derive(Debug)]
enum Kind {
    Body(Vec<u8>),
    /// Of a WebSocket, what the agent said, each with which message of both sides it was.
    Messages {
        messages: Vec<(u64, String)>,
        /// Whether there were more than are kept.
        is_cut: bool,
    },
}

/// One exchange that was asked for.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) id: String,
    workload: Workload,
    pub(super) protocol: Protocol,
    pub(super) host: Host,
    pub(super) port: u16,
    /// Method and path.
    pub(super) request: Option<(String, String)>,
    pub(super) model: Option<String>,
    pub(super) was: Was,
    /// The rule that decided, if one did.
    pub(super) rule: Option<String>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Was {
    Denied,
    Granted,
    /// It would have been denied, and was let through.
    Observed,
}

/// A line of the ledger, as far as it is read. Lines of later versions may say more.
#[derive(Deserialize)]
struct Line {
    event: String,
    exchange: Option<String>,
    workload: Option<LineWorkload>,
    protocol: Option<Protocol>,
    host: Option<String>,
    port: Option<u16>,
    method: Option<String>,
    path: Option<String>,
    rule: Option<String>,
    content: Option<LineContent>,
}

#[derive(Deserialize)]
struct LineWorkload {
    name: String,
    policy: Option<String>,
    principal: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Deserialize)]
struct LineContent {
    model: Option<String>,
}

// === impl Ledger ===

impl Ledger {
    /// The request of an exchange, where all of it was recorded and can be read as it is.
    pub(super) fn kept(&self, exchange: &str) -> anyhow::Result<Option<Kept>> {
        let beside = || Recordings::beside(&self.ledger);
        let folder = self.recordings.clone().unwrap_or_else(beside);
        let found = read_recording(&folder, exchange)
            .with_context(|| format!("the recording of exchange `{exchange}` cannot be used"))?;
        let Some(mut found) = found else {
            return Ok(None);
        };
        let said = found.said();
        let Some((message, body)) = found.request.take() else {
            return Ok(None);
        };
        let headers = headers(&message);
        let is_cut = message.body.cut > 0;
        let said = match said {
            Some(said) => {
                let own = said.into_iter().filter(|said| said.way == Way::Request);
                let texts = own.filter_map(|said| Some((said.seq, said.text?)));
                let messages = texts.collect();
                Kind::Messages { messages, is_cut }
            }
            None if is_cut || headers.contains_key(CONTENT_ENCODING) => return Ok(None),
            None => Kind::Body(body),
        };
        let target = message.target.unwrap_or_default();
        let query = target.split_once('?').map(|(_, query)| query.to_owned());
        Ok(Some(Kept {
            headers,
            query,
            said,
        }))
    }
}

/// The headers as they were, and nothing that anybody could read in the place of those that are fingerprints.
fn headers(message: &Message) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        let value = match Fingerprint::is_written(value) {
            true => HeaderValue::from_bytes(b"\xff"),
            false => HeaderValue::try_from(value),
        };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), value) {
            headers.append(name, value);
        }
    }
    headers
}

// === impl Kept ===

impl Kept {
    /// What the agent said on a WebSocket, each with which message of both sides it was.
    pub(super) fn messages(&self) -> &[(u64, String)] {
        match &self.said {
            Kind::Body(_) => &[],
            Kind::Messages { messages, .. } => messages,
        }
    }

    /// Whether the agent said more than is kept.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.said, Kind::Messages { is_cut: true, .. })
    }
}

// === impl Recorded ===

impl Recorded {
    /// Reads every exchange of a ledger, oldest first.
    pub(super) fn read(ledger: &Path, mut take: impl FnMut(Self)) -> anyhow::Result<()> {
        let files = parts(ledger)?;
        for path in files {
            let file = File::open(&path)
                .with_context(|| format!("cannot read the ledger `{}`", path.display()))?;
            for line in BufReader::new(file).lines() {
                let line = line.with_context(|| format!("cannot read `{}`", path.display()))?;
                // A last line may be half written, and other events are not asked about.
                if let Some(recorded) = serde_json::from_str(&line).ok().and_then(Self::of) {
                    take(recorded);
                }
            }
        }
        Ok(())
    }

    fn of(line: Line) -> Option<Self> {
        let was = match &*line.event {
            "exchange_denied" => Was::Denied,
            "exchange_granted" => Was::Granted,
            "exchange_observed" => Was::Observed,
            _ => return None,
        };
        let LineWorkload {
            name,
            policy,
            principal,
            groups,
        } = line.workload?;
        let groups = groups.join(",");
        let attributes = Attributes {
            principal: Principal::of_labels(principal.as_deref(), Some(&groups))
                .filter(|_| principal.is_some()),
            ..Attributes::default()
        };
        Some(Self {
            id: line.exchange?,
            workload: Workload {
                name: name.into(),
                policy: policy.map(Into::into),
                cgroup: CgroupId(0),
                path: "/".into(),
                stance: enforcer_flow::Stance::default(),
                attributes: Arc::new(attributes),
            },
            protocol: line.protocol?,
            host: Host::parse(&line.host?).ok()?,
            port: line.port?,
            request: line.method.zip(line.path),
            model: line.content.and_then(|content| content.model),
            was,
            rule: line.rule,
        })
    }

    pub(super) fn workload(&self) -> &str {
        &self.workload.name
    }

    /// Asks a set about it, as of one policy if one is named, with what was recorded of it; of a WebSocket, about its opening.
    pub(super) fn ask<T>(
        &self,
        candidate: (&PolicySet, Option<&str>),
        kept: Option<&Kept>,
        ask: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let workload = self.as_of(candidate);
        let question = self.question(&workload, kept);
        match kept.map(|kept| (&kept.headers, &kept.said)) {
            Some((headers, Kind::Body(body))) if !body.is_empty() && self.request.is_some() => {
                with_body(question, headers, body, ask)
            }
            Some(_) | None => ask(&question),
        }
    }

    /// Asks a set about one message of a WebSocket.
    pub(super) fn ask_message<T>(
        &self,
        candidate: (&PolicySet, Option<&str>),
        (kept, message): (&Kept, &str),
        ask: impl FnOnce(&Question<'_>) -> T,
    ) -> T {
        let workload = self.as_of(candidate);
        let question = self.question(&workload, Some(kept));
        with_body(question, &kept.headers, message.as_bytes(), ask)
    }

    /// Who asked, as a candidate is asked about it.
    fn as_of(&self, (set, policy): (&PolicySet, Option<&str>)) -> Workload {
        let mut workload = self.workload.clone();
        if let Some(policy) = policy {
            workload.policy = Some(policy.into());
        } else if let Some(name) = &workload.policy
            && !set.names().any(|own| own == &**name)
        {
            // The candidate is for whoever it says it is for.
            workload.policy = None;
        }
        workload
    }

    fn question<'q>(&'q self, workload: &'q Workload, kept: Option<&'q Kept>) -> Question<'q> {
        let question = Question::new(workload, self.protocol, &self.host, self.port);
        let request = self.request.as_ref();
        let Some(request) = request.map(|(method, path)| Request::new(method, path)) else {
            return question;
        };
        let Some(kept) = kept else {
            return question.with_request(request);
        };
        let (length, body) = match &kept.said {
            Kind::Body(body) => (Some(body.len() as u64), Body::None),
            // Each message is asked about when it comes.
            Kind::Messages { .. } => (None, Body::Later),
        };
        question.with_request(Request {
            query: kept.query.as_deref(),
            headers: Some(&kept.headers),
            length,
            body,
            ..request
        })
    }

    /// What was asked, in one line.
    pub(super) fn line(&self) -> String {
        let Self {
            protocol,
            host,
            port,
            request,
            ..
        } = self;
        match request {
            Some((method, path)) => format!("{method} {protocol}://{host}:{port}{path}"),
            None => format!("{protocol} {host}:{port}"),
        }
    }
}

/// The files of a ledger, oldest first.
fn parts(active: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = match active.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let name = active.file_name().unwrap_or_default().to_string_lossy();
    let mut parts = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| {
        format!(
            "cannot read the folder of the ledger `{}`",
            active.display()
        )
    })?;
    for entry in entries {
        let path = entry?.path();
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let number = own
            .strip_prefix(&*name)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|number| number.parse::<u64>().ok());
        if let Some(number) = number {
            parts.push((number, path));
        }
    }
    parts.sort_unstable();
    let parts = parts.into_iter().map(|(_, path)| path);
    Ok(parts.chain([active.to_owned()]).collect())
}
