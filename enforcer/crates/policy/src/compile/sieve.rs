//! Rules by what they ask of who asks and of the head, so that thousands at one place cost no more than a few: each is filed
//! under the values of the one field that few others share, and where many share them all the same, by another field below.
//!
//! What is handed over is judged by who asked for it, so too much does no harm. Too little would be a rule unheard: of what
//! is not seen everything is handed over, and upper and lower case are one.

use std::borrow::Cow;

use foldhash::HashMap;
use http::HeaderMap;

use crate::Request;
use crate::facts::essence;
use crate::scope::Subject;

/// Fewer rules than this are tried one after the other.
pub(crate) const WORTH_AN_INDEX: usize = 8;
/// Most values under which one rule is filed, over all levels.
pub(crate) const MAX_VALUES: usize = 256;
/// Most fields one below the other.
const MAX_DEPTH: usize = 4;
/// Most headers looked for by name at one level. Where rules name more, they are found by which headers there are.
const MAX_HEADERS: usize = 16;

/// What rules and policies are found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Field {
    Principal,
    Group,
    Workload,
    Container,
    Image,
    Label(Box<str>),
    Namespace,
    Pod,
    Unit,
    Method,
    Port,
    ContentType,
    Query,
    /// The names of all headers.
    Headers,
    /// One header.
    Header(Box<str>),
}

/// The values that are asked of a field, in lower case: what has none of them is seen not to be meant.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) field: Field,
    pub(crate) values: Vec<Box<str>>,
}

/// What is known of a question before its body.
#[derive(Clone, Copy)]
pub(crate) struct Told<'q> {
    pub(crate) subject: Subject<'q>,
    pub(crate) request: Option<&'q Request<'q>>,
    pub(crate) port: u16,
}

/// Rules by their places in the file, or policies by theirs in the set.
#[derive(Debug, Default)]
pub(crate) struct Sieve {
    /// Those found by nothing.
    always: Box<[u32]>,
    branches: Box<[Branch]>,
}

#[derive(Debug)]
struct Branch {
    field: Field,
    values: HashMap<Box<str>, Sieve>,
}

/// What is to be filed.
#[derive(Clone, Copy)]
struct Filed<'k> {
    at: u32,
    keys: &'k [Key],
    /// Under how many values it may still be filed.
    room: usize,
}

/// Everything filed at one level.
struct Level<'k> {
    filed: Vec<Filed<'k>>,
    /// The fields of the levels above.
    above: Vec<&'k Field>,
}

// === impl Key ===

impl Key {
    /// Of words in whatever case.
    pub(crate) fn new<'v>(field: Field, values: impl Iterator<Item = &'v str>) -> Self {
        let mut values: Vec<Box<str>> = values.map(|value| folded(value).into()).collect();
        values.sort_unstable();
        values.dedup();
        Self { field, values }
    }
}

/// In lower case, as words of rules are compared by who is lenient.
fn folded(text: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    match text.bytes().all(is_lower) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.to_lowercase()),
    }
}

// === impl Told ===

impl<'q> Told<'q> {
    /// Who asks, and nothing of what.
    pub(crate) fn of(subject: Subject<'q>) -> Self {
        Self {
            subject,
            request: None,
            port: 0,
        }
    }

    /// Hands over a field's values. False when they are not seen.
    fn each(&self, field: &Field, mut take: impl FnMut(&str)) -> bool {
        let (own, person) = (&self.subject.attributes, self.subject.principal);
        let value = match field {
            Field::Container => own.container,
            Field::Group => {
                let groups = person.map_or(&[][..], |person| person.groups);
                groups.iter().for_each(|group| take(&folded(group)));
                return true;
            }
            Field::Image => own.image,
            Field::Label(name) => own.label(name),
            Field::Namespace => own.namespace,
            Field::Pod => own.pod,
            Field::Port => {
                take(&self.port.to_string());
                return true;
            }
            Field::Principal => person.map(|person| person.name),
            Field::Unit => own.unit,
            Field::Workload => Some(&*self.subject.workload.name),
            Field::ContentType
            | Field::Header(_)
            | Field::Headers
            | Field::Method
            | Field::Query => {
                let request = self.request;
                return request.is_some_and(|request| of_request(request, field, take));
            }
        };
        if let Some(value) = value {
            take(&folded(value));
        }
        true
    }
}

fn of_request(request: &Request<'_>, field: &Field, mut take: impl FnMut(&str)) -> bool {
    match field {
        Field::Method => take(&folded(request.method)),
        Field::Query => request.query.iter().for_each(|query| take(&folded(query))),
        Field::ContentType => {
            let values = request.headers.and_then(|own| texts(own, "content-type"));
            // Which of several is meant is not known.
            let Some([] | [_]) = values.as_deref() else {
                return false;
            };
            let values = values.iter().flatten();
            values.for_each(|value| take(&essence(value)));
        }
        Field::Header(name) => match request.headers.and_then(|own| texts(own, name)) {
            Some(values) => values.iter().for_each(|value| take(&folded(value.trim()))),
            None => return false,
        },
        Field::Headers => match request.headers {
            Some(headers) => headers.keys().for_each(|name| take(name.as_str())),
            None => return false,
        },
        Field::Container
        | Field::Group
        | Field::Image
        | Field::Label(_)
        | Field::Namespace
        | Field::Pod
        | Field::Port
        | Field::Principal
        | Field::Unit
        | Field::Workload => return false,
    }
    true
}

