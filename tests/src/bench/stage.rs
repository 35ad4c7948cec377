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
    hollow::Hollow,
    hooks::{Counting, Taken, Work},
    job::Job,
    listener, nginx,
    process::{self, Service},
    round::{self, Cell, Ran},
    row::{Row, Timing},
    site::Site,
    standstill::Standstill,
    turns::Turns,
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

    /// Measures a row through a contender; nothing when it says nothing about it, or was measured beside another.
    pub(super) async fn run(
        &self,
        (round, row): (u32, Row),
        contender: &Contender,
        timing: Timing,
    ) -> Result<Vec<Cell>> {
        let job = |contender| row.job(contender, &self.certificates.upstream_authority, timing);
        let Some(job_here) = job(contender) else {
            return Ok(Vec::new());
        };
        let place = (round, row);
        match (row, contender.name) {
            (Row::Connect, Name::Enforcer) => {}
            (Row::Connect, Name::Direct | Name::Haproxy) => return Ok(Vec::new()),
            (Row::Up, Name::Enforcer) => {
                let mut cell = self.measure(place, contender, &job_here).await?;
                cell.hooks = self.count(contender, &job_here).await?;
                return Ok(vec![cell]);
            }
            _ => return Ok(vec![self.measure(place, contender, &job_here).await?]),
        }
        let direct = self.contenders().find(|other| other.name == Name::Direct);
        let direct = direct.context("nobody to compare with")?;
        let beside = job(direct).context("nowhere to connect to")?;
        let turns = |job: &Job, turns| Job {
            turns,
            ..job.clone()
        };
        let (even, odd) = (turns(&beside, Turns::Even), turns(&job_here, Turns::Odd));
        let (direct, mut ours) = tokio::try_join!(
            self.measure(place, direct, &even),
            self.measure(place, contender, &odd)
        )?;
        ours.added = ours.tally.turns.added_to(&direct.tally.turns);
        ours.added_by_hooks = self.compare(contender, (&beside, &job_here)).await?;
        ours.hooks = self.count(contender, &job_here).await?;
        Ok(vec![direct, ours])
    }

    /// What connects of the second job take longer than those of the first while who listens stands still.
    async fn compare(&self, contender: &Contender, jobs: (&Job, &Job)) -> Result<Option<f64>> {
        let Some(process) = contender.process else {
            return Ok(None);
        };
        let turns = |job: &Job, turns| Job {
            turns,
            ..job.clone()
        };
        let (first, third) = (turns(jobs.0, Turns::First), turns(jobs.1, Turns::Third));
        let still = Standstill::of(process)?;
        let (direct, ours) = tokio::try_join!(round::run(None, &first), round::run(None, &third))?;
        drop(still);
        Ok(ours.tally.turns.added_to(&direct.tally.turns))
    }

    /// One run, timed.
    async fn measure(
        &self,
        (round, row): (u32, Row),
        contender: &Contender,
        job: &Job,
    ) -> Result<Cell> {
        let before = Crowd::now(self.site.cgroup())?;
        let Ran {
            tally,
            proxy_cpu_seconds,
            memory,
        } = round::run(contender.process, job).await?;
        let others_cores = Crowd::now(self.site.cgroup())?.others_since(before);
        Ok(Cell {
            round,
            row,
            contender: contender.name,
            tally,
            proxy_cpu_seconds,
            memory,
            added: None,
            added_by_hooks: None,
            hooks: None,
            others_cores,
        })
    }

    /// The same once more while the kernel counts what programs take, which makes each of them slower.
    async fn count(&self, contender: &Contender, job: &Job) -> Result<Option<Taken>> {
        let Some(process) = contender.process else {
            return Ok(None);
        };
        let hollow = Hollow::hang(&self.site.cgroup().own())?;
        let counting = Counting::start()?;
        let now =
            || -> Result<(Work, Work)> { Ok((Work::of(process)?, Work::of(std::process::id())?)) };
        let before = now()?;
        let ran = round::run(None, job).await?;
        let after = now()?;
        drop((counting, hollow));
        Ok(Taken::of(
            after.0.since(before.0),
            after.1.since(before.1),
            ran.tally.total,
        ))
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
