//! The language as a JSON Schema, for editors that complete and check while one writes.

use serde_json::{Map, Value, json};

use crate::condition::field::{FIELDS, Field, Takes};
use crate::document::{AppliesTo, Match};

/// The schema of policy files, as text.
#[must_use]
pub fn schema() -> String {
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Enforcer policy",
        "description": "Who may reach what, saying what. What no rule allows is denied.",
        "type": "object",
        "additionalProperties": false,
        "required": ["version", "name", "rules"],
        "properties": {
            "version": { "const": 1 },
            "name": name("The policy's name, unique among those loaded together."),
            "applies_to": applies_to(),
            "include": described(words(), "Files beside this one, named `NAME.inc.yaml`, with lists and rules."),
            "lists": {
                "description": "Named lists; a value `$NAME` stands for all of one.",
                "type": "object",
                "propertyNames": { "pattern": "^[A-Za-z][A-Za-z0-9_-]*$" },
                "additionalProperties": words(),
            },
            "detectors": {
                "description": "Detectors of the policy's own, for `mask`.",
                "type": "object",
                "propertyNames": { "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 40 },
                "additionalProperties": detector(),
            },
            "examples": {
                "description": "Whether values that documentation uses as examples pass.",
                "enum": ["allow", "find"],
            },
            "mask": masks(),
            "rules": { "type": "array", "items": rule() },
        },
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}

fn applies_to() -> Value {
    let mut properties = Map::new();
    for key in AppliesTo::KEYS {
        let value = match key {
            "labels" => json!({ "type": "object", "additionalProperties": words() }),
            _ => words(),
        };
        properties.insert(key.to_owned(), value);
    }
    json!({
        "description": "Which workloads the policy is for when their labels name none; all that is given must hold.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn rule() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "effect", "match"],
        "properties": {
            "id": name("What the ledger and refusals call it; unique in its policy."),
            "effect": {
                "description": "Deny wins over approval, approval over allow; the order of rules means nothing.",
                "enum": ["allow", "deny", "require_approval", "terminate"],
            },
            "reason": { "type": "string", "maxLength": 300, "description": "Shown to whoever is refused, and kept in the ledger." },
            "inspect": { "type": "boolean", "description": "`false` forwards TLS unopened; only in rules that allow." },
            "action": { "enum": ["block", "strip", "flag"], "description": "What becomes of a part of an answer." },
            "match": matches(),
            "when": { "type": "string", "description": "A CEL expression over the facts; must hold, too." },
            "limit": { "anyOf": [limit(), { "type": "array", "items": limit() }] },
            "sign": {
                "type": "object",
                "additionalProperties": false,
                "required": ["style", "secret"],
                "properties": {
                    "style": { "enum": ["github", "slack", "standard"] },
                    "secret": { "type": "string", "description": "The secret's name in the daemon's configuration." },
                },
            },
            "mask": masks(),
            "record": record(),
            "inject": {
                "type": "object",
                "additionalProperties": false,
                "required": ["header", "secret"],
                "properties": {
                    "header": { "type": "string" },
                    "prefix": { "type": "string" },
                    "secret": { "type": "string", "description": "The secret's name in the daemon's configuration." },
                },
            },
        },
    })
}

fn limit() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["per"],
        "properties": {
            "requests": { "type": ["integer", "string"] },
            "tokens": { "type": ["integer", "string"] },
            "usd": { "type": ["number", "string"] },
            "per": { "type": "string", "pattern": "^[0-9]+[smhd]$" },
            "by": { "enum": ["all", "group", "model", "principal", "workload"] },
            "beyond": { "enum": ["approval", "deny"] },
        },
    })
}

fn record() -> Value {
    json!({
        "description": "What of the exchange is kept, as it went out and as the agent got it.",
        "anyOf": [
            { "const": true },
            {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "request": { "type": "boolean" },
                    "answer": { "type": "boolean" },
                    "limit": { "type": ["integer", "string"], "description": "The most that is kept of a body, such as `1 MiB`." },
                },
            },
        ],
    })
}

fn detector() -> Value {
    let one = ["regex", "words", "field", "json_path", "canary"];
    let only = |key: &&str| json!({ "required": [key] });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "regex": { "type": "string" },
            "longest": { "type": "integer", "minimum": 1, "description": "The most bytes that a match takes." },
            "words": words(),
            "field": words(),
            "json_path": words(),
            "canary": described(words(), "Planted values that must never leave."),
        },
        "oneOf": one.iter().map(only).collect::<Vec<_>>(),
    })
}

