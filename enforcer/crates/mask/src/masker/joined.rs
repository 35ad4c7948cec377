//! What shows only where pieces are joined.

use enforcer_recognize::Confidence;

use super::Around;
use super::looker::Looker;
use super::merge::{Hit, Taken};
use crate::custom::Part;
use crate::rules::Lane;
use crate::scan::Span;
use crate::{Finding, Place, Session};

/// Who looks at joined pieces.
pub(crate) struct Joined<'a> {
    pub(crate) lane: &'a Lane,
    pub(crate) session: &'a Session,
    pub(crate) place: Place<'a>,
}

impl Joined<'_> {
    /// The strictest of what detectors find, is `wanted`, and lies on both sides of `border`.
    pub(crate) fn secret(
        &self,
        text: &[u8],
        border: usize,
        wanted: impl Fn(usize, Confidence) -> bool,
    ) -> Option<Finding> {
        let (mut open, mut hits, mut behind) = (Vec::new(), Vec::new(), 0);
        let mut looker = Looker {
            around: self.around(),
            text,
            last: true,
            sent: 0,
            open: &mut open,
            hits: &mut hits,
            behind: &mut behind,
        };
        let (from, last) = (0, true);
        let plan = &self.lane.plan;
        plan.wakes(Span { text, from, last }, 0, &mut |woken| looker.ask(woken));
        self.over((text, border), &hits, wanted)
    }

    /// Likewise of what operators' own detectors find.
    pub(crate) fn canary(
        &self,
        text: &[u8],
        border: usize,
        wanted: impl Fn(usize, Confidence) -> bool,
    ) -> Option<Finding> {
        let mut hits = Vec::new();
        let (from, last) = (0, true);
        for (custom, kind) in &self.lane.customs {
            custom.scan(Part { text, from, last }, &mut |span| {
                let (span, kind) = ((span.start, span.end), (*kind, Confidence::High));
                hits.extend(Hit::judge(self.around(), text, span, kind));
            });
        }
        self.over((text, border), &hits, wanted)
    }

    fn over(
        &self,
        (text, border): (&[u8], usize),
        hits: &[Hit],
        wanted: impl Fn(usize, Confidence) -> bool,
    ) -> Option<Finding> {
        let over = hits
            .iter()
            .filter(|hit| hit.start < border && hit.end > border);
        let fits = over.filter_map(|hit| match &hit.what {
            Taken::Value {
                kind, confidence, ..
            } if wanted(*kind, *confidence) => Some((hit, *kind, *confidence)),
            Taken::Value { .. } | Taken::Token => None,
        });
        let (hit, kind, confidence) = fits.max_by_key(|(hit, ..)| hit.rank())?;
        let value = &text[hit.start..hit.end];
        let choice = self.lane.choice(kind, confidence, value)?;
        let own = &self.lane.kinds[kind];
        Some(Finding {
            detector: own.name.clone(),
            rule: choice.rule.clone(),
            direction: self.place.direction,
            path: self.place.path.into(),
            offset: 0,
            length: (hit.end - border) as u64,
            action: choice.action,
            confidence,
            fingerprint: self.session.fingerprint(&own.name, value),
        })
    }

    fn around(&self) -> Around<'_> {
        Around {
            lane: self.lane,
            session: self.session,
            direction: self.place.direction,
            spare: None,
            field: None,
            path: self.place.path,
        }
    }
}
