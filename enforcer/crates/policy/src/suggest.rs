//! A draft of a policy out of what was seen: it allows that, written as shortly as can be read, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use enforcer_flow::{Host, Protocol};

use crate::compile::path::Path;
use crate::compile::reach::usual;

/// More patterns of paths than this at one host are put together.
const MANY_PATHS: usize = 12;

/// One exchange that was seen.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What was spoken.
    pub protocol: Protocol,
    /// Where to.
    pub host: &'a Host,
    /// At which port.
    pub port: u16,
    /// Method and path, where it had them.
    pub request: Option<(&'a str, &'a str)>,
    /// The model, if a model was asked.
    pub model: Option<&'a str>,
}

/// What was seen of one place.
#[derive(Default)]
struct At<'a> {
    /// The methods and models of each pattern of paths; the models only when each request named one.
    paths: BTreeMap<String, Asked<'a>>,
    bare: bool,
    /// How many exchanges could not be put into a rule.
    unclear: usize,
}

#[derive(Default)]
struct Asked<'a> {
    methods: BTreeSet<&'a str>,
    models: BTreeSet<&'a str>,
    without_model: bool,
}

/// Writes a policy that allows what was seen.
#[must_use]
pub fn suggest<'a>(name: &str, seen: impl IntoIterator<Item = Seen<'a>>) -> String {
    let mut places: BTreeMap<(String, &'static str, u16), At<'a>> = BTreeMap::new();
    for seen in seen {
        if seen.protocol == Protocol::Dns {
            continue;
        }
        let place = (seen.host.to_string(), seen.protocol.as_str(), seen.port);
        places.entry(place).or_default().take(&seen);
    }
    let mut text = String::from(
        "# A draft from what was seen. Read it, narrow it, and put cases beside it: it allows whatever happened.\n",
    );
    let _ = writeln!(text, "version: 1\nname: {name}");
    if places.is_empty() {
        text.push_str("rules: []\n");
        return text;
    }
    text.push_str("rules:\n");
    let mut ids = BTreeSet::new();
    for ((host, protocol, port), at) in places {
        at.write(&host, (protocol, port), &mut ids, &mut text);
    }
    text
}

impl<'a> At<'a> {
    fn take(&mut self, seen: &Seen<'a>) {
        let Some((method, path)) = seen.request else {
            self.bare = true;
            return;
        };
        let sound = method.bytes().all(|byte| byte.is_ascii_uppercase());
        match (pattern(path), sound) {
            (Some(pattern), true) => {
                let asked = self.paths.entry(pattern).or_default();
                asked.methods.insert(method);
                asked.models.extend(seen.model);
                asked.without_model |= seen.model.is_none();
            }
            (None, _) | (_, false) => self.unclear += 1,
        }
    }

    fn write(
        mut self,
        host: &str,
        (protocol, port): (&str, u16),
        ids: &mut BTreeSet<String>,
        text: &mut String,
    ) {
        if self.paths.len() > MANY_PATHS {
            self.join();
        }
        if self.unclear > 0 {
            let _ = writeln!(
                text,
                "  # {} requests to {host} have paths that can be read in two ways; no rule allows these.",
                self.unclear
            );
        }
        let place = |text: &mut String| {
            let _ = writeln!(text, "    match:\n      host: {}", quoted(host));
            if protocol != "https" && protocol != "tls" {
                let _ = writeln!(text, "      protocol: {protocol}");
            }
            if by_name(protocol).and_then(usual) != Some(port) {
                let _ = writeln!(text, "      port: {port}");
            }
        };
        if self.bare {
            let id = id(host, ids);
            let _ = writeln!(text, "  - id: {id}\n    effect: allow");
            if protocol == "tls" {
                text.push_str("    inspect: false\n");
            }
            place(text);
        }
        // Patterns that were asked for alike are one rule.
        let mut alike: BTreeMap<(Vec<&str>, Vec<&str>), Vec<String>> = BTreeMap::new();
        for (pattern, asked) in self.paths {
            let models = match asked.without_model {
                true => Vec::new(),
                false => asked.models.into_iter().collect(),
            };
            let methods = asked.methods.into_iter().collect();
            alike.entry((methods, models)).or_default().push(pattern);
        }
        for ((methods, models), patterns) in alike {
            let id = id(host, ids);
            let _ = writeln!(text, "  - id: {id}\n    effect: allow");
            place(text);
            let _ = writeln!(text, "      method: [{}]", methods.join(", "));
            list("path", patterns.iter().map(String::as_str), text);
            if !models.is_empty() {
                list("model", models.into_iter(), text);
            }
        }
    }

    /// Puts patterns together by their first segment.
    fn join(&mut self) {
        let mut joined: BTreeMap<String, Asked<'a>> = BTreeMap::new();
        for (pattern, asked) in std::mem::take(&mut self.paths) {
            let first = pattern.split('/').nth(1).unwrap_or_default();
            let below = match first.is_empty() || first.contains('*') {
                true => "/**".to_owned(),
                false => format!("/{first}/**"),
            };
            let into = joined.entry(below).or_default();
            into.methods.extend(asked.methods);
            into.models.extend(asked.models);
            into.without_model |= asked.without_model;
        }
        self.paths = joined;
    }
}

fn list<'v>(key: &str, values: impl Iterator<Item = &'v str>, text: &mut String) {
    let values: Vec<String> = values.map(quoted).collect();
    let _ = writeln!(text, "      {key}: [{}]", values.join(", "));
}

/// A path with what looks like an id in it as `*`. None for one that can be read in more than one way, or cannot be written
/// as a pattern.
fn pattern(path: &str) -> Option<String> {
    let Path::Clear(clear) = Path::read(path) else {
        return None;
    };
    let clear = std::str::from_utf8(&clear).ok()?;
    if clear.contains('*') || clear.len() > 512 {
        return None;
    }
    let segments = clear.split('/').map(|segment| match is_id(segment) {
        true => "*",
        false => segment,
    });
    let segments: Vec<&str> = segments.collect();
    let pattern = format!("/{}", segments.join("/"));
    // What a path stands for is not always how a pattern writes it.
    crate::compile::path::PathPattern::parse(&pattern).ok()?;
    Some(pattern)
}

/// Whether a segment is one of many of its kind: numbers, long hexadecimal texts, ids with a number in them.
fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let hex = segment
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let all = !segment.is_empty() && digits == segment.len();
    all || (hex && segment.len() >= 16) || (segment.len() >= 20 && digits >= 4)
}

fn id(host: &str, ids: &mut BTreeSet<String>) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '-',
    };
    let base: String = host.chars().map(plain).take(48).collect();
    let base = base.trim_matches('-').to_owned();
    let mut candidates = (1..).map(|n| match n {
        1 => base.clone(),
        n => format!("{base}-{n}"),
    });
    let id = candidates.find(|id| !ids.contains(id)).unwrap_or_default();
    ids.insert(id.clone());
    id
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn by_name(protocol: &str) -> Option<Protocol> {
    [
        Protocol::Http,
        Protocol::Https,
        Protocol::Tcp,
        Protocol::Tls,
    ]
    .into_iter()
    .find(|own| own.as_str() == protocol)
}
