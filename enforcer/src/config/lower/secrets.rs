//! `secrets` and `webhooks`: names of what must not stand in the file itself.

use std::collections::BTreeMap;
use std::path::Path;

use enforcer_credentials::{Registered, Source};
use enforcer_flow::Host;

use super::path;
use crate::config::file::Value;
use crate::config::section::{Expected, Section, Wrong};

/// The longest name of a secret.
const MAX_NAME: usize = 64;

pub(super) fn secrets(root: &mut Section<'_>, base: &Path, place: &mut BTreeMap<String, Source>) {
    root.entries("secrets", |name, value| {
        if !is_name(name) {
            let message = "a secret's name is at most 64 letters, digits, `-`, `_` and `.`";
            return Err(Wrong::Key(message.to_owned()));
        }
        // What stands there may be the secret itself, written in the wrong place: it is not repeated.
        let source = source(value, base);
        let source = source.map_err(|expected| Wrong::Key(format!("expected {expected}")))?;
        match place.insert(name.to_owned(), source) {
            None => Ok(()),
            Some(_) => Err(Wrong::Key("names the same secret again".to_owned())),
        }
    });
}

pub(super) fn webhooks(
    root: &mut Section<'_>,
    secrets: &BTreeMap<String, Source>,
    place: &mut Vec<Registered>,
) {
    root.entries("webhooks", |url, value| {
        let (host, path) = split(url).map_err(Wrong::Key)?;
        let secret = value.text().filter(|name| secrets.contains_key(*name));
        let secret =
            secret.ok_or_else(|| Wrong::Value("the name of one of `secrets`".to_owned()))?;
        if place.iter().any(|own| own.host == host && own.path == path) {
            return Err(Wrong::Key("names the same webhook again".to_owned()));
        }
        place.push(Registered {
            host,
            path,
            secret: secret.to_owned(),
        });
        Ok(())
    });
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn source(value: &Value, base: &Path) -> Result<Source, Expected> {
    let expected = || "`{file: PATH}` or `{env: VARIABLE}`".to_owned();
    let Value::Map(entries) = value else {
        return Err(expected());
    };
    let [(key, node)] = entries.as_slice() else {
        return Err(expected());
    };
    match key.value.as_str() {
        "file" => path(&node.value, base).map(Source::File),
        "env" => {
            let variable = node.value.text().filter(|name| is_name(name));
            let variable = variable.ok_or_else(expected)?;
            Ok(Source::Environment(variable.to_owned()))
        }
        _ => Err(expected()),
    }
}

/// `hooks.slack.com/alerts`: the host, and the path that agents post to.
fn split(url: &str) -> Result<(Host, String), String> {
    let shape = "expected `host/path`, such as `hooks.slack.com/alerts`";
    let slash = url.find('/').filter(|slash| *slash > 0).ok_or(shape)?;
    let (host, path) = url.split_at(slash);
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    if path.len() < 2 || !path.bytes().all(plain) || path.contains("//") || path.contains("/.") {
        return Err(shape.to_owned());
    }
    let host = Host::parse(host).map_err(|error| format!("{error}; {shape}"))?;
    Ok((host, path.to_owned()))
}
