//! `enforcer oci-hook`: what engines run while they make a container; has the daemon enforce it before anything of it runs.
//!
//! As `createRuntime` hook it is told of the container's state and asks the daemon. As `precreate` hook, which podman and
//! CRI-O have, it is given the container's configuration and gives it back confined. It fails when either cannot be done,
//! and the engine then does not start the container.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use enforcer_control::{Client, Newcomer};
use enforcer_identity::Via;
use oci_spec::runtime::State;
use serde_json::{Value, json};

use super::status::ask;
use crate::config::Config;
use crate::containers::{GROUPS, LABEL, PRINCIPAL};
use crate::oci;
use crate::oci::bundle::{Document, bounded};

/// Act as an OCI hook that has a container enforced before it runs.
///
/// `enforcer oci-hook --print-json >/usr/share/containers/oci/hooks.d/enforcer.json` has podman and CRI-O run it for every
/// container with the annotation `enforcer.policy`.
#[derive(Debug, Args)]
pub(crate) struct OciHookArgs {
    /// The configuration the daemon was started with
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The policy that decides for the container; without it the one that its annotation names
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Print the file by which podman and CRI-O know of this hook, and do nothing else
    #[arg(long, conflicts_with = "policy")]
    print_json: bool,
    #[arg(long, hide = true, value_enum, default_value_t = Caller::Hook)]
    via: Caller,
}

/// Who put the hook there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Caller {
    /// The engine's own configuration.
    Hook,
    /// A runtime's plug-in, which is the daemon.
    Nri,
    /// Our runtime.
    Runtime,
}

/// Does what standard input is about.
///
/// # Errors
/// When the container must not start.
pub(crate) fn run(args: OciHookArgs) -> anyhow::Result<ExitCode> {
    if args.print_json {
        let text = serde_json::to_string_pretty(&definition(args.config.as_deref())?)?;
        writeln!(io::stdout(), "{text}")?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = Config::find(args.config.as_deref())?;
    let input = bounded(io::stdin()).context("the container's state cannot be read")?;
    let value: Value =
        serde_json::from_slice(&input).context("the container's state is no JSON")?;
    if value.get("process").is_some() {
        confine(value, &config)?;
    } else {
        let state = serde_json::from_value(value).context("the container's state is none")?;
        admit(&args, &config, &state)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn confine(mut spec: Value, config: &Config) -> anyhow::Result<()> {
    let trust = enforcer_tls::trust::folder(&config.runtime_dir);
    oci::confine(&mut spec, &trust)?;
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, &spec)?;
    Ok(out.flush()?)
}

fn admit(args: &OciHookArgs, config: &Config, state: &State) -> anyhow::Result<()> {
    let id = state.id();
    let pid = state.pid().and_then(|pid| u32::try_from(pid).ok());
    let pid = pid.with_context(|| format!("container `{id}` has no process"))?;
    let annotations = state.annotations().as_ref();
    let said = |key| annotations.and_then(|annotations| annotations.get(key));
    let newcomer = Newcomer {
        id: id.clone(),
        pid,
        policy: args.policy.clone().or_else(|| said(LABEL).cloned()),
        principal: said(PRINCIPAL).cloned(),
        groups: said(GROUPS).cloned(),
        root: root(state.bundle()),
        via: match args.via {
            Caller::Hook => Via::OciHook,
            Caller::Nri => Via::Nri,
            Caller::Runtime => Via::Runtime,
        },
    };
    let client = Client::new(&config.control.socket);
    ask(client.admit(&newcomer))?
        .map(drop)
        .with_context(|| format!("container `{id}` is not enforced, so it does not start"))
}

/// Where the container's root is, as far as the bundle says.
fn root(bundle: &Path) -> Option<String> {
    let root = Document::of_bundle(bundle).ok()?.root()?;
    root.to_str().map(str::to_owned)
}

/// The file of hooks.d, oci-hooks(5).
fn definition(config: Option<&Path>) -> anyhow::Result<Value> {
    let program = std::env::current_exe().context("the enforcer's own program is not found")?;
    let mut args = vec![json!("enforcer"), json!("oci-hook")];
    if let Some(config) = config {
        args.extend([json!("--config"), json!(std::path::absolute(config)?)]);
    }
    let key = format!("^{}$", LABEL.replace('.', "\\."));
    Ok(json!({
        "version": "1.0.0",
        "hook": {"path": program, "args": args, "timeout": oci::PATIENCE},
        "when": {"annotations": {key: ".*"}},
        "stages": ["precreate", "createRuntime"],
    }))
}
