//! What the command of `enforcer run` is kept from, and what its caller gives it back.

use std::collections::BTreeSet;
use std::ffi::{CString, OsString};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use enforcer_audit::{Entry, Ledger};
use enforcer_kernel::confine::{self, Confining, RunAs, Waiver};
use enforcer_tls::trust::Placed;
use nix::unistd::{Gid, Group, Uid, User};
use rustix::thread::CapabilitySet;

use crate::config::Config;
use crate::host_sockets;

/// Where programs that read no variable look for the roots they believe: Debian and what came of it, Fedora's kind, and the
/// BSDs' place that Alpine has too.
const STORES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// A device by which a process is a machine of its own, and speaks with the host's vsock services as one.
const VHOST_VSOCK: &str = "/dev/vhost-vsock";

/// How the command is held, and by whose rights.
#[derive(Debug, Args)]
pub(super) struct ConfinementArgs {
    /// Run the command as this user, by name or number; without a group, in the user's own. Without it: as the caller
    #[arg(long, value_name = "USER[:GROUP]")]
    user: Option<String>,
    /// Leave the command a capability, such as NET_RAW, or ALL; may be repeated
    #[arg(long, value_name = "CAPABILITY", value_parser = known)]
    cap_add: Vec<String>,
    /// Leave the command a unix socket of the host, beside those of the configuration; may be repeated
    #[arg(long, value_name = "SOCKET")]
    allow_socket: Vec<PathBuf>,
    /// Give up one part of the confinement; may be repeated. The ledger says so
    #[arg(long, value_enum, value_name = "WHAT")]
    danger_allow: Vec<Danger>,
}

/// What may be given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Danger {
    /// Pass on sockets and folders that the caller has open: what they reach, nobody judges
    InheritedSockets,
    /// Let it use io_uring, which makes sockets of any kind
    IoUring,
    /// Let programs give it more rights than it has, as sudo does
    NewPrivileges,
    /// Let it trace and signal processes that it did not start
    OtherProcesses,
    /// Let it make sockets of every family: vsock, Bluetooth, packets
    SocketFamilies,
    /// Let it write to cgroups, /sys and /proc/sys
    SystemWrites,
}

/// Whom the command runs as, and what its environment says of that.
pub(super) struct Runner {
    run_as: RunAs,
    environment: Vec<(&'static str, OsString)>,
}

impl ConfinementArgs {
    /// Keeps back what the command must not inherit. To be called before there is anything of ours to keep back.
    pub(super) fn seal(&self) -> anyhow::Result<()> {
        if !self.danger_allow.contains(&Danger::InheritedSockets) {
            confine::seal()?;
        }
        Ok(())
    }

    /// Looks up whom the command is to run as.
    pub(super) fn runner(&self) -> anyhow::Result<Option<Runner>> {
        self.user.as_deref().map(Runner::find).transpose()
    }

    /// How the command is to be held.
    pub(super) fn confining(
        &self,
        config: &Config,
        placed: &Placed,
        runner: Option<&Runner>,
    ) -> anyhow::Result<Confining> {
        for socket in &self.allow_socket {
            host_sockets::check(socket)?;
        }
        Ok(Confining {
            capabilities: self.capabilities()?,
            waived: self
                .danger_allow
                .iter()
                .filter_map(|danger| danger.waiver())
                .collect::<BTreeSet<_>>(),
            hidden: self.hidden(config, placed),
            replaced: stores(&placed.bundle),
            user: runner.map(|runner| runner.run_as.clone()),
        })
    }

    /// What the command keeps beside the usual. Nobody can leave it what they do not have; `ALL` is all that there is.
    fn capabilities(&self) -> anyhow::Result<CapabilitySet> {
        let held = rustix::thread::capabilities(None)?.permitted;
        let mut all = CapabilitySet::empty();
        for name in &self.cap_add {
            let set = confine::capability(name).unwrap_or(CapabilitySet::empty());
            ensure!(
                held.intersects(set),
                "`--cap-add {name}`: the enforcer does not have this capability itself"
            );
            all |= set;
        }
        Ok(all)
    }

    /// Writes into the ledger what is given up, before it is.
    pub(super) fn record(&self, ledger: &Ledger) -> anyhow::Result<()> {
        let capabilities = self.cap_add.iter().map(|name| format!("cap_add {name}"));
        let sockets = self.allow_socket.iter();
        let sockets = sockets.map(|socket| format!("allow_socket {}", socket.display()));
        let given_up = self.danger_allow.iter().filter_map(|danger| {
            let value = danger.to_possible_value()?;
            Some(format!("danger_allow {}", value.get_name()))
        });
        for what in capabilities.chain(sockets).chain(given_up) {
            ledger.append(&Entry::Danger { what: &what })?;
        }
        Ok(())
    }

