//! Hosts: how policies name them, and which rules speak of which.
//!
//! Names are looked up in a trie of labels from the last to the first, so a wildcard matches at label boundaries by
//! construction: `*.example.com` cannot match `evilexample.com`, nor `example.com` itself.

use std::net::IpAddr;

use enforcer_flow::Host;
use foldhash::HashMap;
use ipnet::IpNet;

use crate::compile::Rule;
use crate::compile::cidr::Nets;
use crate::compile::listing::Listing;
use crate::diagnostic::Fault;

/// Where rules point to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One address literal.
    Address(IpAddr),
    /// `*`: every name and every address.
    Anywhere,
    /// `*.suffix`: every name with at least one more label in front.
    Below(Box<str>),
    /// One name.
    Name(Box<str>),
    /// All address literals in a range.
    Net(IpNet),
}

/// Which rules speak of which places, for one policy.
#[derive(Debug)]
pub(crate) struct HostIndex {
    anywhere: Listing,
    addresses: HashMap<IpAddr, Listing>,
    nets: Nets,
    /// The trie; its first node is the root.
    labels: Vec<Label>,
}

/// One label of the trie, reached by the labels that stand after it in a name.
#[derive(Debug, Default)]
struct Label {
    children: HashMap<Box<str>, usize>,
    /// Rules for the name that ends here.
    name: Listing,
    /// Rules for every name that goes on.
    below: Listing,
    /// Whether a rule that allows speaks of a name that goes on.
    leads: bool,
}

// === impl Place ===

impl Place {
    /// Reads a value of `host`.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        if text == "*" {
            return Ok(Self::Anywhere);
        }
        let (wild, name) = match text.strip_prefix("*.") {
            Some(suffix) => (true, suffix),
            None => (false, text),
        };
        match (Host::parse(name), wild) {
            (Ok(Host::Name(name)), true) => Ok(Self::Below((*name).into())),
            (Ok(Host::Name(name)), false) => Ok(Self::Name((*name).into())),
            (Ok(Host::Ip(addr)), false) => Ok(Self::Address(addr)),
            (Ok(Host::Ip(_)), true) => {
                let fault = Fault::new(format!("`{text}` puts `*` before an address"));
                Err(fault.with_hint("ranges of addresses go under `cidr`"))
            }
            (Err(error), _) => {
                let fault = Fault::new(format!("`{text}` is no host: {error}"));
                Err(match mend(text, name) {
                    Some(hint) => fault.with_hint(hint),
                    None => fault,
                })
            }
        }
    }
}

/// What was probably meant by a text that is no host.
fn mend(text: &str, name: &str) -> Option<String> {
    if text.parse::<IpNet>().is_ok() {
        return Some("ranges of addresses go under `cidr`".to_owned());
    }
    if text.contains("://") || text.contains('/') {
        return Some("write the name only; paths go under `path`".to_owned());
    }
    if let Some(bare) = name.strip_prefix('.')
        && Host::parse(bare).is_ok()
    {
        return Some(format!("write `*.{bare}` for every name below `{bare}`"));
    }
    if name.contains('*') {
        let hint = "`*` stands for whole labels at the start only, as in `*.example.com`";
        return Some(hint.to_owned());
    }
    if !text.is_ascii() {
        let hint = "names in other scripts are written as on the wire, in the form `xn--…`";
        return Some(hint.to_owned());
    }
    let (host, port) = text.rsplit_once(':')?;
    let ported = port.parse::<u16>().is_ok() && Host::parse(host).is_ok();
    ported.then(|| "ports go under `port`".to_owned())
}

// === impl HostIndex ===

impl HostIndex {
    pub(crate) fn new() -> Self {
        Self {
            anywhere: Listing::default(),
            addresses: HashMap::default(),
            nets: Nets::default(),
            labels: vec![Label::default()],
        }
    }

