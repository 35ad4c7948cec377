//! `when`: expressions in CEL over documented facts, compiled and checked at load.
//!
//! Bounded by construction: expressions have a greatest length and depth, loops nest twice at most, and what is too wide to
//! loop over is unknown. An error while evaluating is a doubt: rules that allow do not match, rules that deny do.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ::cel::{Context, Env, Program, Value};

use crate::cel::check::Checked;
use crate::cel::value::Bound;
use crate::diagnostic::{Fault, Spot, excerpt};
use crate::document::Text;
use crate::facts::Facts;
use crate::truth::{Fact, Truth};

mod check;
pub(crate) mod value;
pub(crate) mod variable;

/// Longest expression, in bytes.
const MAX_EXPRESSION: usize = 4 << 10;
/// Most elements of anything that an expression loops over.
const MAX_WIDTH: usize = 2_000;
/// The same for expressions with a loop in a loop.
const MAX_WIDTH_NESTED: usize = 200;

/// The functions of the language, made once for a set.
#[derive(Clone)]
pub(crate) struct Language(Arc<Env>);

/// A compiled expression.
pub(crate) struct When {
    program: Program,
    language: Language,
    /// The facts it speaks of, by their places in [`variable::VARIABLES`].
    variables: Vec<usize>,
    lists: Option<Value>,
    width: usize,
}

// === impl Language ===

impl Language {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Env::stdlib()))
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Language")
    }
}

// === impl When ===

impl When {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, each with its place.
    pub(crate) fn compile<'t>(
        text: &Text<'t>,
        language: &Language,
        lists: &[(std::borrow::Cow<'_, str>, Vec<Text<'_>>)],
    ) -> Result<Self, Vec<(Spot<'t>, Fault)>> {
        let source = &*text.text;
        if source.len() > MAX_EXPRESSION {
            let fault = Fault::new(format!("an expression of more than {MAX_EXPRESSION} bytes"));
            return Err(vec![(text.spot, fault)]);
        }
        // The parser is generated code of another house; a panic in it must not be ours.
        let parsed = catch_unwind(AssertUnwindSafe(|| language.0.compile(source)));
        let program = match parsed {
            Ok(Ok(program)) => program,
            Ok(Err(errors)) => {
                let explained = errors.errors.iter().map(|error| {
                    let at = offset(source, error.pos);
                    let why = error.msg.lines().next().unwrap_or_default();
                    let fault = Fault::new(format!("no expression in CEL: {}", excerpt(why)));
                    let hint = "as in `model.startsWith('gpt-') && size(tools) == 0`";
                    (text.spot.inside(source, at), fault.with_hint(hint))
                });
                return Err(explained.take(3).collect());
            }
            Err(_) => {
                let fault = Fault::new("no expression in CEL: it cannot be read");
                return Err(vec![(text.spot, fault)]);
            }
        };
        let names: Vec<&str> = lists.iter().map(|(name, _)| &**name).collect();
        let Checked {
            variables,
            depth,
            lists: uses_lists,
        } = check::check(&program, &names).map_err(|found| {
            let place = |(at, fault)| (text.spot.inside(source, at), fault);
            found.into_iter().map(place).collect::<Vec<_>>()
        })?;
        Ok(Self {
            program,
            language: language.clone(),
            variables,
            lists: uses_lists.then(|| value::lists(lists)),
            width: match depth {
                0 | 1 => MAX_WIDTH,
                _ => MAX_WIDTH_NESTED,
            },
        })
    }

    /// Whether it speaks of the answer.
    pub(crate) fn speaks_of_answer(&self) -> bool {
        self.variables
            .iter()
            .any(|at| variable::VARIABLES[*at].name == "answer")
    }

    /// Whether it asks what a request will take, which somebody must estimate.
    pub(crate) fn reads_estimate(&self) -> bool {
        let mut variables = self.variables.iter();
        variables.any(|at| matches!(variable::VARIABLES[*at].name, "cost" | "tokens"))
    }

    /// Whether it speaks of more than who asks.
    pub(crate) fn speaks_of_request(&self) -> bool {
        let of_subject = |name| matches!(name, "principal" | "process" | "workload");
        let mut variables = self.variables.iter();
        variables.any(|at| !of_subject(variable::VARIABLES[*at].name))
    }

    pub(crate) fn judge(&self, facts: &Facts<'_, '_>) -> Truth {
        let mut context = Context::with_env(Arc::clone(&self.language.0));
        let mut seen = Truth::Yes;
        for at in &self.variables {
            let name = variable::VARIABLES[*at].name;
            match facts.bound(*at) {
                Fact::Known(Bound { value, width }) if width <= self.width => {
                    context.add_variable_from_value(name, value);
                }
                Fact::Absent => context.add_variable_from_value(name, Value::Null),
                Fact::Known(_) | Fact::Unknown => seen = seen.and(Truth::Unknown),
                Fact::Unread => seen = seen.and(Truth::Unread),
            }
        }
        if seen != Truth::Yes {
            return seen;
        }
        if let Some(lists) = &self.lists {
            context.add_variable_from_value("lists", lists.clone());
        }
        let run = AssertUnwindSafe(|| self.program.execute(&context));
        match catch_unwind(run) {
            Ok(Ok(Value::Bool(holds))) => Truth::of(holds),
            Ok(Ok(_) | Err(_)) | Err(_) => Truth::Unknown,
        }
    }
}

impl fmt::Debug for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("When")
            .field("source", &self.program.source_info().source)
            .finish()
    }
}

/// The byte at a line and column, both of which count from 1.
fn offset(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or_default();
    let column = usize::try_from(column - 1).unwrap_or_default();
    let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let at = before + column;
    (0..=at.min(source.len()))
        .rev()
        .find(|at| source.is_char_boundary(*at))
        .unwrap_or_default()
}
