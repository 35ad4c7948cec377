//! Containers that are about to be made, as OCI runtimes see them: what of a bundle is changed before a container is made
//! of it, and how a runtime is spoken to.
//!
//! Only what is changed is touched: the rest of a bundle's configuration is kept as it was written, so that fields that are
//! newer than this program reach the runtime. Nothing here decides whether a container may start; that is the daemon's.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

pub(crate) mod arguments;
pub(crate) mod bundle;
mod seccomp;

use enforcer_kernel::confine::{KEPT, capability};
use enforcer_tls::trust::{INSIDE, Placed, environment};
use oci_spec::runtime::{Hook, Mount, MountBuilder};

/// How the public files that programs trust are mounted.
pub(crate) const TRUST_OPTIONS: [&str; 5] = ["rbind", "ro", "nosuid", "nodev", "noexec"];
/// Seconds that the daemon may take to enforce a container.
pub(crate) const PATIENCE: i64 = 45;
/// What Java reads; ours is added to what it says.
const JAVA: &str = "JAVA_TOOL_OPTIONS";
/// Where a container has its cgroups.
const CGROUPS: &str = "/sys/fs/cgroup";

/// A configuration is not what the specification says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpecError {
    /// A part is missing or of another kind.
    #[error("the container's configuration has no sound `{0}`")]
    Part(&'static str),
    /// A part of ours could not be made.
    #[error("a part of the container's configuration could not be made: {0}")]
    Spec(#[from] oci_spec::OciSpecError),
    /// It is no JSON, or of another shape.
    #[error("the container's configuration cannot be understood: {0}")]
    Json(#[from] serde_json::Error),
}

/// Takes from a container what would lead out past the cgroup's hooks, and gives it what makes its programs believe us.
pub(crate) fn confine(config: &mut Value, trust: &Path) -> Result<(), SpecError> {
    let process = part(config, "process")?;
    confine_process(process)?;
    seccomp::confine(part(config, "linux")?)?;
    let mounts = list(config, "mounts")?;
    cgroups_for_reading(mounts);
    mounts.push(serde_json::to_value(trust_mount(trust)?)?);
    Ok(())
}

/// The same for one process of a container that runs already.
pub(crate) fn confine_process(process: &mut Value) -> Result<(), SpecError> {
    drop_capabilities(process)?;
    believe(list(process, "env")?)
}

/// Has the runtime ask us once the container has its cgroup and its namespaces, before anything of it runs.
pub(crate) fn ask_before_start(config: &mut Value, hook: &Hook) -> Result<(), SpecError> {
    if config.get("hooks").is_none_or(Value::is_null) {
        config["hooks"] = Value::Object(serde_json::Map::new());
    }
    // Last, when what others set up is there.
    let hooks = list(part(config, "hooks")?, "createRuntime")?;
    hooks.push(serde_json::to_value(hook)?);
    Ok(())
}

/// An annotation of the container.
pub(crate) fn annotation<'c>(config: &'c Value, name: &str) -> Option<&'c str> {
    config.get("annotations")?.get(name)?.as_str()
}

fn drop_capabilities(process: &mut Value) -> Result<(), SpecError> {
    let Some(sets) = process
        .get_mut("capabilities")
        .filter(|sets| !sets.is_null())
    else {
        return Ok(());
    };
    let sets = sets
        .as_object_mut()
        .ok_or(SpecError::Part("capabilities"))?;
    for names in sets.values_mut().filter(|names| !names.is_null()) {
        let names = names
            .as_array_mut()
            .ok_or(SpecError::Part("capabilities"))?;
        // One without a name that we know is not among those that stay.
        names.retain(|name| {
            let known = name.as_str().and_then(capability);
            known.is_some_and(|one| KEPT.contains(one))
        });
    }
    Ok(())
}

