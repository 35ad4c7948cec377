//! Webhooks: which service takes them, and which of its hooks it is, told by host and path.

use enforcer_flow::Host;

use crate::compile::path::Path;
use crate::condition::Reader;
use crate::condition::call::optional;
use crate::condition::one_of;
use crate::condition::words::Words;
use crate::facts::Facts;
use crate::parse::fields::Fields;
use crate::parse::tree::{Entry, Value};
use crate::truth::{Stance, Truth};

/// The services that are told by their addresses.
const KINDS: [&str; 5] = ["discord", "generic", "github", "slack", "teams"];
/// Where each is, as rules name hosts.
const PLACES: [(&str, &[&str]); 4] = [
    (
        "discord",
        &[
            "discord.com",
            "discordapp.com",
            "canary.discord.com",
            "ptb.discord.com",
        ],
    ),
    ("github", &["api.github.com"]),
    ("slack", &["hooks.slack.com"]),
    (
        "teams",
        &[
            "*.webhook.office.com",
            "*.logic.azure.com",
            "*.environment.api.powerplatform.com",
        ],
    ),
];

/// What webhook it is to be.
#[derive(Debug)]
pub(crate) struct WebhookTest {
    kind: Option<Words>,
    id: Option<Words>,
    /// The hosts of the one service that is named, if it is one.
    places: Option<&'static [&'static str]>,
}

/// A webhook as it was recognised.
#[derive(Debug, PartialEq, Eq)]
struct Webhook<'p> {
    kind: &'static str,
    /// What the service knows it by, without the secret in it.
    id: Option<&'p str>,
}

impl WebhookTest {
    pub(crate) const KEYS: [&'static str; 2] = ["kind", "id"];

    /// Reads kinds alone, or a map.
    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        if !matches!(entry.value.value, Value::Map(_)) {
            let places = implied(&entry);
            let kind = Some(one_of(entry, &KINDS, reader)?);
            let id = None;
            return Some(Self { kind, id, places });
        }
        let what = "`webhook`";
        let mut map = Fields::open(entry.into_value(), what, &Self::KEYS, reader.findings)?;
        let (kind, id) = (map.take("kind"), map.take("id"));
        let places = kind.as_ref().and_then(implied);
        Some(Self {
            kind: optional(kind.map(|entry| one_of(entry, &KINDS, reader)))?,
            id: optional(id.map(|entry| Words::read(entry, reader)))?,
            places,
        })
    }

    pub(crate) fn places(&self) -> Option<&'static [&'static str]> {
        self.places
    }

    pub(crate) fn judge(&self, facts: &Facts<'_, '_>, stance: Stance) -> Truth {
        let Some(request) = facts.request() else {
            return Truth::Unknown;
        };
        let Path::Clear(path) = Path::read(request.path) else {
            return Truth::Unknown;
        };
        let Ok(path) = std::str::from_utf8(&path) else {
            return Truth::Unknown;
        };
        let host = match facts.question.host {
            Host::Name(name) => name,
            Host::Ip(_) => "",
        };
        let found = recognise(host, path);
        let kind = self.kind.as_ref();
        let kind = kind.map_or(Truth::Yes, |words| words.judge(found.kind, stance));
        let id = match (&self.id, found.id) {
            (None, _) => Truth::Yes,
            (Some(_), None) => Truth::No,
            (Some(words), Some(id)) => words.judge(id, stance),
        };
        kind.and(id)
    }
}

