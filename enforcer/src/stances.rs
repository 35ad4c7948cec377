//! How each workload is to be treated: what its label says, what the configuration says of its policy, and what operators ordered.

use std::sync::Arc;

use enforcer_flow::Stance;
use enforcer_identity::Label;

use crate::quarantine::Orders;

/// Who decides about stances.
#[derive(Debug)]
pub(crate) struct Stances {
    orders: Arc<Orders>,
    /// Policies whose workloads are only observed; `*` is all of them.
    observed: Vec<String>,
}

impl Stances {
    /// By these orders, and with the workloads of these policies only observed.
    pub(crate) fn new(orders: Arc<Orders>, observed: Vec<String>) -> Self {
        Self { orders, observed }
    }

    /// The label with the stance that holds. A quarantine is stronger than anything that loosens.
    pub(crate) fn settle(&self, path: &str, label: &Label) -> Label {
        let policy = label.policy().map(AsRef::as_ref);
        let stance = if self.orders.hold(path, policy) {
            Stance::Quarantine
        } else if self.observes(policy) {
            Stance::Observe
        } else {
            label.stance()
        };
        label.clone().with_stance(stance)
    }

    /// The orders.
    pub(crate) fn orders(&self) -> &Arc<Orders> {
        &self.orders
    }

    fn observes(&self, policy: Option<&str>) -> bool {
        let is_meant = |named: &String| named == "*" || Some(named.as_str()) == policy;
        self.observed.iter().any(is_meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quarantine::Order;

    #[test]
    fn a_quarantine_is_stronger_than_what_loosens() {
        let folder = tempfile::tempdir().unwrap();
        let orders = Arc::new(Orders::open(folder.path()).unwrap());
        let stances = Stances::new(Arc::clone(&orders), vec!["trial".to_owned()]);
        let of = |path, policy, stance| {
            let label = Label::new(policy).unwrap().with_stance(stance);
            stances.settle(path, &label).stance()
        };
        assert_eq!(of("/a", None, Stance::Enforce), Stance::Enforce);
        assert_eq!(of("/a", None, Stance::Observe), Stance::Observe);
        assert_eq!(of("/a", Some("trial"), Stance::Enforce), Stance::Observe);
        let (added, kept) = orders.add(&Order::Cgroup("/a".to_owned()));
        assert!(added && kept.is_ok());
        assert_eq!(of("/a", Some("trial"), Stance::Observe), Stance::Quarantine);
        assert_eq!(of("/b", Some("trial"), Stance::Enforce), Stance::Observe);
    }
}
