//! Figure 4: schedules of the prune rate alpha.

use super::Target;
use super::measure::{ACCURACY, ACCURACY_COURSE, SPARSITY, SPARSITY_COURSE};
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::Exhibit;
use crate::experiment::{Finished, Scale};
use crate::method::Method;

pub(super) static TARGET: Target = Target {
    name: "fig4",
    title: "Impact of the prune rate alpha",
    source: "Figure 4",
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// alpha_0 and alpha_K of each; the first is section 4's.
const SCHEDULES: [(&str, f64, f64); 4] = [
    ("alpha 0.95 to 0.25", 0.95, 0.25),
    ("alpha 0.25 to 0.95", 0.25, 0.95),
    ("alpha 0.95", 0.95, 0.95),
    ("alpha 0.55", 0.55, 0.55),
];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &["mobilenetv2"])?;
    Ok(SCHEDULES.iter().fold(study, |study, &(setting, alpha_0, alpha_end)| {
        study.with(setting, Method::Gdstar, |config| {
            config.hyper.alpha_0 = alpha_0;
            config.hyper.alpha_end = alpha_end;
        })
    }))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let mut exhibit =
        seen.exhibit(TARGET.source, "What does the schedule of the prune rate do to sparsity and accuracy?");
    exhibit.equations = vec![8];
    let mut table = seen.table(("schedules", "At the end of training"), &[&ACCURACY, &SPARSITY], TARGET.source);
    seen.compare(&mut table, &ACCURACY, SCHEDULES[0].0);
    exhibit.tables.push(table);
    exhibit.charts.push(seen.chart(&SPARSITY_COURSE, "Sparsity"));
    exhibit.charts.push(seen.chart(&ACCURACY_COURSE, "Accuracy"));
    Ok(exhibit)
}
