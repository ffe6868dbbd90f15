//! Figure 5: the decay rate lambda, and the decay step t.

use super::Target;
use super::measure::{ACCURACY, ACCURACY_COURSE, SPARSITY, SPARSITY_COURSE, sparsity_at};
use super::seen::Seen;
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Exhibit, Reported, Table};
use crate::experiment::reported::{Statement, statements};
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::paper::reading::DecayStep;

pub(super) static TARGET: Target = Target {
    name: "fig5",
    title: "Impact of the decay rate lambda and of the decay step t",
    source: "Figure 5",
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// Section 4's, and the figure's.
pub(super) const LAMBDAS: [f64; 5] = [0.75, 0.1, 0.5, 0.9, 1.0];

/// What section 3.3 names for t besides k - k* (open point 10), at section 4's lambda.
const STEPS: [(&str, DecayStep); 4] = [
    ("t = 1", DecayStep::Constant),
    ("t = k", DecayStep::Epoch),
    ("t = iteration", DecayStep::Iteration),
    ("t = k*", DecayStep::RewindEpoch),
];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &["resnet18"])?;
    let study = LAMBDAS.iter().fold(study, |study, &lambda| {
        study.with(format!("lambda {lambda}"), Method::Gdstar, |config| config.hyper.lambda = lambda)
    });
    Ok(STEPS.iter().fold(study, |study, &(setting, step)| {
        study.with(setting, Method::Gdstar, |config| config.reading.decay_step = step)
    }))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let mut exhibit =
        seen.exhibit(TARGET.source, "How do the decay rate and the decay step trade sparsity for accuracy?");
    exhibit.equations = vec![9];
    let mut table = seen.table(("rates", "At the end of training"), &[&ACCURACY, &SPARSITY], TARGET.source);
    seen.compare(&mut table, &ACCURACY, "lambda 0.9");
    exhibit.tables.extend([table, within(&seen)]);
    exhibit.charts.push(seen.chart(&SPARSITY_COURSE, "Sparsity"));
    exhibit.charts.push(seen.chart(&ACCURACY_COURSE, "Accuracy"));
    Ok(exhibit)
}

/// Sparsity after the epochs for which the text has it.
fn within(seen: &Seen) -> Table {
    let said: Vec<_> = statements(TARGET.source).filter_map(|said| Some((said, said.epoch?))).collect();
    let columns =
        said.iter().map(|(_, epoch)| SPARSITY.column_named(&format!("sparsity after epoch {epoch}"))).collect();
    let mut table = Table::new("within", "Within training", columns);
    for tried in &seen.tried {
        let cell = |&(said, epoch): &(&Statement, usize)| {
            let is_its = (said.network, said.setting) == (tried.setting.network, &*tried.setting.name);
            let paper = is_its.then(|| Reported { value: said.value, place: format!("Figure 5, {}", said.place) });
            Cell::measured(tried.samples(|run| sparsity_at(run, epoch)), paper)
        };
        table.push(tried.label.clone(), said.iter().map(cell).collect());
    }
    table
}
