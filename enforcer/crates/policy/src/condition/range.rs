//! Numbers and sizes between bounds.

use crate::condition::Reader;
use crate::diagnostic::{Fault, excerpt};
use crate::parse::fields::{self, Fields};
use crate::parse::tree::{Entry, Value};
use crate::truth::Truth;

/// Bounds that a number is to be within.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    low: Option<Bound>,
    high: Option<Bound>,
}

/// A bound, and whether what is on it is within.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bound {
    value: f64,
    included: bool,
}

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Bytes, as in `64 KiB`.
    Bytes,
    /// A count.
    Count,
    /// A fraction.
    Fraction,
    /// US dollars.
    Usd,
}

impl Range {
    pub(crate) const KEYS: [&'static str; 4] = ["over", "at_least", "under", "at_most"];

    /// Reads one number, or a map of bounds.
    pub(crate) fn read(entry: Entry<'_>, unit: Unit, reader: &mut Reader<'_>) -> Option<Self> {
        let spot = entry.spot;
        if let Value::Text(text) = &entry.value.value {
            let at = entry.value.spot;
            let value = match number(text, unit) {
                Ok(value) => value,
                Err(fault) => {
                    let hint = "write a number, or bounds as in `{ over: 100 }`";
                    let fault = match fault.hint.is_some() {
                        true => fault,
                        false => fault.with_hint(hint),
                    };
                    reader.findings.fault(at, fault);
                    return None;
                }
            };
            let bound = Some(Bound {
                value,
                included: true,
            });
            return Some(Self {
                low: bound,
                high: bound,
            });
        }
        let mut map = Fields::open(
            entry.into_value(),
            "a number's bounds",
            &Self::KEYS,
            reader.findings,
        )?;
        let mut bound = |key, included| {
            let text = fields::text(map.take(key)?, reader.findings)?;
            match number(&text.text, unit) {
                Ok(value) => Some(Bound { value, included }),
                Err(fault) => {
                    reader.findings.fault(text.spot, fault);
                    None
                }
            }
        };
        let (over, at_least) = (bound("over", false), bound("at_least", true));
        let (under, at_most) = (bound("under", false), bound("at_most", true));
        let twice =
            (over.is_some() && at_least.is_some()) || (under.is_some() && at_most.is_some());
        let range = Self {
            low: over.or(at_least),
            high: under.or(at_most),
        };
        if twice || range.is_empty() || (range.low.is_none() && range.high.is_none()) {
            let message = "bounds that nothing is between, or none at all".to_owned();
            let hint = "one of `over` and `at_least`, one of `under` and `at_most`, or both";
            reader.findings.error(spot, message, Some(hint.to_owned()));
            return None;
        }
        Some(range)
    }

    pub(crate) fn judge(&self, value: f64) -> Truth {
        let above = self
            .low
            .is_none_or(|low| value > low.value || (low.included && value >= low.value));
        let below = self
            .high
            .is_none_or(|high| value < high.value || (high.included && value <= high.value));
        Truth::of(above && below)
    }

    pub(crate) fn judge_count(&self, value: u64) -> Truth {
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts that differ only beyond 2^53 are all far too large"
        )]
        self.judge(value as f64)
    }

    /// Whether there is a number that is too large for it.
    pub(crate) fn is_bounded_above(&self) -> bool {
        self.high.is_some()
    }

    fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => {
                low.value > high.value
                    || (low.value == high.value && !(low.included && high.included))
            }
            (None, _) | (_, None) => false,
        }
    }
}

/// Reads a number of a unit.
pub(crate) fn number(text: &str, unit: Unit) -> Result<f64, Fault> {
    let refused = |hint: &str| {
        let fault = Fault::new(format!("`{}` is no {}", excerpt(text), unit.as_str()));
        Err(fault.with_hint(hint))
    };
    let (digits, factor) = match unit {
        Unit::Bytes => match sized(text) {
            Some(sized) => sized,
            None => {
                return refused(
                    "write a number of bytes, or one with `KiB`, `MiB`, `GiB`, `kB`, `MB` or `GB`",
                );
            }
        },
        Unit::Count | Unit::Fraction | Unit::Usd => (text, 1.0),
    };
    let plain = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_'));
    let value = digits.replace('_', "").parse::<f64>().ok();
    match value.filter(|value| plain && value.is_finite()) {
        Some(value) if unit == Unit::Count && value.fract() != 0.0 => {
            refused("write a whole number")
        }
        Some(value) => Ok(value * factor),
        None => refused("write a number that is not negative"),
    }
}

/// Digits and what they are multiplied with.
fn sized(text: &str) -> Option<(&str, f64)> {
    const UNITS: [(&str, f64); 8] = [
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("kB", 1e3),
        ("KB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("B", 1.0),
    ];
    for (unit, factor) in UNITS {
        if let Some(digits) = text.strip_suffix(unit) {
            return Some((digits.trim_end(), factor));
        }
    }
    text.ends_with(|c: char| c.is_ascii_digit())
        .then_some((text, 1.0))
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "size",
            Self::Count => "count",
            Self::Fraction => "number",
            Self::Usd => "amount of US dollars",
        }
    }
}
