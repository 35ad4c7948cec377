//! The policies we ship and the page that teaches the language: what they say is so.

use std::fs;
use std::path::{Path, PathBuf};

use enforcer_policy::{Cases, Diagnostic, PolicySet, Source, Verdict};

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../policies")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The examples by name, each with its text and its cases.
fn examples() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(policies().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let Some(name) = file
            .strip_suffix(".yaml")
            .filter(|name| !name.ends_with(".cases") && !name.ends_with(".inc"))
        else {
            continue;
        };
        let cases = read(&path.with_file_name(format!("{name}.cases.yaml")));
        found.push((name.to_owned(), read(&path), cases));
    }
    assert!(found.len() >= 4, "the examples are not where they were");
    found
}

/// The files that examples include, by name.
fn includes() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(policies().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        if enforcer_policy::is_include(file) {
            found.push((file.to_owned(), read(&path)));
        }
    }
    found
}

/// Compiles one text that must be without any finding.
fn compile(name: &str, text: &str) -> PolicySet {
    let includes = includes();
    let beside = includes.iter().map(|(name, text)| Source { name, text });
    let sources: Vec<Source<'_>> = beside.chain([Source { name, text }]).collect();
    let (set, warnings) =
        PolicySet::compile(&sources).unwrap_or_else(|found| panic!("{}", lines(&found)));
    assert!(warnings.is_empty(), "{}", lines(&warnings));
    set
}

/// Asks a table, which must come out as it says, and gives back the verdicts.
fn run(set: &PolicySet, policy: &str, cases: Source<'_>) -> Vec<Verdict> {
    let cases = Cases::parse(cases).unwrap_or_else(|found| panic!("{}", lines(&found)));
    let outcomes = cases.run(set, policy);
    let failures: Vec<String> = outcomes
        .iter()
        .filter_map(|outcome| {
            Some(format!(
                "{}\n{}",
                outcome.failure.as_ref()?,
                outcome.explanation
            ))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    outcomes
        .into_iter()
        .map(|outcome| outcome.explanation.decision.verdict)
        .collect()
}

fn lines(found: &[Diagnostic]) -> String {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn every_example_does_what_its_cases_say() {
    for (name, text, cases) in examples() {
        let set = compile(&name, &text);
        assert!(
            set.names().eq([name.as_str()]),
            "`{name}` calls itself by another name"
        );
        let verdicts = run(
            &set,
            &name,
            Source {
                name: &format!("{name}.cases.yaml"),
                text: &cases,
            },
        );
        let count = |wanted| {
            verdicts
                .iter()
                .filter(|verdict| **verdict == wanted)
                .count()
        };
        assert!(count(Verdict::Allow) > 0, "`{name}` shows nothing allowed");
        assert!(
            count(Verdict::Deny) >= count(Verdict::Allow) / 2,
            "`{name}` shows too little denied"
        );
    }
}

#[test]
fn every_rule_of_an_example_decides_a_case() {
    for (name, text, cases) in examples() {
        let set = compile(&name, &text);
        let cases = Cases::parse(Source {
            name: &name,
            text: &cases,
        })
        .unwrap();
        let mut deciding: Vec<String> = cases
            .run(&set, &name)
            .into_iter()
            .filter_map(|outcome| Some(outcome.explanation.decision.rule?.id().to_owned()))
            .collect();
        deciding.sort_unstable();
        deciding.dedup();
        assert_eq!(
            deciding.len(),
            set.rules(),
            "`{name}`: only {deciding:?} decide a case"
        );
    }
}

#[test]
fn the_examples_load_together() {
    let examples = examples();
    let includes = includes();
    let sources: Vec<Source<'_>> = examples
        .iter()
        .map(|(name, text, _)| Source { name, text })
        .chain(includes.iter().map(|(name, text)| Source { name, text }))
        .collect();
    let (set, warnings) =
        PolicySet::compile(&sources).unwrap_or_else(|found| panic!("{}", lines(&found)));
    assert_eq!(set.names().count(), examples.len());
    assert!(warnings.is_empty(), "{}", lines(&warnings));
}

/// The fenced blocks of the page that are YAML, with the word that says what they are.
fn snippets(page: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```yaml") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((kind.trim().to_owned(), text.join("\n") + "\n"));
        }
    }
    found
}

/// Rules shown alone, as a policy.
fn as_policy(rules: &str) -> String {
    format!("version: 1\nname: shown\nrules:\n{rules}")
}

#[test]
fn what_the_page_shows_is_so() {
    shows_what_is_so("README.md");
}

#[test]
fn what_the_reference_shows_is_so() {
    shows_what_is_so("LANGUAGE.md");
}

fn shows_what_is_so(name: &str) {
    let page = read(&policies().join(name));
    let snippets = snippets(&page);
    let mut first = None;
    for (kind, text) in &snippets {
        match kind.as_str() {
            "" => {
                let set = compile(name, text);
                first.get_or_insert(set);
            }
            "rules" => drop(compile(name, &as_policy(text))),
            "cases" => {
                let set = first.as_ref().expect("a policy is shown before its cases");
                run(set, "support-bot", Source { name, text });
            }
            "refused" => every_rule_is_refused(text),
            other => panic!("a snippet of a kind unknown here: `{other}`"),
        }
    }
    assert!(snippets.len() >= 4, "the page's snippets are not found");
}

fn every_rule_is_refused(rules: &str) {
    let text = as_policy(rules);
    let found = PolicySet::compile(&[Source {
        name: "README.md",
        text: &text,
    }])
    .unwrap_err();
    let begins: Vec<usize> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| line.starts_with("- "))
        .map(|(at, _)| at)
        .collect();
    for (at, begin) in begins.iter().enumerate() {
        let end = begins.get(at + 1).copied().unwrap_or(usize::MAX);
        let within = |d: &&Diagnostic| {
            d.at.is_some_and(|position| (*begin..end).contains(&(position.line as usize)))
        };
        assert!(
            found.iter().any(|d| within(&d) && d.is_error()),
            "the rule at line {begin} passes:\n{text}"
        );
    }
}

/// `UPDATE=1 cargo test -p enforcer-policy --test language the_schema` writes it anew.
#[test]
fn the_schema_is_that_of_the_language() {
    let path = policies().join("schema.json");
    let schema = enforcer_policy::schema();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    assert!(
        read(&path) == schema,
        "`policies/schema.json` is not what `enforcer policy schema` prints"
    );
}

/// A YAML file as JSON, for the schema to look at.
fn as_json(text: &str) -> serde_json::Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn the_schema_takes_what_the_language_takes() {
    let schema = serde_json::from_str(&enforcer_policy::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, text, _) in examples() {
        let found: Vec<String> = validator
            .iter_errors(&as_json(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(found.is_empty(), "`{name}`: {}", found.join("\n"));
    }
    for wrong in [
        "{ version: 2, name: a, rules: [] }",
        "{ version: 1, name: a, rules: [{ id: a, effect: alow, match: {} }] }",
        "{ version: 1, name: a, rules: [{ id: a, effect: deny, match: { hots: x } }] }",
        "{ version: 1, name: a, rules: [{ id: a, effect: deny, match: { operation: chatting } }] }",
        "{ version: 1, name: a, rules: [{ id: a, effect: deny, match: { answer: { rows: { more: 1 } } } }] }",
    ] {
        assert!(!validator.is_valid(&as_json(wrong)), "{wrong}");
    }
}
