//! What was spent, in sliding windows, kept in a database.
//!
//! A window slides in sixty steps. What was spent in a step counts until all of the step has left the window, so a limit is
//! never exceeded and at most a sixtieth too strict. Amounts are reserved before an exchange and corrected after it; one
//! that never ends keeps what it reserved.
//!
//! The sums are held in memory and written through: a daemon that is killed forgets nothing, a power failure at most the
//! last moments (SQLite, write-ahead log, `synchronous = NORMAL`). Several processes may keep the same budgets: each change
//! is made under the database's write lock, and what another one changed since is read first.

mod store;
mod window;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foldhash::{HashMap, HashMapExt};

use store::Store;
use window::Window;

/// How many sums are kept. An agent can make new ones where a limit counts by model.
const MOST_KEYS: usize = 65_536;

/// What was spent. One per daemon.
pub struct Budgets {
    state: Mutex<State>,
    clock: Box<dyn Clock>,
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time since 1970.
    fn now(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// What a sum is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which limit of which rule.
    pub limit: String,
    /// Whose: a workload, a principal, a group, a model; empty when it is for all together.
    pub subject: String,
    /// In how much time. Another window is another sum.
    pub window: Duration,
}

/// An amount that shall be taken from a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Which sum it adds to.
    pub key: Key,
    /// What the sum may be.
    pub most: u64,
    /// How much it is, as far as is known before.
    pub amount: u64,
}

/// Amounts that were taken, until it is known how much it really was.
#[derive(Debug)]
#[must_use = "what was reserved is corrected when it is settled"]
pub struct Reservation {
    taken: Vec<Taken>,
}

#[derive(Debug)]
struct Taken {
    key: Key,
    step: u64,
    amount: u64,
}

/// A budget has too little left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{spent} of {} are spent, and {} more are too many", charge.most, charge.amount)]
pub struct Beyond {
    /// What was asked for.
    pub charge: Charge,
    /// What is spent within the window.
    pub spent: u64,
    /// When there will be enough left. None when there never will, because it is more than the whole budget.
    pub retry_after: Option<Duration>,
}

/// Why budgets cannot be kept, or a charge not be made.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// A budget has too little left.
    #[error(transparent)]
    Beyond(Box<Beyond>),
    /// The database failed. Nothing is granted on budgets that cannot be kept.
    #[error("the budgets' database failed")]
    Database(#[from] rusqlite::Error),
    /// There are more sums than are kept.
    #[error("more than {MOST_KEYS} budgets are in use")]
    TooMany,
}

struct State {
    store: Store,
    sums: HashMap<Key, Window>,
}

// === impl Charge ===

impl Charge {
    fn taken(&self, now: Duration) -> Taken {
        Taken {
            key: self.key.clone(),
            step: Window::new(self.key.window).step(now),
            amount: self.amount,
        }
    }
}

// === impl Budgets ===

impl Budgets {
    /// Opens the database, or makes it, readable by its owner only.
    ///
    /// # Errors
    /// When it cannot be opened, or is none of ours.
    pub fn open(path: &Path, clock: Box<dyn Clock>) -> Result<Self, BudgetError> {
        let store = Store::open(path)?;
        let now = clock.now();
        let sums = sums(&store, now)?;
        store.keep_only(now)?;
        Ok(Self {
            state: Mutex::new(State { store, sums }),
            clock,
        })
    }

    /// Takes all of the amounts, or none of them.
    ///
    /// # Errors
    /// When one of them has too little left, or they cannot be kept.
    pub fn reserve(&self, charges: &[Charge]) -> Result<Reservation, BudgetError> {
        let now = self.clock.now();
        let taken = charges.iter().map(|charge| charge.taken(now)).collect();
        let reservation = Reservation { taken };
        self.state().turn(now, |state| {
            for (at, charge) in charges.iter().enumerate() {
                // Charges of one exchange to the same sum count together.
                let before = charges
                    .iter()
                    .take(at)
                    .filter(|other| other.key == charge.key);
                let before = before.map(|other| other.amount).sum();
                state.check(charge, before, now)?;
            }
            state.write(
                &reservation.taken,
                |sum, taken| sum.saturating_add(taken.amount),
                now,
            )
        })?;
        Ok(reservation)
    }

    /// Takes amounts that nobody can refuse any more, and says whether one of the sums is now more than it may be.
    ///
    /// # Errors
    /// When they cannot be kept.
    pub fn spend(&self, charges: &[Charge]) -> Result<bool, BudgetError> {
        let now = self.clock.now();
        let taken: Vec<Taken> = charges.iter().map(|charge| charge.taken(now)).collect();
        let mut state = self.state();
        state.turn(now, |state| {
            state.write(&taken, |sum, taken| sum.saturating_add(taken.amount), now)
        })?;
        let over = |charge: &Charge| {
            let window = state.sums.get(&charge.key);
            window.is_some_and(|window| window.spent(now) > charge.most)
        };
        Ok(charges.iter().any(over))
    }

