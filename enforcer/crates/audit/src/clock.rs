//! The time as lines state it: RFC 3339, UTC, microseconds, always 27 bytes.

use std::time::SystemTime;

use jiff::Timestamp;

/// `2026-01-02T03:04:05.678901Z`
const LENGTH: usize = 27;
/// Where the microseconds begin.
const MICROS: usize = 20;
/// What is written when the clock shows a year that has not four digits.
const UNKNOWN: &[u8; LENGTH] = b"0000-01-01T00:00:00.000000Z";

/// Writes times; the calendar is only asked when the second changes.
pub(crate) struct Clock {
    second: i64,
    text: [u8; LENGTH],
}

impl Clock {
    /// A clock that has not been read.
    pub(crate) fn new() -> Self {
        Self {
            second: i64::MIN,
            text: *UNKNOWN,
        }
    }

    /// The time now.
    pub(crate) fn now(&mut self) -> &str {
        self.show(SystemTime::now())
    }

    fn show(&mut self, time: SystemTime) -> &str {
        let (second, micros) = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => (i64::try_from(since.as_secs()).ok(), since.subsec_micros()),
            Err(_) => (None, 0),
        };
        let second = second.unwrap_or(i64::MIN);
        if second != self.second {
            self.text = calendar(second).unwrap_or(*UNKNOWN);
            self.second = second;
        }
        let mut rest = micros;
        for digit in self.text[MICROS..MICROS + 6].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        str::from_utf8(&self.text).unwrap_or_default()
    }
}

fn calendar(second: i64) -> Option<[u8; LENGTH]> {
    let date = Timestamp::from_second(second).ok()?;
    let text = format!("{date:.6}");
    text.as_bytes().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_rfc_3339_in_utc_with_microseconds() {
        let mut clock = Clock::new();
        let at = |nanos| SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos);
        assert_eq!(clock.show(at(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            clock.show(at(1_767_323_045_678_901_999)),
            "2026-01-02T03:04:05.678901Z"
        );
        assert_eq!(
            clock.show(at(1_767_323_045_000_007_000)),
            "2026-01-02T03:04:05.000007Z"
        );
        assert_eq!(
            clock.show(at(1_709_164_800_999_999_000)),
            "2024-02-29T00:00:00.999999Z"
        );
    }

    #[test]
    fn a_clock_before_the_epoch_is_said_to_be_unknown() {
        let mut clock = Clock::new();
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(clock.show(before).as_bytes(), UNKNOWN);
    }
}
