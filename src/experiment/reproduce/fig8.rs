//! Figure 8: the prune threshold eps.

use super::Target;
use super::measure::{ACCURACY, ACCURACY_COURSE, SPARSITY, SPARSITY_COURSE, first_epoch_at};
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Axis, Cell, Column, Exhibit};
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::train::Config;

pub(super) static TARGET: Target = Target {
    name: "fig8",
    title: "Impact of the prune threshold eps",
    source: "Figure 8",
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// Section 4's, and the figure's.
pub(super) const THRESHOLDS: [f64; 6] = [5.5e-5, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &["resnet18"])?;
    Ok(THRESHOLDS
        .iter()
        .fold(study, |study, &eps| study.with(format!("eps {eps:e}"), Method::Gdstar, |config| config.hyper.eps = eps)))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let mut exhibit =
        seen.exhibit(TARGET.source, "How does the threshold trade sparsity for accuracy, and when does sparsity come?");
    exhibit.equations = vec![9];
    let mut table = seen.table(("thresholds", "At the end of training"), &[&ACCURACY, &SPARSITY], TARGET.source);
    seen.add(&mut table, Column::new("first epoch at 80 % sparsity"), |tried| {
        Cell::measured(tried.samples(|run| first_epoch_at(run, 80.0)), None)
    });
    exhibit.tables.push(table);
    let eps = |config: &Config| Some(config.hyper.eps);
    exhibit.charts.push(seen.over(&SPARSITY, Axis::logarithmic("eps"), eps));
    exhibit.charts.push(seen.over(&ACCURACY, Axis::logarithmic("eps"), eps));
    exhibit.charts.push(seen.chart(&SPARSITY_COURSE, "Sparsity"));
    exhibit.charts.push(seen.chart(&ACCURACY_COURSE, "Accuracy"));
    Ok(exhibit)
}
