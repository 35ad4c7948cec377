//! `enforcer label` and `enforcer unlabel`: marks on cgroups, and a daemon that honours them.
//!
//! A running daemon is asked to set the mark itself, so that its answer means "enforced". Without one the mark is set here:
//! it is a wish then, which the next daemon fulfils, and the exit code says so.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use enforcer_control::{Client, ClientError, Unlabelled, WorkloadView};
use enforcer_flow::{Principal, Stance};
use enforcer_identity::{Cgroup, Hierarchy, Label};

use super::status::{Address, ask};

#[cfg(test)]
mod tests;

/// The exit code when the mark was changed, but no daemon is there to honour it.
const NOT_HONOURED: u8 = 4;

/// The arguments of `enforcer label`. Exits with 4 when the label is set and no daemon is there to enforce it.
#[derive(Debug, Args)]
pub(crate) struct LabelArgs {
    #[command(flatten)]
    daemon: Address,
    /// The policy that decides for it; without it every policy that applies to it by its own terms
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Record everything and block nothing, to see what a policy would refuse. This weakens security
    #[arg(long)]
    observe: bool,
    #[command(flatten)]
    person: PersonArgs,
    /// The cgroup: its directory, or its path below the cgroup2 mount
    #[arg(value_name = "CGROUP_PATH")]
    cgroup: PathBuf,
}

/// For whom a workload works, as whoever starts it says. It is that one's word, and no login.
#[derive(Debug, Default, Args)]
pub(crate) struct PersonArgs {
    /// For whom it works: rules and limits speak of `principal`. Your word for it, nobody logs in
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// A group that the principal is in; may be given more than once
    #[arg(long = "group", value_name = "NAME", requires = "principal")]
    groups: Vec<String>,
}

/// The arguments of `enforcer unlabel`. Exits with 4 when the label is off and no daemon is there to release the cgroup.
#[derive(Debug, Args)]
pub(crate) struct UnlabelArgs {
    #[command(flatten)]
    daemon: Address,
    /// The cgroup: its directory, or its path below the cgroup2 mount
    #[arg(value_name = "CGROUP_PATH")]
    cgroup: PathBuf,
}

// === impl PersonArgs ===

impl PersonArgs {
    /// The one who is meant; none when nobody is named.
    ///
    /// # Errors
    /// When a text can name nobody.
    pub(crate) fn principal(&self) -> anyhow::Result<Option<Principal>> {
        let groups = self.groups.iter().map(String::as_str);
        let named = self.principal.as_deref();
        Ok(named.map(|name| Principal::new(name, groups)).transpose()?)
    }
}

/// Labels, and waits until the label is enforced.
///
/// # Errors
/// When the cgroup cannot be labelled, or cannot be enforced by the daemon that is there.
pub(crate) fn run(args: LabelArgs) -> anyhow::Result<ExitCode> {
    let LabelArgs {
        daemon,
        policy,
        observe,
        person,
        cgroup,
    } = args;
    let stance = if observe {
        Stance::Observe
    } else {
        Stance::Enforce
    };
    let label = Label::new(policy.as_deref())?
        .with_stance(stance)
        .with_principal(person.principal()?);
    let client = daemon.client()?;
    let hierarchy = Hierarchy::discover()?;
    let cgroup = hierarchy.open(&cgroup)?;
    let honoured = ask(request_label(&client, &hierarchy, &cgroup, &label))??;
    let Some(workload) = honoured else {
        writeln!(
            io::stderr(),
            "enforcer: `{}` is labelled but NOT ENFORCED: no daemon answers at `{}`; it will be once `enforcer daemon` runs",
            cgroup.path(),
            client.socket().display()
        )?;
        return Ok(ExitCode::from(NOT_HONOURED));
    };
    let WorkloadView {
        name,
        cgroup,
        stance,
        ..
    } = workload;
    let policy = label.policy().map_or("*", AsRef::as_ref);
    let how = match stance.as_str() {
        "observe" => "OBSERVED, nothing of it is blocked,",
        "quarantine" => "IN QUARANTINE, everything of it is refused,",
        _ => "enforced",
    };
    writeln!(
        io::stdout(),
        "{cgroup} is {how} as workload {name}, policy {policy}"
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Takes a label off, and waits until the cgroup is released.
///
/// # Errors
/// When the label cannot be taken off, or the daemon that is there does not release the cgroup.
pub(crate) fn unlabel(args: UnlabelArgs) -> anyhow::Result<ExitCode> {
    let UnlabelArgs { daemon, cgroup } = args;
    let client = daemon.client()?;
    let hierarchy = Hierarchy::discover()?;
    let cgroup = hierarchy.open(&cgroup)?;
    let honoured = ask(request_unlabel(&client, &hierarchy, &cgroup))??;
    let Some(unlabelled) = honoured else {
        writeln!(
            io::stderr(),
            "enforcer: `{}` has no label any more, but no daemon answers at `{}` to release it: what a killed daemon \
             left attached goes on refusing connections until `enforcer daemon` runs",
            cgroup.path(),
            client.socket().display()
        )?;
        return Ok(ExitCode::from(NOT_HONOURED));
    };
    let Unlabelled {
        cgroup,
        was_labelled,
        workload,
    } = unlabelled;
    let outcome = match (workload, was_labelled) {
        (Some(name), _) => format!("is not enforced any more, it was workload {name}"),
        (None, true) => "has no label any more, it was not enforced".to_owned(),
        (None, false) => "had no label".to_owned(),
    };
    writeln!(io::stdout(), "{cgroup} {outcome}")?;
    Ok(ExitCode::SUCCESS)
}

/// Has the label honoured, or sets it. None when no daemon is there.
async fn request_label(
    client: &Client,
    hierarchy: &Hierarchy,
    cgroup: &Cgroup,
    label: &Label,
) -> anyhow::Result<Option<WorkloadView>> {
    let asked = client.label(cgroup.path(), label).await;
    if let Some(workload) = unless_alone(asked)? {
        return Ok(Some(workload));
    }
    hierarchy.label(cgroup, label)?;
    // A daemon that came up since may have looked for labels before this one was there.
    let asked = client.label(cgroup.path(), label).await;
    Ok(unless_alone(asked)?)
}

/// Has the label taken off, or does it. None when no daemon is there.
async fn request_unlabel(
    client: &Client,
    hierarchy: &Hierarchy,
    cgroup: &Cgroup,
) -> anyhow::Result<Option<Unlabelled>> {
    if let Some(unlabelled) = unless_alone(client.unlabel(cgroup.path()).await)? {
        return Ok(Some(unlabelled));
    }
    hierarchy.unlabel(cgroup)?;
    // As above, the other way round.
    Ok(unless_alone(client.unlabel(cgroup.path()).await)?)
}

pub(super) fn unless_alone<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ClientError::NotRunning { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
