//! Check digits.

/// The number that an ASCII digit stands for; of another byte, nothing sensible.
pub(crate) fn digit(byte: u8) -> u32 {
    u32::from(byte.wrapping_sub(b'0'))
}

/// The number that ASCII digits stand for; at most nine of them.
pub(crate) fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0u32, |sum, byte| {
        sum.wrapping_mul(10).wrapping_add(digit(*byte))
    })
}

/// Each digit times its weight, summed up; weights beyond the digits do not count.
pub(crate) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits
        .iter()
        .zip(weights)
        .map(|(byte, weight)| digit(*byte) * weight)
        .sum()
}

/// ISO/IEC 7812-1, annex B: the last digit checks the others.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, byte)| match (place % 2, digit(*byte)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => 2 * digit - 9,
            (_, digit) => 2 * digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The remainder by 97 of digits and capital letters, a letter being worth 10 to 35 (ISO 7064, MOD 97-10).
pub(crate) fn mod_97(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes.into_iter().fold(0, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + digit(byte)) % 97,
        _ => (rest * 100 + u32::from(byte.wrapping_sub(b'A')) + 10) % 97,
    })
}

/// ISO 7064, MOD 11-10: the last digit checks the others.
pub(crate) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, rest)) = digits.split_last() else {
        return false;
    };
    let product = rest.iter().fold(10, |product, byte| {
        let sum = (digit(*byte) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == digit(*check)
}

/// Verhoeff's: the last digit checks the others, in the group of symmetries of a pentagon.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    const SWAPS: [[u8; 10]; 8] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
        [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
        [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
        [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
        [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
        [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
        [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
    ];
    let sum = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0u8, |sum, (place, byte)| {
            let next = SWAPS[place % 8][usize::from(byte.wrapping_sub(b'0')) % 10];
            product(sum, next)
        });
    sum == 0
}

/// Of two symmetries: 0 to 4 are turns, 5 to 9 are turns of the reflection.
fn product(one: u8, two: u8) -> u8 {
    match (one < 5, two < 5) {
        (true, true) => (one + two) % 5,
        (true, false) => (one + two - 5) % 5 + 5,
        (false, true) => (one + 5 - 5 - two + 5) % 5 + 5,
        (false, false) => (one + 5 - two) % 5,
    }
}

/// There is such a day; `year` 0 is any.
pub(crate) fn is_day(year: u32, month: u32, day: u32) -> bool {
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check digit that is right for one last digit only, whatever the others.
    #[test]
    fn one_digit_in_ten_is_right() {
        for check in [luhn, mod_11_10, verhoeff] {
            for number in [0u32, 7, 23_456, 99_999, 40_123, 58_210] {
                let right = (b'0'..=b'9').filter(|last| {
                    let mut digits = format!("{number:05}").into_bytes();
                    digits.push(*last);
                    check(&digits)
                });
                assert_eq!(right.count(), 1, "{number}");
            }
        }
    }

    #[test]
    fn known_numbers_pass() {
        assert!(luhn(b"4111111111111111"));
        assert!(verhoeff(b"2363"));
        assert!(verhoeff(b"1428570"));
        assert!(mod_11_10(b"86095742719"));
        assert_eq!(mod_97(*b"3214282912345698765432161182"), 1);
        assert!(is_day(2000, 2, 29) && !is_day(1900, 2, 29) && !is_day(2001, 4, 31));
    }
}