    /// Corrects what was taken to what it really was, in the order of the charges. What is not said stays as reserved.
    ///
    /// # Errors
    /// When it cannot be kept; the reserved amounts then stand.
    pub fn settle(
        &self,
        reservation: Reservation,
        actual: &[Option<u64>],
    ) -> Result<(), BudgetError> {
        let now = self.clock.now();
        let Reservation { taken } = reservation;
        let mut at = 0;
        let correct = |sum: u64, taken: &Taken| {
            let actual = actual.get(at).copied().flatten().unwrap_or(taken.amount);
            at += 1;
            sum.saturating_sub(taken.amount).saturating_add(actual)
        };
        let mut state = self.state();
        state.turn(now, |state| state.write(&taken, correct, now))
    }

    /// What is spent of a sum within its window.
    #[must_use]
    pub fn spent(&self, key: &Key) -> u64 {
        let now = self.clock.now();
        self.state()
            .sums
            .get(key)
            .map_or(0, |window| window.spent(now))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What was written before a panic is in the database; the sums are at worst too high.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    /// Makes a change with all that others have written before it in sight, and nothing of theirs in between.
    fn turn(
        &mut self,
        now: Duration,
        change: impl FnOnce(&mut Self) -> Result<(), BudgetError>,
    ) -> Result<(), BudgetError> {
        let others_wrote = self.store.begin()?;
        if others_wrote && let Err(error) = self.reload(now) {
            self.store.give_up();
            self.store.mistrust();
            return Err(error);
        }
        // It changes what is in memory last, and then does not fail.
        match change(self) {
            Ok(()) => Ok(self.store.commit()?),
            Err(error) => {
                self.store.give_up();
                Err(error)
            }
        }
    }

    fn reload(&mut self, now: Duration) -> Result<(), BudgetError> {
        self.sums = sums(&self.store, now)?;
        Ok(())
    }

    fn check(&mut self, charge: &Charge, before: u64, now: Duration) -> Result<(), BudgetError> {
        let Some(window) = self.sums.get(&charge.key) else {
            if self.sums.len() >= MOST_KEYS {
                self.sums.retain(|_, window| window.spent(now) > 0);
            }
            if self.sums.len() >= MOST_KEYS {
                return Err(BudgetError::TooMany);
            }
            return Self::fits(charge, &Window::new(charge.key.window), before, now);
        };
        Self::fits(charge, window, before, now)
    }

    fn fits(
        charge: &Charge,
        window: &Window,
        before: u64,
        now: Duration,
    ) -> Result<(), BudgetError> {
        let wanted = before.saturating_add(charge.amount);
        let spent = window.spent(now);
        if spent.saturating_add(wanted) <= charge.most {
            return Ok(());
        }
        let retry_after = charge
            .most
            .checked_sub(wanted)
            .map(|may_be| window.until(may_be, now));
        Err(BudgetError::Beyond(Box::new(Beyond {
            charge: charge.clone(),
            spent,
            retry_after,
        })))
    }

    /// Changes the sums of the steps that were taken, in the database first.
    fn write(
        &mut self,
        taken: &[Taken],
        mut change: impl FnMut(u64, &Taken) -> u64,
        now: Duration,
    ) -> Result<(), BudgetError> {
        let mut changed: Vec<(&Taken, u64)> = Vec::with_capacity(taken.len());
        for one in taken {
            let earlier = changed
                .iter()
                .rev()
                .find(|(other, _)| other.key == one.key && other.step == one.step);
            let sum = match earlier {
                Some((_, sum)) => *sum,
                None => self
                    .sums
                    .get(&one.key)
                    .map_or(0, |window| window.at(one.step)),
            };
            changed.push((one, change(sum, one)));
        }
        let rows = changed
            .iter()
            .map(|(taken, sum)| (&taken.key, taken.step, *sum));
        self.store.write(rows, now)?;
        for (taken, sum) in changed {
            let window = self
                .sums
                .entry(taken.key.clone())
                .or_insert_with(|| Window::new(taken.key.window));
            window.set(taken.step, sum, now);
        }
        Ok(())
    }
}

/// What is in the database, as far as it counts now.
fn sums(store: &Store, now: Duration) -> Result<HashMap<Key, Window>, BudgetError> {
    let mut sums: HashMap<Key, Window> = HashMap::new();
    for (key, step, amount) in store.load()? {
        let window = Window::new(key.window);
        sums.entry(key).or_insert(window).restore(step, amount, now);
    }
    sums.retain(|_, window| window.spent(now) > 0);
    Ok(sums)
}

// === impl SystemClock ===

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        // Before 1970 there was nothing to spend.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}
