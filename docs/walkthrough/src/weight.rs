//! One weight: in an epoch, and through all of them.

use crate::epoch::{Epoch, Fate};
use crate::facts::Facts;
use crate::run::Live;
use gdstar::Result;
use gdstar::explain::{self, Followed, Moment, Watched, number};
use gdstar::paper::decay::decayed_weight;
use gdstar::scalar::Dtype;

/// What epoch `k` did with weight `j`.
///
/// # Errors
/// If there is no such epoch or weight.
pub fn facts(live: &Live, k: usize, j: usize) -> Result<Facts> {
    let (epoch, hyper, place) = (live.epoch(k)?, &live.config().hyper, live.place(j)?);
    let moment = &epoch.moment;
    let mut facts = Facts::default();
    facts.words("name", &place.to_string());
    facts.real("g", epoch.g[j].into());
    facts.real("before", epoch.before[j].into());
    facts.real("after", epoch.after[j].into());
    facts.real("w_star", epoch.w_star[j].into());
    // What Eq. 9 makes of it, were there no eps.
    facts.real("decayed", decayed_weight(epoch.w_star[j], hyper.lambda, moment.t, 0.0)?.into());
    // And had k* moved an epoch later.
    let sooner = decayed_weight(epoch.w_star[j], hyper.lambda, moment.t.saturating_sub(1), 0.0)?;
    facts.real("sooner", sooner.into());
    let fate = epoch.fate(j);
    let spared = fate == Fate::Eliminated && epoch.selected[j] && f64::from(sooner.abs()) >= hyper.eps;
    facts.flag("spared_by_one", spared && moment.t > 0);
    facts.flag("was_alive", epoch.was_alive[j]);
    facts.flag("selected", epoch.selected[j]);
    facts.flag("is_alive", epoch.is_alive[j]);
    let fate = match fate {
        Fate::Spared => "left alone",
        Fate::Rewound => "selected and rewound; it lives",
        Fate::Eliminated => "eliminated",
        Fate::Gone => "eliminated in an earlier epoch",
    };
    facts.words("fate", fate);
    if let Some(followed) = moment.followed.as_ref().filter(|followed| followed.g == f64::from(epoch.g[j])) {
        let terms: Vec<String> = followed.gradients.iter().map(|&g| number(g)).collect();
        facts.words("gradients", &terms.join(" "));
    }
    Ok(facts)
}

/// The weight's life, as `gdstar explain --weight` tells it.
///
/// # Errors
/// If there is no such weight, or no epoch yet.
pub fn life(live: &Live, j: usize) -> Result<String> {
    let mut seen = Watched::default();
    seen.hyper = live.config().hyper;
    seen.reading = live.config().reading;
    seen.precision = Dtype::F32;
    seen.place = Some(live.place(j)?);
    seen.moments = live.epochs().iter().map(|epoch| moment(epoch, j)).collect();
    explain::life(&seen)
}

/// An epoch's numbers, with weight `j` followed.
fn moment(epoch: &Epoch, j: usize) -> Moment {
    let followed = Followed {
        gradients: Vec::new(),
        g: epoch.g[j].into(),
        before: epoch.before[j].into(),
        after: epoch.after[j].into(),
        w_star: epoch.w_star[j].into(),
        was_alive: epoch.was_alive[j],
        selected: epoch.selected[j],
        is_alive: epoch.is_alive[j],
    };
    Moment { followed: Some(followed), ..epoch.moment.clone() }
}
