//! Figure 6: the Frobenius norm beside its square.

use super::Target;
use super::measure::{Course, S_F_COURSE, S_SQ_COURSE};
use super::seen::Seen;
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Column, Exhibit, Table};
use crate::experiment::{Finished, Scale};
use crate::method::{Method, Record};
use crate::train::EpochRecord;

pub(super) static TARGET: Target = Target {
    name: "fig6",
    title: "The Frobenius norm and its square",
    source: "Figure 6",
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// The figure does not name its network; that of Fig. 5, 7 and 8 is taken.
fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &["resnet18"])?;
    let study = study.with("dense", Method::Dense, |config| config.outputs.record = vec![Record::Frobenius]).with(
        "gdstar",
        Method::Gdstar,
        |_| {},
    );
    Ok(study
        .departing("The paper does not name the network of the figure; by default ResNet18, that of Fig. 5, 7 and 8."))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "Does S_F show the variations of late epochs more clearly than its square?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![3, 4];
    exhibit.tables.push(table(&seen));
    exhibit.charts.push(seen.chart(&S_F_COURSE, "S_F"));
    exhibit.charts.push(seen.chart(&S_SQ_COURSE, "S_sq, the square of S_F"));
    exhibit.notes.push(
        "The root is monotonous: the minima of S_F and of its square are at the same epochs, so no rewind point depends on the \
         choice; what differs is how much of an axis late variations take."
            .to_string(),
    );
    Ok(exhibit)
}

/// How much of the axis, from the least to the most of the run, the last third takes.
fn table(seen: &Seen) -> Table {
    let column =
        |of: &Course| Column::new(format!("range of the last third, {}", of.label)).in_unit("% of the run's", 2);
    let columns = vec![column(&S_F_COURSE), column(&S_SQ_COURSE), Column::new("epoch of the minimum")];
    let mut table = Table::new("ranges", "What late epochs take of the axis", columns);
    for tried in &seen.tried {
        let share = |course: &Course| Cell::measured(tried.samples(|run| late_share(run, course)), None);
        let minimum = tried.samples(|run| super::minima::minima(run).map(|minima| minima.last() as f64));
        table.push(tried.label.clone(), vec![share(&S_F_COURSE), share(&S_SQ_COURSE), Cell::measured(minimum, None)]);
    }
    table
}

fn late_share(run: &[EpochRecord], course: &Course) -> Option<f64> {
    let values = run.iter().map(course.of).collect::<Option<Vec<f64>>>()?;
    let range = |values: &[f64]| {
        let most = values.iter().copied().reduce(f64::max)?;
        Some(most - values.iter().copied().reduce(f64::min)?)
    };
    Some(100.0 * range(&values[values.len() * 2 / 3..])? / range(&values)?)
}
