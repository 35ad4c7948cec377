//! `enforcer oci-runtime`: an OCI runtime that hands over to another one, once nothing of a new container can get past us.
//!
//! Engines are told of it as of any runtime (`docker run --runtime enforcer`). Whatever goes wrong here, the container is not
//! made: the engine reads why where it reads its runtime's own errors.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use enforcer_control::Client;
use oci_spec::runtime::{Hook, HookBuilder};
use serde_json::json;

use super::status::ask;
use crate::config::Config;
use crate::containers::LABEL;
use crate::oci::arguments::{Arguments, Asked};
use crate::oci::bundle::Document;
use crate::oci::{self, PATIENCE};

/// Set for whoever we hand over to: it must not be us again.
const HANDED_OVER: &str = "ENFORCER_OCI_RUNTIME";

/// Act as an OCI runtime whose containers are enforced before they run.
///
/// In /etc/docker/daemon.json:
///   {"runtimes": {"enforcer": {"path": "/usr/bin/enforcer", "runtimeArgs": ["oci-runtime"]}}}
/// and then `docker run --runtime enforcer`. The label or annotation `enforcer.policy` names the policy, else
/// `containers.default_policy` does. What it is asked is handed over to `containers.runtime`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct OciRuntimeArgs {
    /// The configuration the daemon was started with; must come first
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What the engine says
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    arguments: Vec<OsString>,
}

/// Returns only when it did not come to the runtime.
///
/// # Errors
/// Always: why the runtime was not handed over to.
pub(crate) fn run(args: OciRuntimeArgs) -> anyhow::Result<ExitCode> {
    let OciRuntimeArgs { config, arguments } = args;
    let understood = Arguments::read(&arguments)?;
    let prepared = prepare(config.as_deref(), &understood.asked);
    let failed = match prepared {
        Ok(runtime) => hand_over(&runtime, &arguments),
        Err(error) => error,
    };
    if let Some(log) = &understood.log {
        tell(log, &failed);
    }
    Err(failed)
}

/// Does what has to be done before, and says which runtime comes next.
fn prepare(named: Option<&Path>, asked: &Asked) -> anyhow::Result<PathBuf> {
    let config = Config::find(named)?;
    match asked {
        Asked::Create { id, bundle } => create(&config, named, id, bundle)
            .with_context(|| format!("container `{id}` is not made"))?,
        Asked::Exec {
            process: Some(file),
        } => {
            let mut process = Document::read(file)?;
            oci::confine_process(&mut process.value)?;
            process.write()?;
        }
        // Without a file the process is what the container's configuration says, which we have changed.
        Asked::Exec { process: None } | Asked::Other => {}
    }
    Ok(config.containers.runtime)
}

fn create(config: &Config, named: Option<&Path>, id: &str, bundle: &Path) -> anyhow::Result<()> {
    let mut document = Document::of_bundle(bundle)?;
    let client = Client::new(&config.control.socket);
    let policy = match oci::annotation(&document.value, LABEL) {
        Some(policy) => Some(policy.to_owned()),
        None => ask(client.choose(id))??.policy,
    };
    let trust = enforcer_tls::trust::folder(&config.runtime_dir);
    oci::confine(&mut document.value, &trust)?;
    oci::ask_before_start(&mut document.value, &hook(named, policy.as_deref())?)?;
    document.write()
}

/// What the runtime runs when the container has its cgroup and its namespaces.
fn hook(named: Option<&Path>, policy: Option<&str>) -> anyhow::Result<Hook> {
    let (program, arguments) = oci::admission("runtime", policy.unwrap_or("*"), named)?;
    Ok(HookBuilder::default()
        .path(program)
        .args(arguments)
        .timeout(PATIENCE)
        .build()?)
}

fn hand_over(runtime: &Path, arguments: &[OsString]) -> anyhow::Error {
    let handed = || -> anyhow::Result<()> {
        ensure!(
            std::env::var_os(HANDED_OVER).is_none(),
            "`{}` leads back to the enforcer itself; `containers.runtime` names the runtime behind it",
            runtime.display()
        );
        let mut command = Command::new(runtime);
        command.args(arguments).env(HANDED_OVER, "1");
        let error = command.exec();
        bail!(
            "the runtime `{}` cannot be run (`containers.runtime`): {error}",
            runtime.display()
        )
    };
    handed()
        .err()
        .unwrap_or_else(|| anyhow::anyhow!("the runtime was not run"))
}

/// Writes where the engine reads its runtime's errors, in the way that runc does.
fn tell(log: &Path, error: &anyhow::Error) {
    let line = json!({
        "level": "error",
        "msg": format!("enforcer: {error:#}"),
        "time": jiff::Timestamp::now().to_string(),
    });
    let opened = OpenOptions::new().append(true).create(true).open(log);
    // It stands on standard error as well.
    let _ = opened.and_then(|mut file| writeln!(file, "{line}"));
}