fn masks() -> Value {
    let actions = enforcer_mask::Action::ALL.map(enforcer_mask::Action::name);
    let entry = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "detect": described(words(), "Detectors, families or detectors of the policy's own."),
            "field": described(words(), "Fields of which all is masked."),
            "json_path": described(words(), "Places in JSON of which all is masked."),
            "header": described(words(), "Headers of which all is masked."),
            "direction": { "enum": ["request", "answer", "both"] },
            "action": { "enum": actions },
            "confidence": { "enum": ["low", "medium", "high"] },
        },
    });
    let one = json!({ "anyOf": [{ "type": "string" }, entry] });
    json!({
        "description": "What is looked for in what passes, and what becomes of it.",
        "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }],
    })
}

fn matches() -> Value {
    let mut properties = Map::new();
    for key in Match::KEYS {
        let about = match key {
            "host" => "A name, `*.suffix`, an address or `*`.",
            "cidr" => "Ranges of addresses.",
            "port" => "Numbers or ranges such as `8000-8100`.",
            "protocol" => "`https`, `http`, `tls` or `tcp`.",
            "method" => "Request methods.",
            _ => {
                "Patterns of paths: `*` is one segment or part of one, `**` any number of segments."
            }
        };
        properties.insert(key.to_owned(), described(words(), about));
    }
    for field in FIELDS {
        properties.insert(field.key.to_owned(), of_field(field));
    }
    json!({
        "description": "What the rule is about: every field given must hold, a list when one value does.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn of_field(field: &Field) -> Value {
    let about = format!("{}.", field.about);
    described(taken(field.takes), &about)
}

fn taken(takes: Takes) -> Value {
    match takes {
        Takes::Arguments => json!({
            "type": "object",
            "additionalProperties": { "anyOf": [negatable(words()), bounds(), text(false), paths()] },
        }),
        Takes::Boolean => json!({ "type": "boolean" }),
        Takes::Commands => words(),
        Takes::Headers => json!({ "type": "object", "additionalProperties": negatable(words()) }),
        Takes::Map(fields) => map(fields),
        Takes::Number | Takes::Size => {
            json!({ "anyOf": [{ "type": ["number", "string"] }, bounds()] })
        }
        Takes::OneOf(words) => {
            let word = json!({ "enum": words });
            // A value may name a list.
            let word = json!({ "anyOf": [word, { "type": "string", "pattern": "^\\$" }] });
            negatable(json!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] }))
        }
        Takes::Pins => json!({
            "type": "object",
            "additionalProperties": { "type": "string", "pattern": "^sha256:[0-9a-f]{64}$" },
        }),
        Takes::Schema => json!({ "type": "object" }),
        Takes::Text { roles } => json!({ "anyOf": [words(), text(roles)] }),
        Takes::Words => negatable(words()),
        Takes::WordsOr(fields) => json!({ "anyOf": [negatable(words()), map(fields)] }),
    }
}

fn map(fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| (field.key.to_owned(), of_field(field)))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn words() -> Value {
    let word = json!({ "type": ["string", "number", "boolean"] });
    json!({ "anyOf": [word, { "type": "array", "items": word, "minItems": 1 }] })
}

fn negatable(words: Value) -> Value {
    json!({
        "anyOf": [
            words,
            {
                "type": "object",
                "additionalProperties": false,
                "required": ["not"],
                "properties": { "not": words },
            },
        ],
    })
}

fn bounds() -> Value {
    let bound = json!({ "type": ["number", "string"] });
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "properties": { "over": bound, "at_least": bound, "under": bound, "at_most": bound },
    })
}

fn text(roles: bool) -> Value {
    let mut properties = Map::new();
    properties.insert("contains".to_owned(), words());
    properties.insert("matches".to_owned(), words());
    if roles {
        properties.insert("role".to_owned(), words());
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn paths() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
        "properties": { "within": words(), "outside": words() },
    })
}

fn name(about: &str) -> Value {
    json!({
        "type": "string",
        "description": about,
        "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "maxLength": 64,
    })
}

fn described(schema: Value, about: &str) -> Value {
    let mut schema = schema;
    if let Value::Object(members) = &mut schema {
        let mut letters = about.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        let about: String = first.into_iter().chain(letters).collect();
        members.insert("description".to_owned(), Value::from(about));
    }
    schema
}
