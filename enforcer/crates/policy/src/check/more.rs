//! What a rule says beyond place, method and path.

use super::{AnswerTest, Effect, Entry, Lists, More, Reader, Sight, Text, Tools, When, condition};
use crate::diagnostic::{Findings, excerpt};
use crate::masking::own::Detectors;
use crate::parse::tree::{Node, Value};
use crate::{Action, RuleRef, obligation};

/// Reads the fields and the expression.
pub(super) fn check(
    fields: Vec<Entry<'_>>,
    when: Option<Text<'_>>,
    sight: Sight<'_>,
    lists: &Lists<'_>,
    tools: &mut Tools<'_>,
) -> More {
    let mut more = More::default();
    for entry in fields {
        write(&entry.key, &entry.value, &mut more.written);
        let spot = entry.spot;
        let mut reader = Reader {
            findings: tools.findings,
            lexicon: tools.lexicon,
        };
        if entry.key != "answer" {
            more.conditions.extend(condition::read(entry, &mut reader));
            continue;
        }
        more.answer = AnswerTest::read(entry, &mut reader);
        if sight.effect.opens() {
            let message = "an answer can be denied only: what asked for it is allowed already";
            let hint =
                "make it `effect: deny` of what must not be, with `not:` where a list is allowed";
            reader
                .findings
                .error(spot, message.to_owned(), Some(hint.to_owned()));
        }
    }
    if let Some(when) = when {
        more.written.push_str(&when.text);
        match When::compile(&when, tools.language, lists) {
            Ok(compiled) => {
                if compiled.speaks_of_answer() && more.answer.is_none() {
                    let message = "`when` speaks of the answer, and the rule does not".to_owned();
                    let hint = "add `answer:` to `match`".to_owned();
                    tools.findings.error(when.spot, message, Some(hint));
                }
                more.when = Some(compiled);
            }
            Err(found) => {
                for (spot, fault) in found {
                    tools.findings.fault(spot, fault);
                }
            }
        }
    }
    more
}

/// Reads what is to be done with what is matched.
pub(super) fn act(
    mut more: More,
    action: Option<Text<'_>>,
    obligations: Vec<Entry<'_>>,
    (name, sight, detectors): (&RuleRef, Sight<'_>, &Detectors),
    findings: &mut Findings,
) -> More {
    more.action = match (&more.answer, action) {
        (None, None) => Action::Block,
        (Some(answer), None) => answer.usual_action(),
        (None, Some(action)) => {
            let message = "`action` in a rule that is not about answers".to_owned();
            let hint = "leave it out, or add `answer:` to `match`".to_owned();
            findings.error(action.spot, message, Some(hint));
            Action::Block
        }
        (Some(answer), Some(action)) => match &*action.text {
            "block" => Action::Block,
            "flag" if sight.effect == Effect::Deny => Action::Flag,
            "flag" => {
                let message = "what is only written down needs nobody".to_owned();
                let hint = "`flag` goes with `effect: deny`".to_owned();
                findings.error(action.spot, message, Some(hint));
                Action::Block
            }
            "strip" if answer.can_strip() && sight.effect == Effect::Deny => Action::Strip,
            "strip" => {
                let message = "nothing can be left out here".to_owned();
                let hint = "`strip` goes with `effect: deny` of tool calls, tools and texts";
                findings.error(action.spot, message, Some(hint.to_owned()));
                Action::Block
            }
            other => {
                let message = format!("`{}` is no action", excerpt(other));
                let hint = "write `block`, `strip` or `flag`".to_owned();
                findings.error(action.spot, message, Some(hint));
                Action::Block
            }
        },
    };
    for entry in obligations {
        if !sight.effect.opens() {
            let message = format!("`{}` in a rule that allows nothing", entry.key);
            let hint = "put it into the rule that allows; denied things are not done".to_owned();
            findings.error(entry.spot, message, Some(hint));
            continue;
        }
        obligation::read::read(entry, (name, detectors), findings, &mut more.obligations);
    }
    more
}

/// A field as it is written, the same for all ways to write the same.
fn write(key: &str, node: &Node<'_>, out: &mut String) {
    out.push_str(key);
    out.push(':');
    match &node.value {
        Value::Null => {}
        Value::Text(text) => {
            out.push('"');
            out.push_str(text);
        }
        Value::List(nodes) => {
            out.push('[');
            nodes.iter().for_each(|node| write("", node, out));
            out.push(']');
        }
        Value::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            out.push('{');
            for entry in entries {
                write(&entry.key, &entry.value, out);
            }
            out.push('}');
        }
    }
    out.push('\n');
}
