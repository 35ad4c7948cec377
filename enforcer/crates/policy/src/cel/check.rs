//! What can be wrong with an expression before anything is asked: names, fields, functions, and what comes out of it.

use cel::Program;
use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};

use crate::cel::variable::{self, Member, Type};
use crate::diagnostic::{Fault, excerpt};
use crate::parse::fields::listed;
use crate::parse::nearest::did_you_mean;

/// Deepest that loops may nest.
const MAX_LOOPS: usize = 2;

/// The functions that expressions may call; operators aside.
const FUNCTIONS: [&str; 11] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "uint",
];
/// The operators whose value is a truth value.
const LOGICAL: [&str; 11] = [
    "_&&_",
    "_||_",
    "!_",
    "_==_",
    "_!=_",
    "_>=_",
    "_<=_",
    "_>_",
    "_<_",
    "@in",
    "@not_strictly_false",
];
/// The other operators.
const OPERATORS: [&str; 8] = ["_?_:_", "_-_", "_+_", "_*_", "_/_", "_%_", "-_", "_[_]"];

/// What an expression turned out to be.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The facts it speaks of.
    pub(crate) variables: Vec<usize>,
    /// How deep its loops nest.
    pub(crate) depth: usize,
    /// Whether it speaks of the named lists.
    pub(crate) lists: bool,
}

struct Walk<'p> {
    program: &'p Program,
    lists: &'p [&'p str],
    checked: Checked,
    /// The names that loops bind, the innermost last.
    bound: Vec<(&'p str, Type)>,
    found: Vec<(usize, Fault)>,
}

/// Checks a program.
///
/// # Errors
/// What is wrong, each with its place in the source.
pub(crate) fn check(program: &Program, lists: &[&str]) -> Result<Checked, Vec<(usize, Fault)>> {
    let mut walk = Walk {
        program,
        lists,
        checked: Checked::default(),
        bound: Vec::new(),
        found: Vec::new(),
    };
    let root = program.expression();
    match walk.walk(root, 0) {
        Type::Any | Type::Bool => {}
        Type::Double | Type::Int | Type::List(_) | Type::Map(_) | Type::String | Type::Strings => {
            let fault = Fault::new("an expression that is neither true nor false");
            let hint = "compare it with something, as in `size(messages) > 10`";
            walk.fault(root, fault.with_hint(hint));
        }
    }
    match walk.found.is_empty() {
        true => Ok(walk.checked),
        false => Err(walk.found),
    }
}

