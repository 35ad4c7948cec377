//! What an event of a streamed answer costs, by the way it takes in the daemon: its text is found, made safe, put back.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use enforcer_mask::{Confidence, Direction, Masker, Place, Ruleset, Session};
use enforcer_prompt::{
    AnswerEditor, AnswerHead, Head, Item, Limits, Ruling, Shape, Stop, Text, TextEditor, Texts,
    recognise,
};

use crate::speed::Row;
use crate::{everything, session};

/// Makes maskers for the texts of an answer.
#[derive(Debug)]
struct Maskers {
    rules: Arc<Ruleset>,
    session: Arc<Session>,
}

/// One text; what comes out of a masker never ends within a character.
#[derive(Debug)]
struct Masked(Masker);

impl Texts for Maskers {
    fn open(&mut self, text: &Text<'_>) -> Box<dyn TextEditor> {
        let place = Place {
            direction: Direction::Answer,
            field: text.field,
            path: "$.choices[0].delta.content",
        };
        Box::new(Masked(Masker::new(&self.rules, &self.session, place)))
    }
}

impl Masked {
    fn give(
        &mut self,
        out: &mut String,
        take: impl FnOnce(&mut Masker, &mut Vec<u8>) -> Result<(), enforcer_mask::Stop>,
    ) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        take(&mut self.0, &mut bytes).map_err(|_| Stop::Blocked)?;
        out.push_str(&String::from_utf8_lossy(&bytes));
        Ok(())
    }
}

impl TextEditor for Masked {
    fn push(&mut self, text: &str, out: &mut String) -> Result<(), Stop> {
        self.give(out, |masker, bytes| masker.push(text.as_bytes(), bytes))
    }

    fn finish(&mut self, out: &mut String) -> Result<(), Stop> {
        self.give(out, Masker::finish)
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}

pub(crate) fn rows(text: &str, seconds: f64, only: Option<&str>) -> Result<Vec<Row>> {
    let names = ["an event of a stream, p50", "an event of a stream, p99"];
    if !names
        .iter()
        .any(|name| only.is_none_or(|only| name.contains(only)))
    {
        return Ok(Vec::new());
    }
    let shape = shape();
    let events: Vec<_> = text.split_inclusive(' ').map(event).collect();
    let rules = everything(Confidence::Medium, true)?;
    let mut took = Vec::new();
    let mut out = Vec::new();
    let started = Instant::now();
    while started.elapsed().as_secs_f64() < seconds {
        let texts = Maskers {
            rules: Arc::clone(&rules),
            session: session(),
        };
        let mut editor = AnswerEditor::unjudged(&shape, &Limits::default(), Box::new(texts));
        let mut keep = |_: &Item<'_>| Ruling::Keep;
        out.clear();
        for event in &events {
            let one = Instant::now();
            let done = editor.push(black_box(event.as_bytes()), &mut keep, &mut out);
            took.push(one.elapsed().as_secs_f64() * 1e6);
            done.ok().context("an event was stopped")?;
        }
    }
    took.sort_by(f64::total_cmp);
    let at = |part: usize| took.get(took.len() * part / 100).copied();
    let bytes = events.first().map_or(0, String::len);
    let rows = names.iter().zip([50, 99]);
    Ok(rows
        .map(|(what, part)| Row::of(what, at(part).unwrap_or_default(), bytes))
        .collect())
}

fn shape() -> Shape {
    let request = recognise(&Head {
        host: "api.openai.com",
        method: "POST",
        path: "/v1/chat/completions",
        content_type: Some("application/json"),
        ..Head::default()
    });
    request.answer(&AnswerHead {
        status: 200,
        content_type: Some("text/event-stream"),
    })
}

fn event(word: &str) -> String {
    format!(
        "data: {{\"id\":\"chatcmpl-9f3k2\",\"object\":\"chat.completion.chunk\",\"created\":1762164930,\"model\":\"m-large\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{}}},\"finish_reason\":null}}]}}\n\n",
        serde_json::Value::from(word)
    )
}