/// Points programs at the bundles that hold our CA.
fn believe(environment_list: &mut Vec<Value>) -> Result<(), SpecError> {
    let own = environment_list.iter().filter_map(Value::as_str);
    for (name, value) in variables(own)? {
        environment_list.retain(|variable| {
            let key = variable.as_str().and_then(|text| text.split_once('='));
            key.is_none_or(|(key, _)| key != name)
        });
        environment_list.push(Value::String(format!("{name}={value}")));
    }
    Ok(())
}

/// The variables that point a container's programs at the bundles that hold our CA. What its image or its user, who set `own`,
/// point elsewhere is left there: that file is found, and covered, when the container starts.
pub(crate) fn variables<'o>(
    own: impl Iterator<Item = &'o str> + Clone,
) -> Result<Vec<(&'static str, String)>, SpecError> {
    let set = |name: &str| {
        let mut pairs = own.clone().filter_map(|variable| variable.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let java = set(JAVA);
    let placed = Placed::at(Path::new(INSIDE));
    let wanted = |name: &str| match name {
        JAVA => !java.is_some_and(|java| java.contains(INSIDE)),
        _ => set(name).is_none(),
    };
    environment(&placed, java.map(AsRef::as_ref))
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, value)| {
            let value = value.into_string().map_err(|_| SpecError::Part("env"))?;
            Ok((name, value))
        })
        .collect()
}

/// The program and the arguments that have the daemon enforce a container that is about to start, for whoever makes a hook of
/// them.
pub(crate) fn admission(
    via: &str,
    policy: &str,
    config: Option<&Path>,
) -> anyhow::Result<(PathBuf, Vec<String>)> {
    let program = std::env::current_exe().context("the enforcer's own program is not found")?;
    let words = ["enforcer", "oci-hook", "--via", via, "--policy", policy];
    let mut arguments = words.map(str::to_owned).to_vec();
    if let Some(config) = config {
        let path = std::path::absolute(config)?;
        let text = path
            .to_str()
            .context("the configuration's path is no text")?;
        arguments.extend(["--config".to_owned(), text.to_owned()]);
    }
    Ok((program, arguments))
}

/// A process that can write there could leave its cgroup, and the hooks on it.
fn cgroups_for_reading(mounts: &mut [Value]) {
    for mount in mounts {
        let shows_cgroups = |key: &str, wanted: &[&str]| {
            let text = mount.get(key).and_then(Value::as_str);
            text.is_some_and(|text| wanted.iter().any(|one| text.starts_with(one)))
        };
        if !shows_cgroups("type", &["cgroup"])
            && !shows_cgroups("source", &[CGROUPS])
            && !shows_cgroups("destination", &[CGROUPS])
        {
            continue;
        }
        let options = mount.get("options").and_then(Value::as_array).cloned();
        let mut options = options.unwrap_or_default();
        options.retain(|option| option.as_str() != Some("rw"));
        if !options.iter().any(|option| option.as_str() == Some("ro")) {
            options.push(Value::String("ro".to_owned()));
        }
        mount["options"] = Value::Array(options);
    }
}

fn trust_mount(folder: &Path) -> Result<Mount, SpecError> {
    Ok(MountBuilder::default()
        .destination(INSIDE)
        .typ("bind")
        .source(folder)
        .options(TRUST_OPTIONS.map(str::to_owned).to_vec())
        .build()?)
}

fn part<'v>(value: &'v mut Value, name: &'static str) -> Result<&'v mut Value, SpecError> {
    value
        .get_mut(name)
        .filter(|part| part.is_object())
        .ok_or(SpecError::Part(name))
}

/// A list, made if it is not there.
fn list<'v>(value: &'v mut Value, name: &'static str) -> Result<&'v mut Vec<Value>, SpecError> {
    let object = value.as_object_mut().ok_or(SpecError::Part(name))?;
    let list = object.entry(name).or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    list.as_array_mut().ok_or(SpecError::Part(name))
}

#[cfg(test)]
mod tests;