/// The hosts of a service, when it is the only one named.
fn implied(entry: &Entry<'_>) -> Option<&'static [&'static str]> {
    let name = match &entry.value.value {
        Value::Text(text) => text,
        Value::List(nodes) => match nodes.as_slice() {
            [only] => match &only.value {
                Value::Text(text) => text,
                Value::List(_) | Value::Map(_) | Value::Null => return None,
            },
            _ => return None,
        },
        Value::Map(_) | Value::Null => return None,
    };
    let found = PLACES.iter().find(|(kind, _)| *kind == &**name);
    found.map(|(_, places)| *places)
}

/// What webhook host and path name.
fn recognise<'p>(host: &str, path: &'p str) -> Webhook<'p> {
    let generic = Webhook {
        kind: "generic",
        id: None,
    };
    let Some((kind, _)) = PLACES.iter().find(|(_, places)| {
        places.iter().any(|place| match place.strip_prefix('*') {
            Some(suffix) => host.ends_with(suffix),
            None => host == *place,
        })
    }) else {
        return generic;
    };
    let id = match *kind {
        "slack" => slack(path),
        "discord" => discord(path),
        "github" => between(path, "repos/", "/dispatches"),
        _ => teams(path),
    };
    match id {
        Some(id) => Webhook { kind, id: Some(id) },
        None => generic,
    }
}

/// `services/T…/B…/SECRET`, known as `T…/B…`; the same for workflows and triggers.
fn slack(path: &str) -> Option<&str> {
    let rest = ["services/", "workflows/", "triggers/"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix))?;
    let first = rest.find('/')?;
    let second = first + 1 + rest.get(first + 1..)?.find('/')?;
    rest.get(..second)
        .filter(|id| second + 1 < rest.len() && first > 0 && id.len() > first + 1)
}

/// `api/webhooks/ID/SECRET`, perhaps with a version, known as `ID`.
fn discord(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("api/")?;
    let rest = match rest.strip_prefix('v').and_then(|rest| rest.split_once('/')) {
        Some((version, rest)) if version.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        Some(_) | None => rest,
    };
    let (id, secret) = rest.strip_prefix("webhooks/")?.split_once('/')?;
    (!id.is_empty() && !secret.is_empty()).then_some(id)
}

/// `webhookb2/ID@…`, or `…/workflows/ID/triggers/…`.
fn teams(path: &str) -> Option<&str> {
    if let Some(rest) = path
        .strip_prefix("webhookb2/")
        .or(path.strip_prefix("webhook/"))
    {
        let id = rest.split(['@', '/']).next()?;
        return (!id.is_empty()).then_some(id);
    }
    let at = path.find("workflows/")? + "workflows/".len();
    let (id, rest) = path.get(at..)?.split_once('/')?;
    (!id.is_empty() && rest.starts_with("triggers/")).then_some(id)
}

fn between<'p>(path: &'p str, before: &str, after: &str) -> Option<&'p str> {
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (id.matches('/').count() == 1 && !id.starts_with('/') && !id.ends_with('/')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_host_and_path() {
        for (host, path, kind, id) in [
            (
                "hooks.slack.com",
                "services/T1/B2/secret",
                "slack",
                Some("T1/B2"),
            ),
            (
                "hooks.slack.com",
                "workflows/T1/A2/3/secret",
                "slack",
                Some("T1/A2"),
            ),
            ("hooks.slack.com", "services/T1/B2", "generic", None),
            ("hooks.slack.com", "services/T1/B2/", "generic", None),
            (
                "hooks.slack.com.evil.example",
                "services/T1/B2/x",
                "generic",
                None,
            ),
            (
                "discord.com",
                "api/webhooks/42/token",
                "discord",
                Some("42"),
            ),
            (
                "discord.com",
                "api/v10/webhooks/42/token/slack",
                "discord",
                Some("42"),
            ),
            ("discord.com", "api/channels/42/messages", "generic", None),
            (
                "acme.webhook.office.com",
                "webhookb2/g@t/IncomingWebhook/x/y",
                "teams",
                Some("g"),
            ),
            ("webhook.office.com", "webhookb2/g@t", "generic", None),
            (
                "prod-1.westeurope.logic.azure.com",
                "workflows/w1/triggers/manual/paths/invoke",
                "teams",
                Some("w1"),
            ),
            (
                "api.github.com",
                "repos/acme/site/dispatches",
                "github",
                Some("acme/site"),
            ),
            ("api.github.com", "repos/acme/site/issues", "generic", None),
            ("hooks.example.com", "in/7", "generic", None),
        ] {
            assert_eq!(recognise(host, path), Webhook { kind, id }, "{host}/{path}");
        }
    }
}
