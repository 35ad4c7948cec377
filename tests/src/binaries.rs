//! Where the programs under test are, and whether this machine can run them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs that end-to-end tests run.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The enforcer.
    pub enforcer: PathBuf,
    /// The probe.
    pub probe: PathBuf,
}

impl Binaries {
    /// Finds the enforcer by `ENFORCER_BIN`, else the newest of the release and the debug build.
    ///
    /// # Errors
    /// The reason why end-to-end tests cannot run here, in words for whoever reads the test's output.
    pub fn find(probe: impl Into<PathBuf>) -> Result<Self, String> {
        if !rustix::process::geteuid().is_root() {
            return Err("not root: no namespaces, cgroups or eBPF".to_owned());
        }
        if Command::new("ip").arg("-V").output().is_err() {
            return Err("`ip` is missing (package iproute2)".to_owned());
        }
        if Command::new("curl").arg("-V").output().is_err() {
            return Err("`curl` is missing".to_owned());
        }
        let enforcer = match env::var_os("ENFORCER_BIN") {
            Some(path) => existing(PathBuf::from(path)),
            None => newest(),
        };
        let enforcer =
            enforcer.ok_or("the enforcer is not built: `cargo xtask build --release`")?;
        Ok(Self {
            enforcer,
            probe: probe.into(),
        })
    }
}

/// The root of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn newest() -> Option<PathBuf> {
    let built = ["release", "debug"].map(|profile| {
        let target = workspace().join("target").join(profile);
        existing(target.join("enforcer"))
    });
    let age = |path: &PathBuf| path.metadata().and_then(|meta| meta.modified()).ok();
    built.into_iter().flatten().max_by_key(age)
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.is_file().then_some(path)
}
