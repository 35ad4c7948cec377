//! Whether something holds, when not everything is known.

/// Three values and a half: what is unread can still be learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It is seen not to hold.
    No,
    /// It cannot be seen.
    Unknown,
    /// It can be seen when the body is read.
    Unread,
    /// It is seen to hold.
    Yes,
}

impl Truth {
    pub(crate) fn of(holds: bool) -> Self {
        match holds {
            true => Self::Yes,
            false => Self::No,
        }
    }

    /// Both hold. What reading could show to fail is worth reading, whatever else stays unknown.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unread, _) | (_, Self::Unread) => Self::Unread,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// One of both holds.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Unread, _) | (_, Self::Unread) => Self::Unread,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::No, Self::No) => Self::No,
        }
    }
}

/// How much a rule asks of things of which there can be several, and what it does with doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stance {
    /// A rule that opens: it must hold for each of them.
    Each,
    /// A rule that closes: one of them is enough.
    One,
}

impl Stance {
    /// Judges several things.
    pub(crate) fn over(self, truths: impl Iterator<Item = Truth>) -> Truth {
        match self {
            Self::Each => truths.fold(Truth::Yes, Truth::and),
            Self::One => truths.fold(Truth::No, Truth::or),
        }
    }
}

/// What is known of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact<T> {
    /// It is seen not to be there.
    Absent,
    Known(T),
    /// It cannot be seen.
    Unknown,
    /// It can be seen when the body is read.
    Unread,
}

impl<T> Fact<T> {
    pub(crate) fn of(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::Known(value),
            None => Self::Absent,
        }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Fact<U> {
        self.then(|value| Fact::Known(change(value)))
    }

    pub(crate) fn then<U>(self, change: impl FnOnce(T) -> Fact<U>) -> Fact<U> {
        match self {
            Self::Absent => Fact::Absent,
            Self::Known(value) => change(value),
            Self::Unknown => Fact::Unknown,
            Self::Unread => Fact::Unread,
        }
    }

    /// Judges it; what is not there is judged by `absent`.
    pub(crate) fn judge(self, absent: Truth, known: impl FnOnce(T) -> Truth) -> Truth {
        match self {
            Self::Absent => absent,
            Self::Known(value) => known(value),
            Self::Unknown => Truth::Unknown,
            Self::Unread => Truth::Unread,
        }
    }
}
