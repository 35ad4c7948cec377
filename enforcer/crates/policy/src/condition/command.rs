//! Commands in the arguments of tools, read as a shell would read them.
//!
//! What a shell would make of a text is guessed generously: every word where a command may begin counts, inside
//! substitutions and behind programs that run others, too. What cannot be told apart is unknown, so that rules which deny
//! take it to match. It is a net with small meshes and no sandbox: programs can be run in ways that no text shows.

use enforcer_prompt::Arguments;
use enforcer_prompt::json::{Data, Value as Json};

use crate::condition::Reader;
use crate::condition::argument::with_value;
use crate::parse::fields;
use crate::parse::tree::Entry;
use crate::truth::Truth;

/// Programs that run what stands behind them.
const RUNNERS: [&str; 24] = [
    "bash", "busybox", "command", "dash", "doas", "env", "eval", "exec", "fish", "ionice", "ksh",
    "nice", "nohup", "setsid", "sh", "stdbuf", "su", "sudo", "time", "timeout", "unshare", "watch",
    "xargs", "zsh",
];
/// Deepest that texts inside of texts are read.
const MAX_DEPTH: u8 = 6;

/// Commands of which one is to be run. A command is a program, or one with its first words.
#[derive(Debug)]
pub(crate) struct Commands(Vec<Vec<String>>);

/// What was found in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    No,
    Unclear,
    Yes,
}

impl Commands {
    pub(crate) fn read(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let texts = fields::texts(entry, reader.findings).values;
        let mut commands = Vec::with_capacity(texts.len());
        for text in texts {
            let words: Vec<String> = text
                .text
                .split_whitespace()
                .map(str::to_lowercase)
                .collect();
            let odd = |c: char| c.is_control() || "|&;<>()$`'\"\\".contains(c);
            if words.is_empty() || text.text.contains(odd) {
                let message = "no command: a program, or a program with its first words".to_owned();
                let hint =
                    "write `rm`, `git push` or `curl`, without signs of the shell".to_owned();
                reader.findings.error(text.spot, message, Some(hint));
                continue;
            }
            commands.push(words);
        }
        Some(Self(commands))
    }

    /// Whether arguments run one of them.
    pub(crate) fn judge(&self, arguments: &Arguments<'_>) -> Truth {
        let found = with_value(arguments, |value| self.value(value));
        // Text that is no JSON is free text, perhaps all of it a command.
        let found = found.unwrap_or_else(|| match arguments {
            Arguments::Text(text) => self.text(text, MAX_DEPTH),
            Arguments::Value(_) => Found::Unclear,
        });
        match found {
            Found::No => Truth::No,
            Found::Unclear => Truth::Unknown,
            Found::Yes => Truth::Yes,
        }
    }

    fn value(&self, value: &Json<'_>) -> Found {
        match value.data() {
            Data::String(text) => self.text(text, MAX_DEPTH),
            Data::Array(elements) => {
                let words: Option<Vec<String>> = elements
                    .iter()
                    .map(|element| element.as_str().map(str::to_owned))
                    .collect();
                let each = elements.iter().map(|element| self.value(element));
                let each = each.fold(Found::No, Found::or);
                // A list of strings may be one command, word by word.
                words.map_or(each, |words| each.or(self.command(&words, MAX_DEPTH)))
            }
            Data::Object(members) => members
                .iter()
                .map(|member| self.value(member.value()))
                .fold(Found::No, Found::or),
            Data::Bool(_) | Data::Null | Data::Number(_) => Found::No,
        }
    }

    fn text(&self, text: &str, depth: u8) -> Found {
        let Some(depth) = depth.checked_sub(1) else {
            return Found::Unclear;
        };
        let (commands, whole) = split(text);
        let found = commands
            .iter()
            .map(|words| self.command(words, depth))
            .fold(Found::No, Found::or);
        match whole {
            true => found,
            false => found.or(Found::Unclear),
        }
    }

    /// One command, word by word.
    fn command(&self, words: &[String], depth: u8) -> Found {
        let mut words = words;
        while let Some((first, rest)) = words.split_first() {
            let assigns = first.split_once('=').is_some_and(|(name, _)| is_name(name));
            if !assigns {
                break;
            }
            words = rest;
        }
        let Some((program, rest)) = words.split_first() else {
            return Found::No;
        };
        if program.contains(['$', '`', '*', '?', '[', '{']) {
            return Found::Unclear;
        }
        let program = program
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        if self.0.iter().any(|own| is(own, &program, rest)) {
            return Found::Yes;
        }
        if !RUNNERS.contains(&&*program) {
            return Found::No;
        }
        // Options and their values are told apart by nobody, so each word may be where the command begins.
        let each = (0..rest.len()).map(|at| {
            let tail = rest.get(at..).unwrap_or_default();
            let inner =
                rest.get(at)
                    .map_or(Found::No, |word| match word.contains(char::is_whitespace) {
                        true => self.text(word, depth),
                        false => Found::No,
                    });
            match depth.checked_sub(1) {
                Some(depth) => inner.or(self.command(tail, depth)),
                None => Found::Unclear,
            }
        });
        each.take(64).fold(Found::No, Found::or)
    }
}

