//! The enforcer: parse, dispatch, exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

mod app;
mod child;
mod cli;
mod config;
mod enforcement;
mod kernel_events;
mod operations;
mod policy_reports {
    use std::sync::{Arc, Mutex};
    pub(crate) fn reporter(_: Arc<enforcer_audit::Ledger>, _: Arc<Mutex<Option<String>>>) {}
}
mod policies {
    use std::sync::Arc;
    pub(crate) struct Policies(Arc<arc_swap::ArcSwap<enforcer_policy::PolicySet>>);
    impl Policies {
        pub(crate) fn open(path: &std::path::Path) -> anyhow::Result<Self> {
            let mut texts = Vec::new();
            if path.is_dir() {
                for e in std::fs::read_dir(path)? {
                    let p = e?.path();
                    let n = p.display().to_string();
                    if n.ends_with(".yaml") && !n.ends_with(".cases.yaml") {
                        texts.push((n, std::fs::read_to_string(&p)?));
                    }
                }
            } else {
                texts.push((path.display().to_string(), std::fs::read_to_string(path)?));
            }
            let sources: Vec<_> = texts
                .iter()
                .map(|(n, t)| enforcer_policy::Source { name: n, text: t })
                .collect();
            let (set, _) = enforcer_policy::PolicySet::compile(&sources)
                .map_err(|f| anyhow::anyhow!("{f:?}"))?;
            Ok(Self(Arc::new(arc_swap::ArcSwap::from_pointee(set))))
        }
        pub(crate) fn current(&self) -> Arc<arc_swap::ArcSwap<enforcer_policy::PolicySet>> {
            Arc::clone(&self.0)
        }
        pub(crate) fn watch(&self, _: ()) -> anyhow::Result<()> {
            Ok(())
        }
    }
    pub(crate) fn load(path: &std::path::Path) -> anyhow::Result<enforcer_policy::PolicySet> {
        let text = std::fs::read_to_string(path)?;
        let source = enforcer_policy::Source {
            name: "x.yaml",
            text: &text,
        };
        let (set, _) =
            enforcer_policy::PolicySet::compile(&[source]).map_err(|f| anyhow::anyhow!("{f:?}"))?;
        Ok(set)
    }
}
mod telemetry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
