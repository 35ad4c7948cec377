//! What holds for all rules about bodies and all bodies.

use enforcer_flow::{Host, Protocol};
use enforcer_policy::{Body, Decision, Head, PolicySet, Question, Read, Request, Verdict};
use enforcer_prompt as prompt;
use http::HeaderMap;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::{compile, workload};

const PATH: &str = "/v1/chat/completions";
const MODELS: [&str; 3] = ["gpt-a", "gpt-b", "other"];
const WORDS: [&str; 3] = ["salary", "export", "weather"];
const TOOLS: [&str; 3] = ["search", "shell", "mail"];
const WHENS: [&str; 4] = [
    "size(tools) <= 1",
    "model == 'gpt-a'",
    "messages.exists(m, m.text.contains('export'))",
    "max_tokens > 10",
];
const EFFECTS: [&str; 4] = ["allow", "deny", "require_approval", "terminate"];

#[derive(Clone, Debug)]
struct Rule {
    effect: &'static str,
    models: Vec<&'static str>,
    words: Vec<&'static str>,
    tools: Vec<&'static str>,
    when: Option<&'static str>,
}

#[derive(Clone, Debug)]
struct Said {
    model: Option<&'static str>,
    words: Vec<&'static str>,
    tools: Vec<&'static str>,
    max_tokens: Option<u64>,
    /// Something after the end makes it unreadable.
    broken: bool,
}

impl Rule {
    fn text(&self, id: usize) -> String {
        let Self {
            effect,
            models,
            words,
            tools,
            when,
        } = self;
        let list = |key: &str, values: &[&str]| match values {
            [] => String::new(),
            _ => format!(", {key}: ['{}']", values.join("', '")),
        };
        let said = match words.as_slice() {
            [] => String::new(),
            _ => format!(", messages: {{ contains: ['{}'] }}", words.join("', '")),
        };
        let when = when
            .map(|when| format!(", when: \"{when}\""))
            .unwrap_or_default();
        format!(
            "- {{ id: r{id}, effect: {effect}, match: {{ host: api.openai.com, path: {PATH}{}{said}{} }}{when} }}\n",
            list("model", models),
            list("tools", tools),
        )
    }
}

impl Said {
    fn text(&self) -> String {
        let Self {
            model,
            words,
            tools,
            max_tokens,
            broken,
        } = self;
        let mut body = serde_json::json!({
            "messages": [{"role": "user", "content": format!("about {}", words.join(" and "))}],
        });
        if let Some(model) = model {
            body["model"] = (*model).into();
        }
        if let Some(most) = max_tokens {
            body["max_tokens"] = (*most).into();
        }
        if !tools.is_empty() {
            let function =
                |name: &&str| serde_json::json!({"type": "function", "function": {"name": name}});
            body["tools"] = tools.iter().map(function).collect();
        }
        let rest = if *broken { "}" } else { "" };
        format!("{body}{rest}")
    }
}

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let some = |values: &'static [&'static str]| subsequence(values, 0..=2);
    let rule = (
        select(&EFFECTS[..]),
        some(&MODELS),
        some(&WORDS),
        some(&TOOLS),
        prop::option::of(select(&WHENS[..])),
    );
    let rule = rule.prop_map(|(effect, models, words, tools, when)| Rule {
        effect,
        models,
        words,
        tools,
        when,
    });
    prop::collection::vec(rule, 1..5)
}

fn said() -> impl Strategy<Value = Said> {
    (
        prop::option::of(select(&MODELS[..])),
        subsequence(&WORDS[..], 0..=2),
        subsequence(&TOOLS[..], 0..=2),
        prop::option::of(select(&[5_u64, 50][..])),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(model, words, tools, max_tokens, broken)| Said {
            model,
            words,
            tools,
            max_tokens,
            broken,
        })
}

fn set(rules: &[Rule]) -> PolicySet {
    let texts: String = rules
        .iter()
        .enumerate()
        .map(|(id, rule)| rule.text(id))
        .collect();
    compile(&texts)
}

/// What the head says, and what is said of the whole.
fn judged(set: &PolicySet, said: &Said) -> (Option<Decision>, Decision) {
    let (workload, host) = (workload("w", None), Host::parse("api.openai.com").unwrap());
    let headers = HeaderMap::from_iter([(
        http::header::CONTENT_TYPE,
        "application/json".parse().unwrap(),
    )]);
    let text = said.text();
    let shape = prompt::recognise(&prompt::Head {
        host: "api.openai.com",
        method: "POST",
        path: PATH,
        content_type: Some("application/json"),
        ..prompt::Head::default()
    });
    let request = |body| Request {
        headers: Some(&headers),
        length: Some(text.len() as u64),
        body,
        ..Request::new("POST", PATH)
    };
    let ask =
        |body| Question::new(&workload, Protocol::Https, &host, 443).with_request(request(body));
    let head = match set.head(&ask(Body::Unread)) {
        Head::Body => None,
        Head::Decided(decision) => Some(decision),
    };
    let limits = prompt::Limits::default();
    let whole = match prompt::Body::parse(&shape, text.as_bytes(), &limits) {
        Err(undecidable) => set.evaluate(&ask(Body::Undecidable(undecidable.cause))),
        Ok(body) => match body.content(&shape, &limits) {
            Err(undecidable) => set.evaluate(&ask(Body::Undecidable(undecidable.cause))),
            Ok(content) => set.evaluate(&ask(Body::Read(Read {
                bytes: text.len() as u64,
                shape: &shape,
                body: &body,
                content: &content,
            }))),
        },
    };
    (head, whole)
}

fn allowed(set: &PolicySet, said: &Said) -> bool {
    judged(set, said).1.verdict == Verdict::Allow
}

proptest! {
    /// What is decided without the body is what would have been decided with it.
    #[test]
    fn a_head_that_decides_decides_for_every_body(rules in rules(), said in said()) {
        let (head, whole) = judged(&set(&rules), &said);
        if let Some(head) = head {
            prop_assert_eq!(head.verdict, whole.verdict, "{} {}", head, whole);
        }
    }

    #[test]
    fn a_rule_that_does_not_allow_never_has_more_allowed(
        rules in rules(),
        more in rules(),
        said in said(),
    ) {
        let more: Vec<Rule> = more.into_iter().filter(|rule| rule.effect != "allow").collect();
        let stricter = [rules.clone(), more].concat();
        prop_assert!(!allowed(&set(&stricter), &said) || allowed(&set(&rules), &said));
    }

    #[test]
    fn the_order_of_rules_about_bodies_means_nothing(rules in rules(), said in said()) {
        let mut reversed = rules.clone();
        reversed.reverse();
        let (_, one) = judged(&set(&rules), &said);
        let (_, other) = judged(&set(&reversed), &said);
        prop_assert_eq!((one.verdict, one.cause), (other.verdict, other.cause));
    }

    /// A body that cannot be read is allowed only where no rule would read it.
    #[test]
    fn an_undecidable_body_is_allowed_only_where_nobody_reads_it(rules in rules(), said in said()) {
        let broken = Said { broken: true, ..said };
        let (head, whole) = judged(&set(&rules), &broken);
        if whole.verdict == Verdict::Allow {
            prop_assert!(head.is_some_and(|head| head.verdict == Verdict::Allow));
        }
    }
}