/// Whether a command is the one a rule names: the program, and its words in order among what is no option.
fn is(own: &[String], program: &str, rest: &[String]) -> bool {
    let Some((name, words)) = own.split_first() else {
        return false;
    };
    if name != program {
        return false;
    }
    let mut rest = rest.iter().map(|word| word.to_lowercase());
    words
        .iter()
        .all(|word| rest.any(|other| resembles(&other, word)))
}

/// Whether a word is another; of short options, in whatever order and company.
fn resembles(word: &str, own: &str) -> bool {
    let short = |text: &str| text.len() > 1 && text.starts_with('-') && !text.starts_with("--");
    if short(word) && short(own) {
        return own.chars().skip(1).all(|c| word.contains(c));
    }
    word == own
}

fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    begins
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The commands in a text, each as its words without quotes, and whether all quotes are closed.
fn split(text: &str) -> (Vec<Vec<String>>, bool) {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    // What ends each substitution that began inside double quotes.
    let mut suspended: Vec<char> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => match chars.next() {
                Some('\n') => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => {}
            },
            // Substitutions run inside double quotes, too.
            (Some('"'), '`') => {
                suspended.push('`');
                quote = None;
                end_command(&mut commands, &mut word);
            }
            (Some('"'), '$') if chars.peek() == Some(&'(') => {
                chars.next();
                suspended.push(')');
                quote = None;
                end_command(&mut commands, &mut word);
            }
            (None, c) if suspended.last() == Some(&c) => {
                suspended.pop();
                quote = Some('"');
                end_command(&mut commands, &mut word);
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ';' | '|' | '&' | '\n' | '(' | ')' | '`' | '{' | '}' | '!') => {
                end_command(&mut commands, &mut word);
            }
            (None, '$') if chars.peek() == Some(&'(') => {}
            (None, c) if c.is_whitespace() || matches!(c, '<' | '>') => {
                end_word(&mut commands, &mut word);
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    end_word(&mut commands, &mut word);
    commands.retain(|words| !words.is_empty());
    (commands, quote.is_none())
}

fn end_word(commands: &mut [Vec<String>], word: &mut Option<String>) {
    const KEYWORDS: [&str; 9] = [
        "do", "else", "elif", "if", "then", "until", "while", "time", "coproc",
    ];
    if let (Some(word), Some(command)) = (word.take(), commands.last_mut()) {
        let keyword = command.is_empty() && KEYWORDS.contains(&&*word);
        if !keyword {
            command.push(word);
        }
    }
}

fn end_command(commands: &mut Vec<Vec<String>>, word: &mut Option<String>) {
    end_word(commands, word);
    commands.push(Vec::new());
}

// === impl Found ===

impl Found {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Unclear, _) | (_, Self::Unclear) => Self::Unclear,
            (Self::No, Self::No) => Self::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_however_they_are_written() {
        let own = ["rm", "curl", "git push", "dd -f"];
        let words = |own: &str| own.split(' ').map(str::to_owned).collect();
        let commands = Commands(own.into_iter().map(words).collect());
        for (text, expected) in [
            ("rm -rf /", Found::Yes),
            ("/bin/rm x", Found::Yes),
            ("RM x", Found::Yes),
            ("ls; rm x", Found::Yes),
            ("ls && rm x", Found::Yes),
            ("ls | xargs rm", Found::Yes),
            ("sudo -u root rm x", Found::Yes),
            ("env A=1 rm x", Found::Yes),
            ("A=1 B=2 rm x", Found::Yes),
            ("bash -lc 'cd /tmp && rm x'", Found::Yes),
            ("sh -c \"rm x\"", Found::Yes),
            ("echo $(rm x)", Found::Yes),
            ("echo \"`rm x`\"", Found::Yes),
            ("echo \"$(rm x)\"", Found::Yes),
            ("r'm' x", Found::Yes),
            ("\\rm x", Found::Yes),
            ("r\\m x", Found::Yes),
            ("if true; then rm x; fi", Found::Yes),
            ("git -C /x push origin", Found::Yes),
            ("git push", Found::Yes),
            ("dd -xf y", Found::Yes),
            ("$X -rf /", Found::Unclear),
            ("echo 'open", Found::Unclear),
            ("git pull", Found::No),
            ("echo rm", Found::No),
            ("grep -r 'rm x' .", Found::No),
            ("form x", Found::No),
            ("dd if=x", Found::No),
            ("", Found::No),
        ] {
            assert_eq!(commands.text(text, MAX_DEPTH), expected, "{text}");
        }
        let list = ["bash", "-lc", "rm x"].map(str::to_owned);
        assert_eq!(commands.command(&list, MAX_DEPTH), Found::Yes);
    }
}
