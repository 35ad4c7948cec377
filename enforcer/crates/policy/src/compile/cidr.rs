//! Address ranges: parsed from policies, and looked up by one hash probe for each prefix length in use.

use std::net::IpAddr;

use foldhash::HashMap;
use ipnet::IpNet;

use crate::compile::listing::Listing;
use crate::diagnostic::Fault;

/// Reads a range from a policy.
pub(crate) fn parse(text: &str) -> Result<IpNet, Fault> {
    if let Ok(addr) = text.parse::<IpAddr>() {
        let fault = Fault::new(format!("`{text}` is an address, not a range"));
        let width = IpNet::from(addr).prefix_len();
        return Err(fault.with_hint(format!("write it under `host`, or as `{addr}/{width}`")));
    }
    let Ok(net) = text.parse::<IpNet>() else {
        let fault = Fault::new(format!("`{text}` is no address range"));
        return Err(fault.with_hint("ranges look like `10.0.0.0/8` or `fd00::/8`"));
    };
    if net.trunc() != net {
        let fault = Fault::new(format!("`{text}` has address bits below its prefix"));
        return Err(fault.with_hint(format!("write `{}`", net.trunc())));
    }
    if net.addr().to_canonical() != net.addr() && net.prefix_len() >= 96 {
        let fault = Fault::new(format!("`{text}` is IPv4 in IPv6 clothes"));
        let plain = IpNet::new(net.addr().to_canonical(), net.prefix_len() - 96);
        let plain = plain.map(|net| net.to_string()).unwrap_or_default();
        return Err(fault.with_hint(format!("write `{plain}`")));
    }
    Ok(net)
}

/// Which rules speak of which ranges.
#[derive(Debug, Default)]
pub(crate) struct Nets {
    /// One table for each prefix length in use, longest first.
    lengths: Vec<Length>,
}

#[derive(Debug)]
struct Length {
    bits: u8,
    v6: bool,
    rules: HashMap<IpAddr, Listing>,
}

impl Nets {
    pub(crate) fn insert(&mut self, net: IpNet, rule: u32) {
        let (bits, v6) = (net.prefix_len(), net.addr().is_ipv6());
        let at = match self
            .lengths
            .binary_search_by(|length| (bits, v6).cmp(&(length.bits, length.v6)))
        {
            Ok(at) => at,
            Err(at) => {
                let rules = HashMap::default();
                self.lengths.insert(at, Length { bits, v6, rules });
                at
            }
        };
        let rules = self.lengths[at].rules.entry(net.network()).or_default();
        rules.push(rule);
    }

    pub(crate) fn listings(&mut self) -> impl Iterator<Item = &mut Listing> {
        self.lengths
            .iter_mut()
            .flat_map(|length| length.rules.values_mut())
    }

    /// Hands over the rules of every range that contains the address.
    pub(crate) fn visit<'s>(&'s self, addr: IpAddr, take: &mut impl FnMut(&'s Listing)) {
        for Length { bits, v6, rules } in &self.lengths {
            if *v6 != addr.is_ipv6() {
                continue;
            }
            let network = IpNet::new(addr, *bits).map(|net| net.network());
            if let Some(rules) = network.ok().and_then(|network| rules.get(&network)) {
                take(rules);
            }
        }
    }

    /// Hands over the rules of every range that contains all of this one.
    pub(crate) fn visit_around<'s>(&'s self, net: IpNet, take: &mut impl FnMut(&'s Listing)) {
        for Length { bits, v6, rules } in &self.lengths {
            if *v6 != net.addr().is_ipv6() || *bits > net.prefix_len() {
                continue;
            }
            let network = IpNet::new(net.addr(), *bits).map(|net| net.network());
            if let Some(rules) = network.ok().and_then(|network| rules.get(&network)) {
                take(rules);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_that_are_not_written_out_straight_are_refused_with_the_mend() {
        for (text, hint) in [
            ("10.0.0.5", "write it under `host`, or as `10.0.0.5/32`"),
            ("10.0.0.5/8", "write `10.0.0.0/8`"),
            ("::ffff:10.0.0.0/104", "write `10.0.0.0/8`"),
            ("10.0.0.0/33", "ranges look like `10.0.0.0/8` or `fd00::/8`"),
            ("internal", "ranges look like `10.0.0.0/8` or `fd00::/8`"),
        ] {
            let fault = parse(text).unwrap_err();
            assert_eq!(fault.hint.as_deref(), Some(hint), "`{text}`");
        }
    }

    proptest! {
        #[test]
        fn lookups_agree_with_asking_every_range(
            nets in prop::collection::vec((any::<u32>(), 0u8..=32), 0..12),
            addr in any::<u32>(),
        ) {
            let nets: Vec<IpNet> = nets
                .into_iter()
                .map(|(bits, len)| IpNet::new(IpAddr::from(bits.to_be_bytes()), len).unwrap().trunc())
                .collect();
            let addr = IpAddr::from(addr.to_be_bytes());
            let mut index = Nets::default();
            for (rule, net) in (0u32..).zip(&nets) {
                index.insert(*net, rule);
            }
            let mut found = Vec::new();
            index.visit(addr, &mut |rules| found.extend_from_slice(rules.all()));
            found.sort_unstable();
            let expected: Vec<u32> =
                (0u32..).zip(&nets).filter(|(_, net)| net.contains(&addr)).map(|(rule, _)| rule).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
