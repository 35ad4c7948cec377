//! An editor for these tests: social security numbers become a word in quotes.

use std::sync::{Arc, Mutex};

use enforcer_prompt::{Form, Stop, Text, TextEditor, Texts};

/// What stands in a value's place.
pub(crate) const WORD: &str = "<\"SSN\">";

/// Makes editors, and remembers for which texts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    opened: Option<Arc<Mutex<Vec<Opened>>>>,
    /// Ends the answer instead.
    stops: bool,
}

/// A text that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) form: Form,
    pub(crate) field: Option<String>,
    pub(crate) place: String,
    pub(crate) again: bool,
}

#[derive(Debug)]
struct Editor {
    form: Form,
    stops: bool,
    held: String,
}

impl Numbers {
    /// With what will have been opened.
    pub(crate) fn remembered() -> (Box<dyn Texts>, Arc<Mutex<Vec<Opened>>>) {
        let opened = Arc::<Mutex<_>>::default();
        let numbers = Self {
            opened: Some(Arc::clone(&opened)),
            stops: false,
        };
        (Box::new(numbers), opened)
    }

    /// Ends the answer at the first value.
    pub(crate) fn stopping() -> Box<dyn Texts> {
        Box::new(Self {
            opened: None,
            stops: true,
        })
    }

    pub(crate) fn boxed() -> Box<dyn Texts> {
        Box::new(Self::default())
    }
}

impl Texts for Numbers {
    fn open(&mut self, text: &Text<'_>) -> Box<dyn TextEditor> {
        let Text {
            form,
            field,
            place,
            again,
        } = *text;
        if let Some(opened) = &self.opened {
            opened.lock().unwrap().push(Opened {
                form,
                field: field.map(str::to_owned),
                place: place.to_owned(),
                again,
            });
        }
        Box::new(Editor {
            form,
            stops: self.stops,
            held: String::new(),
        })
    }
}

/// What becomes of a text, and how much of its end could still become something else.
fn edited(text: &str, form: Form) -> (String, usize) {
    let word = match form {
        Form::Json => WORD.replace('"', "\\\""),
        Form::Plain => WORD.to_owned(),
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let fits = rest
            .bytes()
            .zip(super::VALUE.bytes())
            .take_while(|(is, like)| is.is_ascii_digit() && like.is_ascii_digit() || is == like);
        let fits = fits.count();
        if fits == super::VALUE.len() {
            out.push_str(&word);
            rest = &rest[fits..];
        } else if fits == rest.len() {
            return (out, fits);
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    (out, 0)
}

/// What a whole text becomes.
pub(crate) fn whole(text: &str, form: Form) -> String {
    let (mut out, open) = edited(text, form);
    out.push_str(&text[text.len() - open..]);
    out
}

impl TextEditor for Editor {
    fn push(&mut self, text: &str, out: &mut String) -> Result<(), Stop> {
        self.held.push_str(text);
        let (said, open) = edited(&self.held, self.form);
        if self.stops && said.contains("SSN") {
            return Err(Stop::Blocked);
        }
        out.push_str(&said);
        self.held.drain(..self.held.len() - open);
        Ok(())
    }

    fn finish(&mut self, out: &mut String) -> Result<(), Stop> {
        out.push_str(&std::mem::take(&mut self.held));
        Ok(())
    }

    fn held(&self) -> usize {
        self.held.len()
    }
}