    /// Files a rule under a place.
    pub(crate) fn insert(&mut self, place: &Place, rule: u32) {
        match place {
            Place::Address(addr) => self.addresses.entry(*addr).or_default().push(rule),
            Place::Anywhere => self.anywhere.push(rule),
            Place::Below(suffix) => self.label(suffix).below.push(rule),
            Place::Name(name) => self.label(name).name.push(rule),
            Place::Net(net) => self.nets.insert(*net, rule),
        }
    }

    /// Indexes the rules at each place. To be called when all are filed.
    pub(crate) fn finish(&mut self, rules: &[Rule]) {
        let Self {
            anywhere,
            addresses,
            nets,
            labels,
        } = self;
        anywhere.index(rules);
        addresses
            .values_mut()
            .for_each(|listing| listing.index(rules));
        nets.listings().for_each(|listing| listing.index(rules));
        for Label {
            children: _,
            name,
            below,
            leads: _,
        } in &mut *labels
        {
            name.index(rules);
            below.index(rules);
        }
        // A label stands after the one it hangs on, so from the last to the first each finds its children done.
        for at in (0..labels.len()).rev() {
            let leads = |label: &Label| label.leads || label.name.allows(rules);
            let mut children = labels[at].children.values();
            let below = labels[at].below.allows(rules);
            labels[at].leads = below || children.any(|child| leads(&labels[*child]));
        }
    }

    /// Whether a rule that allows speaks of a name below this one.
    pub(crate) fn leads_below(&self, name: &str, rules: &[Rule]) -> bool {
        let mut is_under_wildcard = self.anywhere.allows(rules);
        let label = self.descend(name, &mut |rules_here| {
            is_under_wildcard |= rules_here.allows(rules);
        });
        is_under_wildcard || label.is_some_and(|label| label.leads)
    }

    /// Hands over every list of rules that speak of a host. A rule may come more than once.
    pub(crate) fn visit<'s>(&'s self, host: &Host, mut take: impl FnMut(&'s Listing)) {
        match host {
            Host::Ip(addr) => self.visit_address(*addr, &mut take),
            Host::Name(name) => {
                if let Some(label) = self.descend(name, &mut take) {
                    take(&label.name);
                }
            }
        }
        take(&self.anywhere);
    }

    /// Hands over every list of rules that speak of all of a place.
    pub(crate) fn visit_around<'s>(&'s self, place: &Place, mut take: impl FnMut(&'s Listing)) {
        match place {
            Place::Address(addr) => self.visit_address(*addr, &mut take),
            Place::Anywhere => {}
            Place::Below(suffix) => {
                if let Some(label) = self.descend(suffix, &mut take) {
                    take(&label.below);
                }
            }
            Place::Name(name) => {
                if let Some(label) = self.descend(name, &mut take) {
                    take(&label.name);
                }
            }
            Place::Net(net) => self.nets.visit_around(*net, &mut take),
        }
        take(&self.anywhere);
    }

    fn visit_address<'s>(&'s self, addr: IpAddr, take: &mut impl FnMut(&'s Listing)) {
        if let Some(rules) = self.addresses.get(&addr) {
            take(rules);
        }
        self.nets.visit(addr, take);
    }

    /// Walks down a name, handing over the wildcard rules passed on the way, to the label where the name ends.
    fn descend<'s>(&'s self, name: &str, take: &mut impl FnMut(&'s Listing)) -> Option<&'s Label> {
        let mut label = self.labels.first()?;
        for part in name.rsplit('.') {
            if !label.below.all().is_empty() {
                take(&label.below);
            }
            let child = label.children.get(part)?;
            label = self.labels.get(*child)?;
        }
        Some(label)
    }

    /// The label where a name ends, made if there is none.
    fn label(&mut self, name: &str) -> &mut Label {
        let mut at = 0;
        for part in name.rsplit('.') {
            at = match self.labels[at].children.get(part) {
                Some(child) => *child,
                None => {
                    let child = self.labels.len();
                    self.labels.push(Label::default());
                    self.labels[at].children.insert(part.into(), child);
                    child
                }
            };
        }
        &mut self.labels[at]
    }
}
