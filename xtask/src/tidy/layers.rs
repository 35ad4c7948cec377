//! Which of our packages may use which: the direction of dependencies of ARCHITECTURE.md, read off the manifests.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::step;

/// Every package and what it may use, lowest layer first. Tests of a package may use whatever lies below it.
const EDGES: &[(&str, &[&str])] = &[
    ("enforcer-common", &[]),
    ("enforcer-flow", &[]),
    ("enforcer-detect", &["enforcer-flow"]),
    ("enforcer-prompt", &[]),
    ("enforcer-decode", &[]),
    ("enforcer-injection", &["enforcer-decode"]),
    ("enforcer-recognize", &[]),
    ("enforcer-spill", &[]),
    ("enforcer-mask", &["enforcer-decode", "enforcer-recognize"]),
    (
        "enforcer-policy",
        &[
            "enforcer-flow",
            "enforcer-prompt",
            "enforcer-decode",
            "enforcer-mask",
            "enforcer-injection",
        ],
    ),
    ("enforcer-cost", &["enforcer-prompt"]),
    ("enforcer-credentials", &["enforcer-flow"]),
    ("enforcer-identity", &["enforcer-flow"]),
    ("enforcer-nri", &[]),
    ("enforcer-tls", &["enforcer-flow"]),
    ("enforcer-audit", &["enforcer-flow", "enforcer-mask"]),
    ("enforcer-kernel", &["enforcer-flow", "enforcer-common"]),
    (
        "enforcer-gate",
        &[
            "enforcer-flow",
            "enforcer-prompt",
            "enforcer-mask",
            "enforcer-cost",
            "enforcer-policy",
            "enforcer-audit",
            "enforcer-tls",
        ],
    ),
    (
        "enforcer-dns",
        &[
            "enforcer-flow",
            "enforcer-policy",
            "enforcer-audit",
            "enforcer-gate",
        ],
    ),
    (
        "enforcer-http",
        &[
            "enforcer-flow",
            "enforcer-prompt",
            "enforcer-mask",
            "enforcer-cost",
            "enforcer-policy",
            "enforcer-audit",
            "enforcer-tls",
            "enforcer-gate",
            "enforcer-credentials",
            "enforcer-spill",
        ],
    ),
    (
        "enforcer-proxy",
        &[
            "enforcer-flow",
            "enforcer-detect",
            "enforcer-kernel",
            "enforcer-identity",
            "enforcer-tls",
            "enforcer-gate",
            "enforcer-policy",
            "enforcer-audit",
            "enforcer-http",
            "enforcer-dns",
        ],
    ),
    (
        "enforcer-control",
        &[
            "enforcer-flow",
            "enforcer-policy",
            "enforcer-audit",
            "enforcer-identity",
        ],
    ),
];

/// What measurements use that is not below what they measure, and not above it either.
const BESIDE: [(&str, &str); 1] = [("enforcer-mask", "enforcer-prompt")];

/// These may use any: one wires the others, one tests them.
const ANY: [&str; 2] = ["enforcer", "enforcer-tests"];
/// These use none: chores must work when the rest does not compile.
const NONE: [&str; 1] = ["xtask"];

#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `dev` or `build`; none is the ordinary kind.
    kind: Option<String>,
    /// Only ours have one.
    path: Option<String>,
}

pub(super) fn check() -> Result<Vec<String>> {
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--locked"];
    let output = step::cargo(arguments)
        .output()
        .context("cargo could not be started")?;
    ensure!(
        output.status.success(),
        "`cargo metadata` failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata =
        serde_json::from_slice(&output.stdout).context("`cargo metadata` is not understood")?;
    Ok(findings(&metadata))
}

fn findings(metadata: &Metadata) -> Vec<String> {
    let mut findings = Vec::new();
    for Package { name, dependencies } in &metadata.packages {
        if ANY.contains(&name.as_str()) {
            continue;
        }
        let Some(allowed) = allowed(name) else {
            findings.push(format!(
                "{name}: has no place in the layers (xtask/src/tidy/layers.rs)"
            ));
            continue;
        };
        let below = below(name);
        for Dependency {
            name: used, kind, ..
        } in dependencies.iter().filter(|one| one.path.is_some())
        {
            let fine = match kind.as_deref() {
                Some("dev") => below.contains(used.as_str()) || BESIDE.contains(&(name, used)),
                Some(_) | None => allowed.contains(&used.as_str()),
            };
            if !fine {
                findings.push(format!(
                    "{name}: must not use {used}, which is not below it"
                ));
            }
        }
    }
    findings
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    if NONE.contains(&name) {
        return Some(&[]);
    }
    EDGES
        .iter()
        .find(|(package, _)| *package == name)
        .map(|(_, allowed)| *allowed)
}

/// Everything that can be reached downwards.
fn below(name: &str) -> BTreeSet<&'static str> {
    let edges: BTreeMap<_, _> = EDGES.iter().copied().collect();
    let mut found = BTreeSet::new();
    let mut open: Vec<&'static str> = allowed(name).unwrap_or_default().to_vec();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(edges.get(next).copied().unwrap_or_default());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, used: &str, kind: Option<&str>) -> Metadata {
        let dependency = Dependency {
            name: used.to_owned(),
            kind: kind.map(str::to_owned),
            path: Some("x".to_owned()),
        };
        Metadata {
            packages: vec![Package {
                name: name.to_owned(),
                dependencies: vec![dependency],
            }],
        }
    }

    #[test]
    fn the_table_only_points_downwards() {
        let mut seen = BTreeSet::new();
        for (name, allowed) in EDGES {
            for used in *allowed {
                assert!(
                    seen.contains(used),
                    "{name} uses {used} before it was listed"
                );
            }
            assert!(seen.insert(name), "{name} is listed twice");
        }
    }

    #[test]
    fn edges_up_and_sideways_are_found() {
        assert_eq!(
            findings(&package("enforcer-policy", "enforcer-gate", None)).len(),
            1
        );
        assert_eq!(
            findings(&package("enforcer-dns", "enforcer-http", None)).len(),
            1
        );
        assert_eq!(
            findings(&package("enforcer-newcomer", "enforcer-flow", None)).len(),
            1
        );
        assert_eq!(findings(&package("xtask", "enforcer-flow", None)).len(), 1);
        assert_eq!(
            findings(&package("enforcer-gate", "enforcer-policy", None)),
            Vec::<String>::new()
        );
    }

    #[test]
    fn tests_may_reach_further_down_but_not_up() {
        assert_eq!(
            findings(&package("enforcer-proxy", "enforcer-common", Some("dev"))),
            Vec::<String>::new()
        );
        assert_eq!(
            findings(&package("enforcer-proxy", "enforcer-common", None)).len(),
            1
        );
        assert_eq!(
            findings(&package("enforcer-tls", "enforcer-gate", Some("dev"))).len(),
            1
        );
    }
}
