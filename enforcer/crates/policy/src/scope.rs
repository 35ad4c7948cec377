//! Which workloads a policy is for when their labels name none.

use crate::compile::glob::Glob;
use crate::compile::sieve::{Field, Key};
use crate::{Attributes, Principal};

/// Patterns of which one must match.
type Globs = Box<[Glob]>;

/// Patterns of which one must match, for each thing that is named; none means that everything does.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) workloads: Option<Globs>,
    pub(crate) images: Option<Globs>,
    pub(crate) containers: Option<Globs>,
    pub(crate) pods: Option<Globs>,
    pub(crate) namespaces: Option<Globs>,
    pub(crate) units: Option<Globs>,
    pub(crate) principals: Option<Globs>,
    pub(crate) groups: Option<Globs>,
    pub(crate) labels: Box<[(Box<str>, Globs)]>,
}

/// Who asks, as far as scopes speak of them.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) workload: &'a enforcer_flow::Workload,
    pub(crate) attributes: Attributes<'a>,
    pub(crate) principal: Option<Principal<'a>>,
}

impl Scope {
    /// What it can be found by.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let Self {
            workloads,
            images,
            containers,
            pods,
            namespaces,
            units,
            principals,
            groups,
            labels,
        } = self;
        let named = [
            (Field::Workload, workloads),
            (Field::Image, images),
            (Field::Container, containers),
            (Field::Pod, pods),
            (Field::Namespace, namespaces),
            (Field::Unit, units),
            (Field::Principal, principals),
            (Field::Group, groups),
        ];
        let named = named
            .into_iter()
            .filter_map(|(field, globs)| key(field, globs.as_deref()?));
        let labels = labels
            .iter()
            .filter_map(|(name, globs)| key(Field::Label(name.clone()), globs));
        named.chain(labels).collect()
    }

    /// Whether a policy with this scope is for them.
    pub(crate) fn has(&self, subject: &Subject<'_>) -> bool {
        let Self {
            workloads,
            images,
            containers,
            pods,
            namespaces,
            units,
            principals,
            groups,
            labels,
        } = self;
        let own = &subject.attributes;
        let person = subject.principal;
        let grouped = |globs: &[Glob]| {
            let groups = person.map_or(&[][..], |person| person.groups);
            groups.iter().any(|group| among(globs, Some(group)))
        };
        within(workloads, Some(&subject.workload.name))
            && within(images, own.image)
            && within(containers, own.container)
            && within(pods, own.pod)
            && within(namespaces, own.namespace)
            && within(units, own.unit)
            && within(principals, person.map(|person| person.name))
            && groups.as_deref().is_none_or(grouped)
            && labels
                .iter()
                .all(|(name, globs)| among(globs, own.label(name)))
    }
}

fn key(field: Field, globs: &[Glob]) -> Option<Key> {
    let literals = globs
        .iter()
        .map(|glob| std::str::from_utf8(glob.literal()?).ok());
    let literals: Vec<&str> = literals.collect::<Option<_>>()?;
    Some(Key::new(field, literals.into_iter()))
}

fn within(globs: &Option<Globs>, value: Option<&str>) -> bool {
    globs.as_deref().is_none_or(|globs| among(globs, value))
}

fn among(globs: &[Glob], value: Option<&str>) -> bool {
    value.is_some_and(|value| globs.iter().any(|glob| glob.matches(value.as_bytes())))
}
