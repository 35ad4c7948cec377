//! What a text says under its encodings, looked at as the text itself is.

use enforcer_decode::View;
use enforcer_recognize::Confidence;
use zeroize::Zeroizing;

use super::Around;
use super::flow::LATE;
use super::looker::Looker;
use super::merge::Hit;
use crate::custom::Part;
use crate::scan::{self, BRIEF, Sift, Span};

/// Looks at what is new in `view` of a text whose byte `base` is the first that is kept, and of which what stands before
/// `sent` is gone.
pub(super) fn look(
    around: Around<'_>,
    view: &mut View<'_>,
    (base, sent): (u64, usize),
    hits: &mut Vec<Hit>,
) {
    let (text, from, last) = (view.text(), view.fresh(), view.last());
    let (mut open, mut found, mut behind) = (Vec::new(), Vec::new(), 0);
    let mut looker = Looker {
        around,
        text,
        last,
        sent: 0,
        open: &mut open,
        hits: &mut found,
        behind: &mut behind,
    };
    let plan = &around.lane.plan;
    let mut see = |woken| looker.ask(woken);
    let mut free = if last && from == 0 && text.len() <= BRIEF {
        // Most of what runs of digits say is as short.
        plan.wakes_in(text, Sift::of(text), &mut see);
        text.len()
    } else {
        plan.wakes(Span { text, from, last }, from, &mut see)
    };
    for (custom, kind) in &around.lane.customs {
        let settled = custom.scan(Part { text, from, last }, &mut |span| {
            let (span, kind) = ((span.start, span.end), (*kind, Confidence::High));
            found.extend(Hit::judge(around, text, span, kind));
        });
        free = free.min(settled);
    }
    for hit in found {
        let value = text.get(hit.start..hit.end).unwrap_or_default();
        let Some(source) = view.source(hit.start..hit.end) else {
            continue;
        };
        let place =
            |offset: u64| usize::try_from(offset.saturating_sub(base)).unwrap_or(usize::MAX);
        hits.push(Hit {
            start: place(source.start).max(sent),
            end: place(source.end),
            what: hit.what,
            value: Some(Zeroizing::new(value.to_vec())),
        });
    }
    if !last {
        let waiting = open.iter().map(|open| open.woken.at.min(open.start)).min();
        if !plan.is_empty() {
            free = free.min(scan::local(text, LATE));
        }
        view.hold(waiting.unwrap_or(free).min(free));
    }
}
