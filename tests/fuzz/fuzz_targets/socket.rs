//! Messages of a WebSocket, lines of the input: kept they are themselves, blocked they are a beginning of themselves. Masked
//! they stay documents; where there is nothing to mask they are themselves, also where the far side pauses.

#![no_main]

use enforcer_prompt::{
    AnswerEditor, AnswerHead, Head, Item, Limits, Media, Ruling, Shape, Stop, Text, TextEditor,
    Texts, edit_message, recognise,
};
use libfuzzer_sys::fuzz_target;

const PATHS: &[&str] = &["/v1/realtime", "/v1/responses", "/v1/listen"];

fuzz_target!(|input: (u8, u8, &str)| {
    let (place, pauses, text) = input;
    let shape = answers(PATHS[place as usize % PATHS.len()]);
    let messages: Vec<&str> = text.lines().collect();
    for ruling in [Ruling::Keep, Ruling::Strip, Ruling::Block] {
        let Some(editor) = AnswerEditor::new(&shape, &Limits::default()) else {
            break;
        };
        // A call of which the end does not come is held for ever.
        let (out, _) = push(editor, &messages, ruling, 0);
        if ruling != Ruling::Strip {
            assert!(
                out.iter().eq(messages.iter().take(out.len())),
                "others came out"
            );
        }
    }
    for judged in [false, true] {
        let Some(editor) = masking(&shape, judged) else {
            continue;
        };
        let (out, result) = push(editor, &messages, Ruling::Keep, pauses);
        for message in &out {
            let valid = serde_json::from_str::<serde_json::Value>(message).is_ok();
            assert!(
                valid || messages.contains(&message.as_str()),
                "a document is none any more"
            );
        }
        let digits = text.bytes().any(|byte| byte.is_ascii_digit());
        if !digits && result.is_ok() {
            let same = out.iter().eq(messages.iter().take(out.len()));
            assert!(same, "others came out");
        }
    }
    for message in messages {
        let edited = edit_message(message, &Limits::default(), Box::new(Digits));
        if let Ok(Some(edited)) = edited {
            assert!(serde_json::from_str::<serde_json::Value>(&edited).is_ok());
        }
    }
});

/// What the far side of such a socket says.
fn answers(path: &str) -> Shape {
    let shape = recognise(&Head {
        host: "api.openai.com",
        method: "GET",
        path,
        websocket: true,
        ..Head::default()
    });
    let answer = shape.answer(&AnswerHead {
        status: 101,
        content_type: None,
    });
    Shape {
        media: Media::Json,
        ..answer
    }
}

fn masking(shape: &Shape, judged: bool) -> Option<AnswerEditor> {
    let limits = Limits::default();
    if !judged {
        return Some(AnswerEditor::unjudged(shape, &limits, Box::new(Digits)));
    }
    let mut editor = AnswerEditor::new(shape, &limits)?;
    editor.mask(Box::new(Digits));
    Some(editor)
}

/// Gives the editor one message after the other; behind those whose bit is set the far side pauses.
fn push(
    mut editor: AnswerEditor,
    messages: &[&str],
    ruling: Ruling,
    pauses: u8,
) -> (Vec<String>, Result<(), Stop>) {
    let mut out = Vec::new();
    let mut judge = |_: &Item<'_>| ruling;
    let mut numbered = messages.iter().enumerate();
    let result = numbered.try_for_each(|(number, message)| {
        editor.message(message, &mut judge, &mut out)?;
        match pauses >> (number % 8) & 1 {
            1 => editor.lapse_in_messages(&mut out),
            _ => Ok(()),
        }
    });
    (out, result)
}

/// Puts a digit in the place of every four in a row.
#[derive(Debug)]
struct Digits;

#[derive(Debug, Default)]
struct Held(String);

impl Texts for Digits {
    fn open(&mut self, _: &Text<'_>) -> Box<dyn TextEditor> {
        Box::new(Held::default())
    }
}

impl TextEditor for Held {
    fn push(&mut self, text: &str, out: &mut String) -> Result<(), Stop> {
        for c in text.chars() {
            if !c.is_ascii_digit() {
                out.push_str(&std::mem::take(&mut self.0));
                out.push(c);
                continue;
            }
            self.0.push(c);
            if self.0.len() == 4 {
                self.0.clear();
                // What stands in for a number must be one.
                out.push('7');
            }
        }
        Ok(())
    }

    fn lapse(&mut self, out: &mut String) -> Result<(), Stop> {
        out.push_str(&std::mem::take(&mut self.0));
        Ok(())
    }

    fn finish(&mut self, out: &mut String) -> Result<(), Stop> {
        self.lapse(out)
    }

    fn held(&self) -> usize {
        self.0.len()
    }
}
