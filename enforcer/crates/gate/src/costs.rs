//! What exchanges may take: reserved before they are granted, settled when they end.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use enforcer_cost::{
    BudgetError, Budgets, Charge, Estimate, Estimator, Key, Reservation, SystemClock,
};
use enforcer_flow::Principal;
use enforcer_policy::{Amount, Beyond, By, Limit, Obligation};
use enforcer_prompt::{ModelCall, Usage};

use crate::{Ask, Flow};

/// Whoever has no name of the kind that a limit counts by is counted under this one, all together.
const NOBODY: &str = "-";

/// Prices, and what was spent. One per daemon.
pub struct Costs {
    estimator: Estimator,
    path: PathBuf,
    /// Opened when a limit is first counted: who sets none needs no database.
    budgets: OnceLock<Option<Budgets>>,
}

/// What one exchange has reserved.
pub(crate) struct Bill {
    costs: Arc<Costs>,
    reservation: Reservation,
    counted: Vec<Counted>,
    estimate: Option<Estimate>,
    model: Option<String>,
    usage: Option<Usage>,
}

/// What one limit counts of an exchange.
struct Counted {
    charge: Charge,
    amount: Amount,
    by: By,
}

/// Why nothing is reserved.
pub(crate) enum Unpaid {
    /// There is too little left; and when there will be enough.
    Beyond(Beyond, Option<Duration>),
    /// Budgets cannot be kept.
    Unkept,
    /// Nobody knows what it costs.
    Unknown,
}

// === impl Costs ===

impl Costs {
    /// Keeps what is spent in the database at `path`.
    #[must_use]
    pub fn new(estimator: Estimator, path: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            estimator,
            path,
            budgets: OnceLock::new(),
        })
    }

    /// Opens the database now, so that a start stops where later all that is limited would be refused.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> Result<(), BudgetError> {
        if self.budgets.get().is_none() {
            let budgets = Budgets::open(&self.path, Box::new(SystemClock))?;
            // Somebody else may have been first, with a database as good as this one.
            let _ = self.budgets.set(Some(budgets));
        }
        Ok(())
    }

    /// What a request to a model will take at most.
    #[must_use]
    pub fn estimate(&self, call: &ModelCall<'_>) -> Estimate {
        self.estimator.estimate(call)
    }

    /// Reserves what the limits among `obligations` count; none when there are none.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        flow: &Flow,
        ask: &Ask<'_>,
        obligations: &[Obligation],
    ) -> Result<Option<Bill>, Unpaid> {
        let limits = obligations
            .iter()
            .filter_map(|obligation| match obligation {
                Obligation::Limit(limit) => Some(&**limit),
                Obligation::Inject(_)
                | Obligation::Mask(_)
                | Obligation::Record(_)
                | Obligation::Sign(_) => None,
            });
        let mut charges = Vec::new();
        let mut counted = Vec::new();
        let mut beyond_each = Vec::new();
        for limit in limits {
            for charge in charged(flow, ask, limit)? {
                charges.push(charge.clone());
                beyond_each.push(limit.beyond);
                counted.push(Counted {
                    charge,
                    amount: limit.amount,
                    by: limit.by,
                });
            }
        }
        if charges.is_empty() {
            return Ok(None);
        }
        let budgets = self.budgets().ok_or(Unpaid::Unkept)?;
        let reservation = budgets.reserve(&charges).map_err(|error| {
            if let BudgetError::Beyond(beyond) = &error {
                let over = |charge: &&Charge| charge.key == beyond.charge.key;
                let at = charges.iter().position(|charge| over(&charge));
                let then = at.and_then(|at| beyond_each.get(at));
                let then = then.copied().unwrap_or(Beyond::Deny);
                return Unpaid::Beyond(then, beyond.retry_after);
            }
            tracing::error!(%error, "budgets cannot be kept");
            Unpaid::Unkept
        })?;
        Ok(Some(Bill {
            costs: Arc::clone(self),
            reservation,
            counted,
            estimate: ask.estimate,
            model: model(ask).map(str::to_owned),
            usage: None,
        }))
    }

    fn budgets(&self) -> Option<&Budgets> {
        let open = || {
            Budgets::open(&self.path, Box::new(SystemClock))
                .inspect_err(|error| {
                    tracing::error!(%error, path = %self.path.display(), "the budgets' database cannot be opened; what limits count is refused");
                })
                .ok()
        };
        self.budgets.get_or_init(open).as_ref()
    }
}

// === impl Bill ===

