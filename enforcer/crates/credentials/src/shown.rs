//! Paths that are secrets themselves, as those of incoming webhooks: what of them may be written down.

#[cfg(test)]
mod tests;

/// Stands for what is not shown.
const HIDDEN: &str = "***";

/// Where a service keeps the secret in its URLs.
struct Place {
    /// The host, or what it ends with when it begins with a dot.
    host: &'static str,
    /// The segment that comes before; none when it is the path's beginning.
    after: Option<&'static str>,
    /// How many more segments may be shown.
    keep: usize,
}

const fn place(host: &'static str, after: Option<&'static str>, keep: usize) -> Place {
    Place { host, after, keep }
}

static PLACES: [Place; 11] = [
    place("hooks.slack.com", None, 3),
    place("discord.com", Some("webhooks"), 1),
    place(".discord.com", Some("webhooks"), 1),
    place("discordapp.com", Some("webhooks"), 1),
    place(".webhook.office.com", None, 1),
    place("outlook.office.com", Some("webhook"), 0),
    place("outlook.office365.com", Some("webhook"), 0),
    place("hooks.zapier.com", None, 3),
    place("maker.ifttt.com", Some("key"), 0),
    place("api.telegram.org", None, 0),
    place(".make.com", None, 0),
];

/// Whether some paths of this host hold secrets.
#[must_use]
pub fn hides_paths(host: &str) -> bool {
    find(host).is_some()
}

/// The path with its secret left out; none when nothing needs to be.
#[must_use]
pub fn shown_path(host: &str, path: &str) -> Option<String> {
    let place = find(host)?;
    if path.contains('%') || path.contains("//") {
        // Not spelt as usual: what is secret in it cannot be told.
        return Some(format!("/{HIDDEN}"));
    }
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let start = match place.after {
        None => 0,
        Some(marker) => segments.iter().position(|own| *own == marker)? + 1,
    };
    let kept = start + place.keep;
    let hidden = segments.get(kept..)?;
    if hidden.iter().all(|segment| segment.is_empty()) {
        return None;
    }
    let mut shown = String::from("/");
    for segment in segments.iter().take(kept) {
        shown.push_str(segment);
        shown.push('/');
    }
    shown.push_str(HIDDEN);
    Some(shown)
}

fn find(host: &str) -> Option<&'static Place> {
    PLACES.iter().find(|place| {
        if place.host.starts_with('.') {
            host.ends_with(place.host)
        } else {
            host == place.host
        }
    })
}
