//! One readable line for each event. Everything in a ledger line is data: whatever a terminal would act on is made visible,
//! and a value that could pass for several is quoted.

use std::fmt::Write as _;

use super::fields::Fields;
use crate::terminal;

/// How much is shown of a line that is not a ledger line.
const UNREADABLE: usize = 400;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Palette {
    /// ANSI colours.
    Coloured,
    /// None.
    Plain,
}

/// What an event means to whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Bad,
    Calm,
    Good,
    Warning,
}

/// The line as a person reads it, without a line feed. A line of a later version or of another program is shown too.
#[must_use]
pub fn readable(line: &[u8], palette: Palette) -> String {
    match Fields::parse(line) {
        Some(fields) => known(fields, palette),
        None => {
            let text = String::from_utf8_lossy(&line[..line.len().min(UNREADABLE)]);
            palette.paint(
                Tone::Warning,
                &format!("unreadable: {}", terminal::neutral(&text)),
            )
        }
    }
}

/// The line itself, with what a terminal would act on written as JSON escapes: the same JSON, not the same bytes.
#[must_use]
pub fn shown(line: &[u8]) -> String {
    terminal::neutral(&String::from_utf8_lossy(line))
}

fn known(mut fields: Fields, palette: Palette) -> String {
    let time = fields.text("time").unwrap_or_default();
    let number = fields.text("seq").unwrap_or_default();
    let event = fields.text("event").unwrap_or_default();
    // The chain is for `verify`; here it would be half the line.
    fields.take("hash");
    let workload = fields.inner("workload", "name");
    fields.take("workload");
    let subject = subject(&event, &mut fields);
    let ids = ids(&mut fields);
    let mut out = palette.dim(&format!("{} {:>7}", milliseconds(&time), word(&number)));
    let tone = Tone::of(&event);
    let event = format!("{:<17}", terminal::neutral(&event));
    let workload = workload.map_or_else(|| String::from("-"), |name| word(&name));
    // Writing to a String does not fail.
    let _ = write!(out, " {} {workload:<12}", palette.paint(tone, &event));
    let details = fields
        .rest()
        .map(|(key, value)| format!("{}={}", word(&key), word(&value)));
    for part in subject.into_iter().chain(details) {
        out.push(' ');
        out.push_str(&part);
    }
    if !ids.is_empty() {
        out.push(' ');
        out.push_str(&palette.dim(&ids.join(" ")));
    }
    out
}

/// What ties events together; it stands last, where it is least in the way.
fn ids(fields: &mut Fields) -> Vec<String> {
    let mut ids = Vec::new();
    for key in ["exchange", "flow"] {
        if let Some(id) = fields.text(key) {
            ids.push(format!("{key}={}", word(&id)));
        }
    }
    ids
}

/// What the event is about, in words; what it takes is not repeated among the details.
fn subject(event: &str, fields: &mut Fields) -> Vec<String> {
    let mut subject = Vec::new();
    match event {
        "exchange_granted" | "exchange_denied" | "exchange_observed" => subject.extend(ask(fields)),
        "exchange_closed" => subject.extend(fields.text("status").map(|s| word(&s))),
        "data_found" => subject.extend(found(fields)),
        "exchange_aborted" | "flow_aborted" => subject.extend(fault(fields)),
        "flow_opened" | "flow_refused" => subject.extend(ends(fields)),
        // The same in every file, and long.
        "ledger_opened" => {
            for key in ["hash_rule", "canonical_form", "previous_hash"] {
                fields.take(key);
            }
        }
        _ => {}
    }
    subject.extend(traffic(fields));
    subject.extend(process(fields));
    subject
}

/// `POST https://api.openai.com:443/v1/models`
fn ask(fields: &mut Fields) -> Option<String> {
    let protocol = fields.text("protocol")?;
    let host = fields.text("host")?;
    let port = fields.text("port")?;
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    let path = fields.text("path").unwrap_or_default();
    let url = word(&format!("{protocol}://{host}:{port}{path}"));
    Some(match fields.text("method") {
        Some(method) => format!("{} {url}", word(&method)),
        None => url,
    })
}

/// `us_ssn (redact) at $.messages[0].content+12, 2 times`
fn found(fields: &mut Fields) -> Vec<String> {
    let direction = fields.text("direction");
    let findings = fields.take("findings");
    let findings = findings.iter().filter_map(serde_json::Value::as_array);
    let told = findings.flatten().map(|finding| {
        let text = |key| finding.get(key).and_then(serde_json::Value::as_str);
        let text = |key| word(text(key).unwrap_or_default());
        let count = |key| finding.get(key).and_then(serde_json::Value::as_u64);
        let times = match count("count") {
            Some(count) => format!(", {count} times"),
            None => String::new(),
        };
        format!(
            "{} ({}) at {}+{}{times}, {}",
            text("detector"),
            text("action"),
            text("place"),
            count("offset").unwrap_or_default(),
            text("fingerprint")
        )
    });
    let told: Vec<String> = told.collect();
    let told = told.join("; ");
    direction
        .into_iter()
        .map(|word| format!("in the {word}:"))
        .chain([told])
        .collect()
}

fn fault(fields: &mut Fields) -> Option<String> {
    let cause = fields.text("cause")?;
    let side = fields.text("side")?;
    Some(format!("{} by {}", word(&cause), word(&side)))
}

fn ends(fields: &mut Fields) -> Option<String> {
    let client = fields.text("client")?;
    Some(match fields.text("original_dst") {
        Some(dst) => format!("{} -> {}", word(&client), word(&dst)),
        None => word(&client),
    })
}

fn traffic(fields: &mut Fields) -> Option<String> {
    let up = fields.number("bytes_up")?;
    let down = fields.number("bytes_down")?;
    let micros = fields.number("duration_us")?;
    Some(format!(
        "up {} down {} in {}",
        size(up),
        size(down),
        duration(micros)
    ))
}

/// `python3[4321]`
fn process(fields: &mut Fields) -> Option<String> {
    let comm = fields.inner("process", "comm")?;
    let pid = fields.inner("process", "pid")?;
    fields.take("process");
    Some(format!("{}[{}]", word(&comm), word(&pid)))
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// The time without its last three digits; whatever is not a time stays as it is.
fn milliseconds(time: &str) -> String {
    match (time.len(), time.get(..23)) {
        (27, Some(start)) => format!("{}Z", terminal::neutral(start)),
        _ => word(time),
    }
}

/// A value that cannot be taken for anything but one value.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-._~:/?#[]@!$&()*+,;%{}<>|^".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return terminal::neutral(text);
    }
    let quoted = serde_json::Value::from(text).to_string();
    terminal::neutral(&quoted)
}

// === impl Tone ===

impl Tone {
    fn of(event: &str) -> Self {
        match event {
            "exchange_granted" | "name_answered" => Self::Good,
            "answer_blocked" | "danger" | "exchange_denied" | "flow_refused" | "hook_fault"
            | "kernel_refused" | "message_denied" | "name_refused" => Self::Bad,
            "address_observed" | "answer_edited" | "answer_flagged" | "data_found"
            | "exchange_observed" | "kernel_observed" | "name_observed" | "exchange_aborted"
            | "flow_aborted" | "ledger_recovered" | "policy_rejected" | "suppressed" => {
                Self::Warning
            }
            _ => Self::Calm,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Bad => "31",
            Self::Calm => "36",
            Self::Good => "32",
            Self::Warning => "33",
        }
    }
}

// === impl Palette ===

impl Palette {
    fn paint(self, tone: Tone, text: &str) -> String {
        self.wrap(tone.code(), text)
    }

    fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}