impl Bill {
    /// Takes note of what the provider counted.
    pub(crate) fn used(&mut self, model: Option<&str>, usage: &Usage) {
        if let Some(model) = model {
            self.model = Some(model.to_owned());
        }
        self.usage = Some(*usage);
    }

    /// Corrects what was reserved to what it really was.
    pub(crate) fn settle(self, reached: bool) {
        let Self {
            costs,
            reservation,
            counted,
            estimate,
            model,
            usage,
        } = self;
        let actual = usage.map(|usage| {
            let before = estimate.unwrap_or_default();
            costs.estimator.actual(model.as_deref(), &usage, before)
        });
        let settled: Vec<Option<u64>> = counted
            .iter()
            .map(|counted| match (reached, counted.amount) {
                // Nothing was sent, so nothing was taken.
                (false, _) => Some(0),
                (true, Amount::Requests(_)) => None,
                (true, Amount::Tokens(_)) => actual.map(|actual| actual.tokens()),
                (true, Amount::MicroUsd(_)) => actual.and_then(|actual| actual.micro_usd),
            })
            .collect();
        let Some(budgets) = costs.budgets() else {
            return;
        };
        if let Err(error) = budgets.settle(reservation, &settled) {
            tracing::error!(%error, "a budget was not corrected; what was reserved stands");
        }
    }
}

impl Bill {
    /// Takes what an answer took that nothing was reserved for, under the same limits, and says whether one of them is
    /// passed by it now.
    pub(crate) fn add(&self, model: Option<&str>, usage: &Usage) -> bool {
        let estimator = &self.costs.estimator;
        let actual = estimator.actual(model, usage, Estimate::default());
        let charges: Vec<Charge> = self
            .counted
            .iter()
            .map(|counted| {
                let amount = match counted.amount {
                    Amount::Requests(_) => 1,
                    Amount::Tokens(_) => actual.tokens(),
                    Amount::MicroUsd(_) => actual.micro_usd.unwrap_or_default(),
                };
                let mut charge = Charge {
                    amount,
                    ..counted.charge.clone()
                };
                if let (By::Model, Some(model)) = (counted.by, model) {
                    model.clone_into(&mut charge.key.subject);
                }
                charge
            })
            .collect();
        let Some(budgets) = self.costs.budgets() else {
            return true;
        };
        budgets.spend(&charges).unwrap_or_else(|error| {
            tracing::error!(%error, "what an answer took was not counted");
            true
        })
    }
}

/// What one limit counts: one sum, or one for each group.
fn charged(flow: &Flow, ask: &Ask<'_>, limit: &Limit) -> Result<Vec<Charge>, Unpaid> {
    let Limit {
        rule,
        place,
        amount,
        window,
        by,
        beyond: _,
    } = limit;
    let (most, amount) = match *amount {
        Amount::Requests(most) => (most, 1),
        // What is no request to a model takes none.
        Amount::Tokens(most) => (most, ask.estimate.map_or(0, |estimate| estimate.tokens())),
        Amount::MicroUsd(most) => match ask.estimate {
            None => (most, 0),
            Some(estimate) => (most, estimate.micro_usd.ok_or(Unpaid::Unknown)?),
        },
    };
    let principal = flow.workload().attributes.principal.as_ref();
    let subjects: Vec<&str> = match by {
        By::All => vec![""],
        By::Group => match principal.map(Principal::groups) {
            None | Some([]) => vec![NOBODY],
            Some(groups) => groups.iter().map(AsRef::as_ref).collect(),
        },
        By::Model => vec![model(ask).unwrap_or(NOBODY)],
        By::Principal => vec![principal.map_or(NOBODY, |principal| principal.name())],
        By::Workload => vec![&flow.workload().name],
    };
    let charge = |subject: &str| Charge {
        key: Key {
            limit: format!("{rule}#{place}"),
            subject: subject.to_owned(),
            window: *window,
        },
        most,
        amount,
    };
    Ok(subjects.into_iter().map(charge).collect())
}

fn model<'a>(ask: &Ask<'a>) -> Option<&'a str> {
    match ask.request?.body {
        enforcer_policy::Body::Read(read) => match read.content {
            enforcer_prompt::Content::Model(call) => call.model,
            enforcer_prompt::Content::Empty
            | enforcer_prompt::Content::Mcp { .. }
            | enforcer_prompt::Content::Plain => None,
        },
        enforcer_policy::Body::Later
        | enforcer_policy::Body::None
        | enforcer_policy::Body::Undecidable(_)
        | enforcer_policy::Body::Unread => None,
    }
}