/// A header's values, if all of them are text.
fn texts<'h>(headers: &'h HeaderMap, name: &str) -> Option<Vec<&'h str>> {
    let values = headers.get_all(name).iter();
    values.map(|value| value.to_str().ok()).collect()
}

// === impl Sieve ===

impl Sieve {
    /// Files what has these keys.
    pub(crate) fn new(entries: &[(u32, Vec<Key>)]) -> Self {
        let filed = entries.iter().map(|(at, keys)| Filed {
            at: *at,
            keys,
            room: MAX_VALUES,
        });
        let level = Level {
            filed: filed.collect(),
            above: Vec::new(),
        };
        level.build()
    }

    /// Hands over what may be meant; without anything told all there is. The same may come twice.
    pub(crate) fn visit(&self, told: Option<&Told<'_>>, take: &mut impl FnMut(u32)) {
        self.always.iter().copied().for_each(&mut *take);
        for Branch { field, values } in &self.branches {
            let seen = told.is_some_and(|told| {
                told.each(field, |value| {
                    if let Some(below) = values.get(value) {
                        below.visit(Some(told), take);
                    }
                })
            });
            if !seen {
                values.values().for_each(|below| below.visit(told, take));
            }
        }
    }
}

// === impl Level ===

impl<'k> Level<'k> {
    fn build(self) -> Sieve {
        let Self { filed, above } = self;
        let everything = |filed: &[Filed<'_>]| Sieve {
            always: filed.iter().map(|filed| filed.at).collect(),
            branches: Box::default(),
        };
        if filed.len() < WORTH_AN_INDEX || above.len() >= MAX_DEPTH {
            return everything(&filed);
        }
        let shares = Shares::count(&filed, &above);
        let mut always = Vec::new();
        let mut branches: HashMap<&'k Field, HashMap<&'k str, Vec<Filed<'k>>>> = HashMap::default();
        for own in &filed {
            let Some(key) = shares.best(own, filed.len()) else {
                always.push(own.at);
                continue;
            };
            let values = branches.entry(&key.field).or_default();
            let room = own.room / key.values.len().max(1);
            for value in &key.values {
                values
                    .entry(value)
                    .or_default()
                    .push(Filed { room, ..*own });
            }
        }
        let branch = |(field, values): (&'k Field, HashMap<&str, Vec<Filed<'k>>>)| Branch {
            field: field.clone(),
            values: below(values, &[&above, &[field][..]].concat()),
        };
        Sieve {
            always: always.into(),
            branches: branches.into_iter().map(branch).collect(),
        }
    }
}

fn below<'k>(
    values: HashMap<&str, Vec<Filed<'k>>>,
    above: &[&'k Field],
) -> HashMap<Box<str>, Sieve> {
    let built = values.into_iter().map(|(value, filed)| {
        let above = above.to_vec();
        (value.into(), Level { filed, above }.build())
    });
    built.collect()
}

/// How many share each value of each field.
struct Shares<'k, 'a> {
    counts: HashMap<(&'k Field, &'k str), usize>,
    above: &'a [&'k Field],
    /// Whether rules name few enough headers to look for each of them.
    by_header: bool,
}

impl<'k, 'a> Shares<'k, 'a> {
    fn count(filed: &[Filed<'k>], above: &'a [&'k Field]) -> Self {
        let mut counts: HashMap<(&Field, &str), usize> = HashMap::default();
        let mut headers: Vec<&Field> = Vec::new();
        for key in filed.iter().flat_map(|filed| filed.keys) {
            let is_new = || matches!(key.field, Field::Header(_)) && !headers.contains(&&key.field);
            if headers.len() <= MAX_HEADERS && is_new() {
                headers.push(&key.field);
            }
            for value in &key.values {
                *counts.entry((&key.field, value)).or_default() += 1;
            }
        }
        Self {
            counts,
            above,
            by_header: headers.len() <= MAX_HEADERS,
        }
    }

    /// The key that fewest others share, if that is few enough to be worth it.
    fn best(&self, filed: &Filed<'k>, of: usize) -> Option<&'k Key> {
        let usable = filed.keys.iter().filter(|key| {
            let known = self.by_header || !matches!(key.field, Field::Header(_));
            known && key.values.len() <= filed.room && !self.above.contains(&&key.field)
        });
        let shared = |key: &Key| {
            let counts = key
                .values
                .iter()
                .map(|value| self.counts.get(&(&key.field, &**value)));
            // Among few it does not matter, and fewer fields are looked up.
            counts
                .flatten()
                .copied()
                .max()
                .unwrap_or_default()
                .max(WORTH_AN_INDEX)
        };
        let best = usable
            .map(|key| (shared(key), key))
            .min_by_key(|(shared, key)| (*shared, &key.field));
        best.filter(|(shared, _)| shared * 2 <= of)
            .map(|(_, key)| key)
    }
}
