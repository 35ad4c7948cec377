//! The address ranges, and the place of an address in them. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// 198.18.0.0/15, <https://www.rfc-editor.org/rfc/rfc2544#appendix-C.2.2>.
const V4_BASE: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const V4_MASK: u32 = !0 << 17;

/// fd90:78a:4430::/48, drawn at random as <https://www.rfc-editor.org/rfc/rfc4193#section-3.2> asks. Addresses are given
/// out of its subnet 0.
const V6_BASE: u128 = 0xfd90_078a_4430 << 80;
const V6_MASK: u128 = !0 << 80;

/// In each block of 256 addresses the first and the last are left out: software exists that takes them for a network or
/// a broadcast address.
const BLOCK: u32 = 254;

/// How many IPv4 addresses there are to give out.
pub(super) const PLACES: u32 = 512 * BLOCK;

/// The low 16 bits of an IPv6 address number the names of a table; the 48 above are random for each table.
const NUMBER: u64 = 0xffff;

/// Whether an address lies in one of the ranges.
pub(super) fn holds(addr: IpAddr) -> bool {
    match addr.to_canonical() {
        IpAddr::V4(addr) => u32::from(addr) & V4_MASK == V4_BASE,
        IpAddr::V6(addr) => u128::from(addr) & V6_MASK == V6_BASE,
    }
}

/// The IPv4 address at a place below [`PLACES`].
pub(super) fn v4(place: u32) -> Ipv4Addr {
    let (block, rest) = (place / BLOCK, place % BLOCK);
    Ipv4Addr::from(V4_BASE | (block << 8) | (rest + 1))
}

/// The place of an IPv4 address, if it has one.
pub(super) fn place(addr: Ipv4Addr) -> Option<u32> {
    let bits = u32::from(addr);
    let rest = (bits & 0xff).checked_sub(1)?;
    if bits & V4_MASK != V4_BASE || rest >= BLOCK {
        return None;
    }
    Some(((bits & !V4_MASK) >> 8) * BLOCK + rest)
}

/// The IPv6 address of a number in the table with this tag.
pub(super) fn v6(tag: u64, number: u16) -> Ipv6Addr {
    Ipv6Addr::from(V6_BASE | u128::from((tag & !NUMBER) | u64::from(number)))
}

/// The number that an IPv6 address has in the table with this tag.
pub(super) fn number(tag: u64, addr: Ipv6Addr) -> Option<u16> {
    let [.., high, low] = addr.octets();
    let number = u16::from_be_bytes([high, low]);
    (v6(tag, number) == addr).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_has_one_address_and_back() {
        let mut last = Ipv4Addr::UNSPECIFIED;
        for at in 0..PLACES {
            let addr = v4(at);
            assert!(addr > last && holds(addr.into()), "{addr}");
            assert_eq!(place(addr), Some(at));
            last = addr;
        }
        assert_eq!(v4(0), Ipv4Addr::new(198, 18, 0, 1));
        assert_eq!(last, Ipv4Addr::new(198, 19, 255, 254));
    }

    #[test]
    fn addresses_without_a_place_are_known() {
        for text in [
            "198.18.0.0",
            "198.18.7.255",
            "198.20.0.1",
            "198.17.255.1",
            "10.0.0.1",
        ] {
            assert_eq!(place(text.parse().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn an_ipv6_address_is_known_by_its_tag_only() {
        let tag = 0x0123_4567_89ab_cdef;
        let addr = v6(tag, 7);
        assert_eq!(addr.to_string(), "fd90:78a:4430:0:123:4567:89ab:7");
        assert!(holds(addr.into()));
        assert_eq!(number(tag, addr), Some(7));
        assert_eq!(number(tag ^ (1 << 40), addr), None);
    }
}
