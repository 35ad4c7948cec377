//! Everything that runs while the benchmark does: the upstream, and each contender's process in the middle.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};

use super::{
    certificates::Certificates,
    contender::{Contender, EVENT_UPSTREAM, Name, PEER_H2, PEER_OPAQUE, PEER_OPENED, UPSTREAM},
    crowd::Crowd,
    daemon::{self, Daemon},
    events::EventServer,
    haproxy::{self, Ways},
    hooks::{Counting, Work},
    listener, nginx,
    process::{self, Service},
    round::{self, Cell, Ran},
    row::{Row, Timing},
    site::Site,
};

const MIB: f64 = 1024.0 * 1024.0;

/// Long enough for one exchange or one stream of events.
const PRIMING: Timing = Timing {
    warmup_ms: 0,
    measure_ms: 500,
};

/// What was started; ended when dropped. Fields drop in order: those who dial before those who are dialled.
pub(super) struct Stage {
    contenders: Vec<Contender>,
    daemon: Option<Daemon>,
    _peer: Option<Service>,
    _events: EventServer,
    _upstream: Service,
    certificates: Certificates,
    site: Site,
}

impl Stage {
    /// Starts everything and waits until it answers.
    pub(super) fn set(enforcer: Option<&Path>, with_peer: bool) -> Result<Self> {
        let site = Site::make()?;
        let folder = site.folder();
        let certificates = Certificates::make(folder)?;
        let upstream = nginx::start(folder, UPSTREAM, &certificates)?;
        let events = EventServer::start(EVENT_UPSTREAM, &certificates)?;
        let daemon = enforcer
            .map(|program| start_daemon(program, &site, &certificates))
            .transpose()?;
        let bare = daemon
            .as_ref()
            .map(|daemon| listener::of(daemon.id()))
            .transpose()?;
        let mut contenders = vec![Contender::direct(
            certificates.upstream_authority.clone(),
            bare,
        )];
        contenders.extend(daemon.as_ref().map(|daemon| {
            Contender::enforcer(daemon.authority(), site.cgroup().agent(), daemon.id())
        }));
        let peer = with_peer
            .then(|| haproxy::start(folder, PEER_WAYS, &certificates))
            .transpose()?;
        contenders.extend(
            peer.as_ref()
                .map(|peer| Contender::haproxy(certificates.peer_authority.clone(), peer.id())),
        );
        Ok(Self {
            contenders,
            daemon,
            _peer: peer,
            _events: events,
            _upstream: upstream,
            certificates,
            site,
        })
    }

    /// Sends a little through everyone, uncounted: names are minted, and a contender that does not work at all is found
    /// out before the long part. (HAProxy fails the very first handshake for a name it has to mint.)
    pub(super) async fn prime(&self) -> Result<()> {
        for contender in &self.contenders {
            for row in [Row::Latency, Row::Events] {
                let primed = self.run((0, row), contender, PRIMING).await;
                primed.with_context(|| {
                    format!(
                        "{} does not work\n{}",
                        contender.name.text(),
                        self.last_words()
                    )
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn contenders(&self) -> impl Iterator<Item = &Contender> {
        self.contenders.iter()
    }

    /// Measures one cell; none when the row says nothing about the contender.
    pub(super) async fn run(
        &self,
        (round, row): (u32, Row),
        contender: &Contender,
        timing: Timing,
    ) -> Result<Option<Cell>> {
        let Some(job) = row.job(contender, &self.certificates.upstream_authority, timing) else {
            return Ok(None);
        };
        let counted = contender
            .process
            .filter(|_| matches!(row, Row::Connect | Row::Up));
        let _counting = counted.map(|_| Counting::start()).transpose()?;
        let hooks_before = counted.map(Work::of).transpose()?;
        let before = Crowd::now(self.site.cgroup())?;
        let Ran {
            tally,
            proxy_cpu_seconds,
            memory,
        } = round::run(contender.process, &job).await?;
        let hooks_after = counted.map(Work::of).transpose()?;
        let others_cores = Crowd::now(self.site.cgroup())?.others_since(before);
        let contender = contender.name;
        let work = hooks_after
            .zip(hooks_before)
            .map(|(after, before)| after.since(before));
        Ok(Some(Cell {
            round,
            row,
            contender,
            tally,
            proxy_cpu_seconds,
            memory,
            hook_seconds: work.map(Work::seconds),
            backstop_nanos: work.and_then(Work::nanos_per_packet),
            others_cores,
        }))
    }

    /// Resident memory of every process in the middle, in MiB, and whose could not be read.
    pub(super) fn memory(&self) -> (BTreeMap<Name, f64>, Vec<String>) {
        let (mut read, mut unread) = (BTreeMap::new(), Vec::new());
        for contender in &self.contenders {
            match contender.process.map(process::resident_bytes) {
                None => {}
                Some(Ok(bytes)) => {
                    read.insert(contender.name, bytes as f64 / MIB);
                }
                Some(Err(error)) => {
                    unread.push(format!("memory of {}: {error:#}", contender.name.text()));
                }
            }
        }
        (read, unread)
    }

    /// The end of what the enforcer printed.
    pub(super) fn last_words(&self) -> String {
        let words = self
            .daemon
            .as_ref()
            .map(Daemon::last_words)
            .unwrap_or_default();
        format!("the enforcer's last words:\n{words}")
    }
}

const PEER_WAYS: Ways = Ways {
    opened: PEER_OPENED,
    h2: PEER_H2,
    opaque: PEER_OPAQUE,
    api: UPSTREAM,
    events: EVENT_UPSTREAM,
};

fn start_daemon(enforcer: &Path, site: &Site, certificates: &Certificates) -> Result<Daemon> {
    let enforcer = std::path::absolute(enforcer)?;
    let ways = daemon::Ways {
        api: UPSTREAM,
        events: EVENT_UPSTREAM,
    };
    Daemon::start(&enforcer, site, ways, certificates).context("the enforcer does not come up")
}
