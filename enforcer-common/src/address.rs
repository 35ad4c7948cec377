//! One form for all addresses: sixteen bytes, IPv4 as `::ffff:a.b.c.d`.

/// 127.0.0.1 in the one form.
pub const LOOPBACK4: [u8; 16] = map4([127, 0, 0, 1]);

/// An IPv4 address in the one form.
#[must_use]
#[inline(always)]
pub const fn map4(v4: [u8; 4]) -> [u8; 16] {
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4[0], v4[1], v4[2], v4[3],
    ]
}

/// The IPv4 address inside; meaningless unless [`is_mapped`].
#[must_use]
#[inline(always)]
pub const fn unmap4(ip: &[u8; 16]) -> [u8; 4] {
    [ip[12], ip[13], ip[14], ip[15]]
}

/// Whether this is an IPv4 address.
#[must_use]
#[inline(always)]
pub const fn is_mapped(ip: &[u8; 16]) -> bool {
    zero_to(ip, 10) && ip[10] == 0xff && ip[11] == 0xff
}

/// Whether this is 127.0.0.0/8 or `::1`.
#[must_use]
#[inline(always)]
pub const fn is_loopback(ip: &[u8; 16]) -> bool {
    if is_mapped(ip) {
        ip[12] == 127
    } else {
        zero_to(ip, 15) && ip[15] == 1
    }
}

/// Whether this is 0.0.0.0 or `::`, which `connect(2)` takes for the host itself.
#[must_use]
#[inline(always)]
pub const fn is_any(ip: &[u8; 16]) -> bool {
    if is_mapped(ip) {
        ip[12] == 0 && ip[13] == 0 && ip[14] == 0 && ip[15] == 0
    } else {
        zero_to(ip, 16)
    }
}

#[inline(always)]
const fn zero_to(ip: &[u8; 16], end: usize) -> bool {
    let mut i = 0;
    while i < end {
        if ip[i] != 0 {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn check(text: &str, mapped: bool, loopback: bool, any: bool) {
        let ip = text.parse::<Ipv6Addr>().unwrap().octets();
        assert_eq!(
            (is_mapped(&ip), is_loopback(&ip), is_any(&ip)),
            (mapped, loopback, any),
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
        check("2001:db8::1", false, false, false);
        check("1::1", false, false, false);
    }

    #[test]
    fn mapping_is_what_the_standard_library_calls_mapping() {
        let v4 = Ipv4Addr::new(198, 51, 100, 7);
        assert_eq!(map4(v4.octets()), v4.to_ipv6_mapped().octets());
        assert_eq!(unmap4(&map4(v4.octets())), v4.octets());
    }
}
