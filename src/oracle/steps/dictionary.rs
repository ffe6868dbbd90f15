//! [`known_mistakes`]: what the oracle knows to go wrong in a method.

use super::check::{Opener, outcomes};
use super::page::Page;
use super::pages::page;
use super::rules::Rules;
use super::slips::Slip;
use super::state::{Left, Whole};
use crate::error::{Error, Result};
use crate::trace::{self, Opened, StepTrace};
use std::collections::BTreeSet;
use std::path::Path;

/// A mistake that ports of a method are known to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownMistake {
    /// Where a check may find it, `rigl.grow`, in the order of the method's labels.
    pub labels: Vec<&'static str>,
    /// As a check names it.
    pub told: &'static str,
}

/// The mistakes that would not pass unseen in a port which recorded what this trace records: those under whose rules the trace
/// is another's. That a value may be as another reading has it is found too, and is not listed: no such port is wrong.
///
/// # Errors
/// [`Error::File`] of a trace that is not one by steps; as [`crate::oracle::check`].
pub fn known_mistakes(path: &Path) -> Result<Vec<KnownMistake>> {
    let Opened::Steps(trace) = trace::open(path)? else {
        return Err(Error::file(path, "metadata `gdstar`: method", "a method that acts on steps", "one by epochs"));
    };
    let page = page(trace.header.method);
    let (rules, _) = Rules::read(&trace, &page.facts, false)?;
    diverging(&trace, page, &rules)?;
    let mut known = Vec::new();
    for &slip in Slip::ALL.iter().filter(|slip| !slip.is_last_resort() && rules.asked.has(**slip)) {
        // Under some mistakes an operand is no possible one.
        let Ok(diverging) = diverging(&trace, page, &rules.clone().with(slip)) else { continue };
        let labels: Vec<_> = page.facts.labels.iter().copied().filter(|label| diverging.contains(label)).collect();
        if !labels.is_empty() {
            known.push(KnownMistake { labels, told: slip.told() });
        }
    }
    Ok(known)
}

/// The labels under which a trace is not what it is under these rules.
fn diverging(trace: &StepTrace, page: &Page, rules: &Rules) -> Result<BTreeSet<&'static str>> {
    let (open, nothing, start) = (Opener { trace }, Whole::default(), Left::NOTHING);
    let mut all = Vec::new();
    let mut desk = open.desk(rules, &nothing, &start, None);
    let whole = (page.begin)(&mut desk)?;
    all.extend(outcomes(desk));
    let mut left = Left::at_start(&open.desk(rules, &whole, &start, None));
    for t in trace.steps() {
        let mut desk = open.desk(rules, &whole, &left, Some(t));
        let after = (page.step)(&mut desk)?;
        all.extend(outcomes(desk));
        left = after;
    }
    let mut desk = open.desk(rules, &whole, &left, None);
    (page.end)(&mut desk)?;
    all.extend(outcomes(desk));
    Ok(all.iter().filter(|outcome| outcome.total > 0).map(|outcome| outcome.label.equation).collect())
}