impl<'p> Walk<'p> {
    fn walk(&mut self, node: &'p IdedExpr, depth: usize) -> Type {
        match &node.expr {
            Expr::Unspecified => Type::Any,
            Expr::Ident(name) => self.ident(node, name),
            Expr::Literal(literal) => match literal {
                LiteralValue::Boolean(_) => Type::Bool,
                LiteralValue::Double(_) => Type::Double,
                LiteralValue::Int(_) | LiteralValue::UInt(_) => Type::Int,
                LiteralValue::String(_) => Type::String,
                LiteralValue::Bytes(_) | LiteralValue::Null => Type::Any,
            },
            Expr::Select(select) => {
                let of = self.walk(&select.operand, depth);
                let field = self.field(node, of, &select.operand.expr, &select.field);
                match select.test {
                    true => Type::Bool,
                    false => field,
                }
            }
            Expr::Call(call) => {
                self.function(node, &call.func_name, call);
                let mut types = Vec::new();
                for part in call.target.as_deref().into_iter().chain(&call.args) {
                    types.push(self.walk(part, depth));
                }
                result(&call.func_name, &types)
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.walk(element, depth);
                }
                Type::Any
            }
            Expr::Map(map) => self.map(map, depth),
            Expr::Struct(_) => {
                self.fault(node, Fault::new("expressions make no structures"));
                Type::Any
            }
            Expr::Comprehension(inner) => {
                let over = self.walk(&inner.iter_range, depth);
                let depth = depth + 1;
                self.checked.depth = self.checked.depth.max(depth);
                if depth > MAX_LOOPS {
                    let fault = Fault::new(format!("loops nested more than {MAX_LOOPS} deep"));
                    self.fault(node, fault);
                    return Type::Any;
                }
                let element = match over {
                    Type::List(members) => Type::Map(members),
                    Type::Strings => Type::String,
                    Type::Any
                    | Type::Bool
                    | Type::Double
                    | Type::Int
                    | Type::Map(_)
                    | Type::String => Type::Any,
                };
                let bound = self.bound.len();
                self.bound.push((&inner.iter_var, element));
                if let Some(second) = &inner.iter_var2 {
                    self.bound.push((second, Type::Any));
                }
                self.bound.push((&inner.accu_var, Type::Any));
                for part in [
                    &inner.accu_init,
                    &inner.loop_cond,
                    &inner.loop_step,
                    &inner.result,
                ] {
                    self.walk(part, depth);
                }
                self.bound.truncate(bound);
                Type::Any
            }
        }
    }

    fn map(&mut self, map: &'p cel::common::ast::MapExpr, depth: usize) -> Type {
        for entry in &map.entries {
            if let EntryExpr::MapEntry(entry) = &entry.expr {
                self.walk(&entry.key, depth);
                self.walk(&entry.value, depth);
            }
        }
        Type::Any
    }

    fn ident(&mut self, node: &IdedExpr, name: &str) -> Type {
        if let Some((_, of)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return *of;
        }
        if name == "lists" {
            self.checked.lists = true;
            return Type::Any;
        }
        if let Some(at) = variable::find(name) {
            if !self.checked.variables.contains(&at) {
                self.checked.variables.push(at);
            }
            return variable::VARIABLES[at].of;
        }
        let known: Vec<&str> = variable::VARIABLES.iter().map(|own| own.name).collect();
        let fault = Fault::new(format!("there is no fact `{}`", excerpt(name)));
        let fault = fault.with_hint(match did_you_mean(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the facts are {}", listed(&known)),
        });
        self.fault(node, fault);
        Type::Any
    }

    fn field(&mut self, node: &IdedExpr, of: Type, operand: &Expr, field: &str) -> Type {
        if matches!(operand, Expr::Ident(name) if name == "lists") {
            if !self.lists.contains(&field) {
                let fault = Fault::new(format!("there is no list `{}`", excerpt(field)));
                self.fault(node, fault.with_hint(names(self.lists)));
            }
            return Type::Strings;
        }
        let members = match of {
            Type::Any => return Type::Any,
            Type::Map(members) => members,
            Type::Bool
            | Type::Double
            | Type::Int
            | Type::List(_)
            | Type::String
            | Type::Strings => &[],
        };
        if let Some(member) = members.iter().find(|member| member.name == field) {
            return member.of;
        }
        let known: Vec<&str> = members.iter().map(|Member { name, .. }| *name).collect();
        let fault = Fault::new(format!("there is no field `{}` here", excerpt(field)));
        let fault = match (did_you_mean(field, &known), known.is_empty()) {
            (Some(near), _) => fault.with_hint(format!("did you mean `{near}`?")),
            (None, false) => fault.with_hint(format!("the fields are {}", listed(&known))),
            (None, true) => match of {
                Type::List(_) | Type::Strings => {
                    fault.with_hint("it is a list; use `exists`, `all`, `filter` or `[0]`")
                }
                Type::Any | Type::Bool | Type::Double | Type::Int | Type::Map(_) | Type::String => {
                    fault
                }
            },
        };
        self.fault(node, fault);
        Type::Any
    }

    fn function(&mut self, node: &IdedExpr, name: &str, call: &cel::common::ast::CallExpr) {
        if LOGICAL.contains(&name) || OPERATORS.contains(&name) {
            return;
        }
        if !FUNCTIONS.contains(&name) {
            let fault = Fault::new(format!("there is no function `{}`", excerpt(name)));
            let fault = fault.with_hint(match did_you_mean(name, &FUNCTIONS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the functions are {}", listed(&FUNCTIONS)),
            });
            self.fault(node, fault);
        }
        if name == "matches" {
            self.pattern(node, call);
        }
    }

    /// Patterns are written out, so that they are known to be sound and are not of the agent's choice.
    fn pattern(&mut self, node: &IdedExpr, call: &cel::common::ast::CallExpr) {
        let fault = match call.args.last().map(|pattern| &pattern.expr) {
            Some(Expr::Literal(LiteralValue::String(pattern))) => {
                match regex_syntax::parse(pattern.inner()) {
                    Ok(_) => return,
                    Err(error) => {
                        let why = error.to_string();
                        let why = why.lines().last().unwrap_or_default();
                        Fault::new(format!("no regular expression: {}", excerpt(why)))
                    }
                }
            }
            Some(_) | None => {
                let fault = Fault::new("a pattern that is not written out");
                fault.with_hint("write it in quotes, as in `model.matches('^gpt-[0-9]+$')`")
            }
        };
        self.fault(node, fault);
    }

    fn fault(&mut self, node: &IdedExpr, fault: Fault) {
        let range = self.program.source_info().offset_for(node.id);
        let at = range.map_or(0, |(start, _)| start as usize);
        self.found.push((at, fault));
    }
}

/// The type of what a function gives back, if it is sure.
fn result(name: &str, types: &[Type]) -> Type {
    match name {
        name if LOGICAL.contains(&name) => Type::Bool,
        "bool" | "contains" | "endsWith" | "matches" | "startsWith" => Type::Bool,
        "double" => Type::Double,
        "int" | "size" | "uint" => Type::Int,
        "string" => Type::String,
        "_[_]" => match types.first() {
            Some(Type::List(members)) => Type::Map(members),
            Some(Type::Strings) => Type::String,
            Some(_) | None => Type::Any,
        },
        _ => Type::Any,
    }
}

fn names(lists: &[&str]) -> String {
    match lists {
        [] => "this policy has no `lists`".to_owned(),
        lists => format!("the lists are {}", listed(lists)),
    }
}
