//! One form for all addresses.

/// An IPv6 address, or an IPv4 one as `::ffff:a.b.c.d`: four words in network order, as the kernel's contexts hold them.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The words; each holds four bytes of the address in the order in which they are written.
    pub words: [u32; 4],
}

impl Address {
    /// `::`, which also stands for "none".
    pub const NONE: Self = Self::new([0; 16]);
    /// 127.0.0.1.
    pub const LOOPBACK4: Self = Self::v4(u32::from_ne_bytes([127, 0, 0, 1]));
    /// `::1`.
    pub const LOOPBACK6: Self = Self::new([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

    /// From its bytes as they are written.
    #[must_use]
    pub const fn new(octets: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = octets;
        Self {
            words: [
                u32::from_ne_bytes([a, b, c, d]),
                u32::from_ne_bytes([e, f, g, h]),
                u32::from_ne_bytes([i, j, k, l]),
                u32::from_ne_bytes([m, n, o, p]),
            ],
        }
    }

    /// From an IPv4 address in network order.
    #[must_use]
    #[inline(always)]
    pub const fn v4(word: u32) -> Self {
        Self {
            words: [0, 0, 0xffff_u32.to_be(), word],
        }
    }

    /// Its bytes as they are written.
    #[must_use]
    pub const fn octets(&self) -> [u8; 16] {
        let words = self.words;
        let [a, b, c, d] = words[0].to_ne_bytes();
        let [e, f, g, h] = words[1].to_ne_bytes();
        let [i, j, k, l] = words[2].to_ne_bytes();
        let [m, n, o, p] = words[3].to_ne_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Whether this is an IPv4 address.
    #[must_use]
    #[inline(always)]
    pub const fn is_v4(&self) -> bool {
        let [a, b, c, _] = self.words;
        a == 0 && b == 0 && c == 0xffff_u32.to_be()
    }

    /// Whether this is 127.0.0.0/8 or `::1`.
    #[must_use]
    #[inline(always)]
    pub const fn is_loopback(&self) -> bool {
        let [a, b, c, d] = self.words;
        let d = u32::from_be(d);
        if self.is_v4() {
            d >> 24 == 127
        } else {
            a == 0 && b == 0 && c == 0 && d == 1
        }
    }

    /// Whether this is one of the addresses that the enforcer gives out for names: 198.18.0.0/15 and fd90:78a:4430::/48.
    #[must_use]
    #[inline(always)]
    pub const fn is_synthetic(&self) -> bool {
        let [a, b, _, d] = self.words;
        if self.is_v4() {
            (u32::from_be(d) >> 17) == 0xc612 >> 1
        } else {
            u32::from_be(a) == 0xfd90_078a && (u32::from_be(b) >> 16) == 0x4430
        }
    }

    /// Whether this is 0.0.0.0 or `::`, which `connect(2)` takes for the host itself.
    #[must_use]
    #[inline(always)]
    pub const fn is_any(&self) -> bool {
        let [a, b, c, d] = self.words;
        d == 0 && (self.is_v4() || (a == 0 && b == 0 && c == 0))
    }
}

const _: () = assert!(size_of::<Address>() == 16 && align_of::<Address>() == 4);

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn check(text: &str, v4: bool, loopback: bool, any: bool) {
        let octets = text.parse::<Ipv6Addr>().unwrap().octets();
        let ip = Address::new(octets);
        assert_eq!(ip.octets(), octets);
        assert_eq!(
            (ip.is_v4(), ip.is_loopback(), ip.is_any()),
            (v4, loopback, any),
            "`{text}`"
        );
    }

    #[test]
    fn addresses_are_told_apart() {
        check("::ffff:192.0.2.1", true, false, false);
        check("::ffff:127.0.0.1", true, true, false);
        check("::ffff:127.255.0.53", true, true, false);
        check("::ffff:128.0.0.1", true, false, false);
        check("::ffff:0.0.0.0", true, false, true);
        check("::1", false, true, false);
        check("::", false, false, true);
        check("::127.0.0.1", false, false, false);
        check("2001:db8:3:4:5:6:7:8", false, false, false);
        check("1::1", false, false, false);
        check("1::", false, false, false);
    }

    #[test]
    fn synthetic_addresses_are_told_apart() {
        let table = [
            ("::ffff:198.18.0.1", true),
            ("::ffff:198.19.255.255", true),
            ("::ffff:198.17.255.255", false),
            ("::ffff:198.20.0.0", false),
            ("fd90:78a:4430::1", true),
            ("fd90:78a:4430:ffff::1", true),
            ("fd90:78a:4431::1", false),
            ("fd90:78b:4430::1", false),
            ("::198.18.0.1", false),
        ];
        for (text, synthetic) in table {
            let ip = Address::new(text.parse::<Ipv6Addr>().unwrap().octets());
            assert_eq!(ip.is_synthetic(), synthetic, "`{text}`");
        }
    }

    #[test]
    fn ipv4_is_mapped_as_the_standard_library_maps_it() {
        let v4 = Ipv4Addr::new(198, 51, 100, 7);
        let ip = Address::v4(u32::from_ne_bytes(v4.octets()));
        assert_eq!(ip.octets(), v4.to_ipv6_mapped().octets());
        assert_eq!(
            Address::LOOPBACK4.octets(),
            Ipv4Addr::LOCALHOST.to_ipv6_mapped().octets()
        );
        assert_eq!(Address::LOOPBACK6.octets(), Ipv6Addr::LOCALHOST.octets());
    }
}