    /// What only its owner may look into, and a command that runs as that owner must not: the CA's key, the ledgers, the
    /// operators' socket. And what others would act for it by.
    fn hidden(&self, config: &Config, placed: &Placed) -> Vec<PathBuf> {
        let own = [
            &config.state_dir,
            &config.ca.dir,
            &config.ledger.path,
            &config.control.socket,
        ];
        let holds_trust = |folder: &Path| placed.bundle.starts_with(folder);
        let runs = config.state_dir.join("runs");
        let runs = holds_trust(&config.state_dir).then_some(&runs);
        let own = own.into_iter().filter(|place| !holds_trust(place));
        let allowed = config.unix_sockets.allow.iter().chain(&self.allow_socket);
        let sockets = host_sockets::hidden(allowed.map(PathBuf::as_path));
        let device = PathBuf::from(VHOST_VSOCK);
        own.chain(runs)
            .cloned()
            .chain([device])
            .chain(sockets)
            .collect()
    }
}

impl Danger {
    fn waiver(self) -> Option<Waiver> {
        match self {
            Self::InheritedSockets => None,
            Self::IoUring => Some(Waiver::IoUring),
            Self::NewPrivileges => Some(Waiver::NewPrivileges),
            Self::OtherProcesses => Some(Waiver::OtherProcesses),
            Self::SocketFamilies => Some(Waiver::SocketFamilies),
            Self::SystemWrites => Some(Waiver::SystemWrites),
        }
    }
}

impl Runner {
    /// What the command's environment is to say.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'static str, &OsString)> {
        self.environment.iter().map(|(name, value)| (*name, value))
    }

    fn find(text: &str) -> anyhow::Result<Self> {
        let (name, group) = match text.split_once(':') {
            Some((name, group)) => (name, Some(group)),
            None => (text, None),
        };
        let uid = name.parse().ok().map(Uid::from_raw);
        let user = match uid {
            Some(uid) => User::from_uid(uid),
            None => User::from_name(name),
        };
        let user = user.with_context(|| format!("the user `{name}` cannot be looked up"))?;
        let gid = group.map(find_group).transpose()?;
        match (user, uid, gid) {
            (Some(user), _, gid) => Self::of(&user, gid),
            (None, Some(uid), Some(gid)) => Ok(Self {
                run_as: RunAs {
                    uid: uid.as_raw(),
                    gid: gid.as_raw(),
                    groups: vec![gid.as_raw()],
                },
                environment: Vec::new(),
            }),
            (None, Some(_), None) => {
                bail!(
                    "user {name} has no account here: say its group too, as `--user {name}:GROUP`"
                )
            }
            (None, None, _) => bail!("there is no user `{name}`"),
        }
    }

    fn of(user: &User, gid: Option<Gid>) -> anyhow::Result<Self> {
        let gid = gid.unwrap_or(user.gid);
        let name = CString::new(user.name.as_str())?;
        let groups = nix::unistd::getgrouplist(&name, gid)
            .with_context(|| format!("the groups of `{}` cannot be looked up", user.name))?;
        Ok(Self {
            run_as: RunAs {
                uid: user.uid.as_raw(),
                gid: gid.as_raw(),
                groups: groups.into_iter().map(Gid::as_raw).collect(),
            },
            environment: vec![
                ("HOME", user.dir.clone().into_os_string()),
                ("LOGNAME", user.name.clone().into()),
                ("SHELL", user.shell.clone().into_os_string()),
                ("USER", user.name.clone().into()),
            ],
        })
    }
}

fn find_group(text: &str) -> anyhow::Result<Gid> {
    if let Ok(number) = text.parse() {
        return Ok(Gid::from_raw(number));
    }
    let group = Group::from_name(text);
    let group = group.with_context(|| format!("the group `{text}` cannot be looked up"))?;
    Ok(group
        .with_context(|| format!("there is no group `{text}`"))?
        .gid)
}

fn known(text: &str) -> Result<String, String> {
    match confine::capability(text) {
        Some(_) => Ok(text.to_ascii_uppercase()),
        None => Err(
            "no capability is called that; capabilities(7) has their names, and ALL is all that the enforcer has"
                .to_owned(),
        ),
    }
}

/// The host's stores, each seen as `bundle`. A store that is another one's second name is covered by it.
fn stores(bundle: &Path) -> Vec<(PathBuf, PathBuf)> {
    let files: BTreeSet<PathBuf> = STORES
        .iter()
        .filter_map(|store| std::fs::canonicalize(store).ok())
        .filter(|store| store.is_file())
        .collect();
    files
        .into_iter()
        .map(|store| (bundle.to_path_buf(), store))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_known_by_name_and_number() {
        let by_name = Runner::find("root").expect("root");
        let by_number = Runner::find("0").expect("0");
        assert_eq!(by_name.run_as, by_number.run_as);
        assert_eq!(by_name.run_as.uid, 0);
        let elsewhere = Runner::find("0:12").expect("0:12");
        assert_eq!((elsewhere.run_as.uid, elsewhere.run_as.gid), (0, 12));
    }

    #[test]
    fn who_is_not_known_is_said() {
        for (text, said) in [
            ("no-such-user", "no user `no-such-user`"),
            ("root:no-such-group", "no group `no-such-group`"),
            ("3999999", "--user 3999999:GROUP"),
        ] {
            let error = Runner::find(text).err().expect("a mistake").to_string();
            assert!(error.contains(said), "{error}");
        }
        let stranger = Runner::find("3999999:7").expect("numbers");
        assert_eq!(stranger.run_as.groups, [7]);
    }
}
