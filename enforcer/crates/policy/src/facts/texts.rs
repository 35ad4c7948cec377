//! The texts of a body, and what is found in them.

use enforcer_prompt::{Arguments, Body, Fields, Message, ModelCall, Part};

use crate::facts::vocabulary;
use crate::lexicon::{Automata, Hits};

/// Something said, by whom, and what is found in it.
#[derive(Debug)]
pub(crate) struct Heard {
    /// None for a role that is not known, which may be any.
    pub(crate) role: Option<&'static str>,
    pub(crate) text: String,
    pub(crate) hits: Hits,
}

/// Looks through strings as they come.
pub(crate) struct Strings<'s> {
    automata: &'s Automata,
    hits: Hits,
}

/// Everything said in a request to a model.
pub(crate) fn hear(call: &ModelCall<'_>, automata: &Automata) -> Vec<Heard> {
    let mut said: Vec<(Option<&'static str>, Vec<&str>)> = Vec::new();
    if !call.instructions.is_empty() {
        said.push((Some("system"), call.instructions.clone()));
    }
    for message in &call.messages {
        gather(message, &mut said);
    }
    for unknown in &call.unknown {
        let mut texts = Vec::new();
        unknown.value.strings(&mut |text| texts.push(text));
        said.push((None, texts));
    }
    said.into_iter()
        .filter(|(_, texts)| !texts.is_empty())
        .map(|(role, texts)| {
            let text = texts.join("\n");
            let mut hits = automata.search(&text);
            if texts.len() > 1 {
                // A word may be spread over parts that are read without a gap.
                hits.join(&automata.search(&texts.concat()));
            }
            Heard { role, text, hits }
        })
        .collect()
}

fn gather<'m>(message: &'m Message<'_>, said: &mut Vec<(Option<&'static str>, Vec<&'m str>)>) {
    let role = vocabulary::role(message.role);
    let mut own = Vec::new();
    for part in &message.parts {
        match part {
            Part::ToolResult(result) => {
                let mut texts = Vec::new();
                for part in &result.parts {
                    part_texts(part, &mut texts);
                }
                said.push((Some("tool"), texts));
            }
            Part::ToolCall(call) => {
                let mut texts = vec![call.name];
                argument_texts(&call.arguments, &mut texts);
                said.push((role.map(|_| "assistant"), texts));
            }
            Part::Attachment(_)
            | Part::Refusal(_)
            | Part::Text(_)
            | Part::Thinking(_)
            | Part::Unknown(_) => part_texts(part, &mut own),
        }
    }
    said.push((role, own));
}

fn part_texts<'m>(part: &'m Part<'_>, texts: &mut Vec<&'m str>) {
    match part {
        Part::Refusal(text) | Part::Text(text) | Part::Thinking(text) => texts.push(text),
        Part::Attachment(attachment) => texts.extend(attachment.name),
        Part::ToolCall(call) => argument_texts(&call.arguments, texts),
        Part::ToolResult(result) => {
            for part in &result.parts {
                if !matches!(part, Part::ToolResult(_)) {
                    part_texts(part, texts);
                }
            }
        }
        Part::Unknown(unknown) => unknown.value.strings(&mut |text| texts.push(text)),
    }
}

fn argument_texts<'m>(arguments: &'m Arguments<'_>, texts: &mut Vec<&'m str>) {
    match arguments {
        Arguments::Text(text) => texts.push(text),
        Arguments::Value(value) => value.strings(&mut |text| texts.push(text)),
    }
}

// === impl Strings ===

impl<'s> Strings<'s> {
    pub(crate) fn new(automata: &'s Automata) -> Self {
        let hits = Hits::default();
        Self { automata, hits }
    }

    pub(crate) fn into_hits(self) -> Hits {
        self.hits
    }

    /// Looks through a body. Whether all of it is text.
    #[must_use]
    pub(crate) fn body(&mut self, body: &Body<'_>) -> bool {
        match body {
            Body::Empty => true,
            Body::Form(fields) | Body::Multipart(fields) => self.fields(fields),
            Body::Json(_) | Body::JsonLines(_) => {
                for document in body.documents() {
                    document.root().strings(&mut |text| self.take(text));
                }
                true
            }
            Body::Opaque(_) => false,
            Body::Text(text) => {
                self.take(text);
                true
            }
        }
    }

    fn fields(&mut self, fields: &Fields<'_>) -> bool {
        let Fields { fields, files } = fields;
        for field in fields {
            self.take(&field.name);
            self.take(&field.value);
        }
        let mut all = true;
        for file in files {
            if let Some(name) = &file.name {
                self.take(name);
            }
            match std::str::from_utf8(file.bytes) {
                Ok(text) => self.take(text),
                Err(_) => all = false,
            }
        }
        all
    }

    fn take(&mut self, text: &str) {
        let hits = self.automata.search(text);
        self.hits.join(&hits);
    }
}
