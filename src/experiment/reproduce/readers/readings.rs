//! Which reading gives the sparsities that the text has of Fig. 4, 5 and 8?

use super::super::Target;
use super::super::measure::{ACCURACY, SPARSITY, sparsity_at};
use super::super::seen::{Seen, Tried};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Column, Exhibit, Reported, Table};
use crate::experiment::reported::statements;
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::paper::Hyperparameters;
use crate::paper::reading::{
    DecayStep, EpochOrigin, GradientOf, MaskedGradient, MomentumOnPrune, Reading, RewindCopy, RewindUpdate, Threshold,
};
use crate::train::EpochRecord;

pub(in super::super) static TARGET: Target = Target {
    name: "readings",
    title: "Which reading gives which figure",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// Decides one point, or several, otherwise.
type Choice = fn(&mut Reading);

/// One point at a time, and those together of which the text leaves several open at once.
const READINGS: [(&str, Choice); 14] = [
    ("default", |_| {}),
    ("epochs from 1", |r| r.epoch_origin = EpochOrigin::One),
    ("gradients zero", |r| r.masked_gradient = MaskedGradient::Zero),
    ("gradients excluded", |r| r.masked_gradient = MaskedGradient::Excluded),
    ("W_k* an alias", |r| r.rewind_copy = RewindCopy::Alias),
    ("W_k* an alias, gradients zero", |r| {
        r.rewind_copy = RewindCopy::Alias;
        r.masked_gradient = MaskedGradient::Zero;
    }),
    ("W_k* after pruning", |r| r.rewind_update = RewindUpdate::AfterPruning),
    ("t = k", |r| r.decay_step = DecayStep::Epoch),
    ("t = iteration", |r| r.decay_step = DecayStep::Iteration),
    ("t = iteration, gradients zero", |r| {
        r.decay_step = DecayStep::Iteration;
        r.masked_gradient = MaskedGradient::Zero;
    }),
    ("threshold on all weights", |r| r.threshold = Threshold::All),
    ("momentum kept", |r| r.momentum_on_prune = MomentumOnPrune::Keep),
    ("momentum of the selected zero", |r| r.momentum_on_prune = MomentumOnPrune::ZeroSelected),
    ("decay within g", |r| r.gradient = GradientOf::LossAndDecay),
];

/// A number of the text: the figure, the setting as the text has it, and that setting.
struct Clue {
    figure: &'static str,
    setting: &'static str,
    change: fn(&mut Hyperparameters),
}

/// Every sparsity that the text has of its figures.
const CLUES: [Clue; 8] = [
    Clue { figure: "Figure 4", setting: "alpha 0.55", change: |hyper| (hyper.alpha_0, hyper.alpha_end) = (0.55, 0.55) },
    Clue { figure: "Figure 5", setting: "lambda 0.1", change: |hyper| hyper.lambda = 0.1 },
    Clue { figure: "Figure 5", setting: "lambda 0.5", change: |hyper| hyper.lambda = 0.5 },
    Clue { figure: "Figure 5", setting: "lambda 0.9", change: |hyper| hyper.lambda = 0.9 },
    Clue { figure: "Figure 5", setting: "lambda 1", change: |hyper| hyper.lambda = 1.0 },
    Clue { figure: "Figure 8", setting: "eps 1e-3", change: |hyper| hyper.eps = 1e-3 },
    Clue { figure: "Figure 8", setting: "eps 1e-4", change: |hyper| hyper.eps = 1e-4 },
    Clue { figure: "Figure 8", setting: "eps 1e-5", change: |hyper| hyper.eps = 1e-5 },
];

/// Of the clue whose accuracy is shown too.
const MOST_ACCURATE: &str = "lambda 0.9";

fn name(reading: &str, clue: &Clue) -> String {
    format!("{reading}, {}", clue.setting)
}

fn study(scale: &Scale) -> Result<Study> {
    let mut study = Study::of(scale, NETWORK)?;
    for clue in &CLUES {
        for (reading, read) in READINGS {
            study = study.with(name(reading, clue), Method::Gdstar, |config| {
                (clue.change)(&mut config.hyper);
                read(&mut config.reading);
            });
        }
    }
    Ok(study.departing("The text's numbers are of MobileNetV2 (Fig. 4) and ResNet18 (Fig. 5, 8)."))
}

/// What the text says of a clue: at the end, or after an epoch.
fn said(clue: &Clue) -> impl Iterator<Item = (Option<usize>, Reported)> + use<'_> {
    let said = statements(clue.figure).filter(|said| said.setting == clue.setting && said.quantity == "sparsity");
    said.map(|said| (said.epoch, Reported { value: said.value, place: format!("{}, {}", said.of, said.place) }))
}

fn sparsity(run: &[EpochRecord], epoch: Option<usize>) -> Option<f64> {
    match epoch {
        Some(epoch) => sparsity_at(run, epoch),
        None => (SPARSITY.of)(run),
    }
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question =
        "Under which reading of the open points do the sparsities come out that the text has of its figures?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![2, 5, 8, 9];
    for network in seen.networks() {
        let table = table(&seen, network);
        exhibit.notes.extend(nearest(&seen, network));
        exhibit.tables.push(table);
    }
    Ok(exhibit)
}

/// A row a reading, a column a number of the text.
fn table(seen: &Seen, network: &str) -> Table {
    let mut columns = Vec::new();
    for clue in &CLUES {
        for (epoch, _) in said(clue) {
            let when = epoch.map_or(String::new(), |epoch| format!(", epoch {epoch}"));
            columns.push(SPARSITY.column_named(&format!("{}: {}{when}", clue.figure, clue.setting)));
        }
    }
    columns.push(Column::new("furthest from the paper").in_unit("points", 2));
    columns.push(ACCURACY.column_named(&format!("accuracy, {MOST_ACCURATE}")));
    let mut table = Table::new(format!("readings-{network}"), format!("Sparsity by reading, {network}"), columns);
    for (reading, _) in READINGS {
        let mut cells = Vec::new();
        for clue in &CLUES {
            let tried = seen.find(network, &name(reading, clue));
            for (epoch, paper) in said(clue) {
                let samples = tried.map_or(Vec::new(), |tried| tried.samples(|run| sparsity(run, epoch)));
                cells.push(Cell::measured(samples, Some(paper)));
            }
        }
        cells.push(furthest(seen, network, reading).map_or(Cell::Empty, Cell::Number));
        let accuracy = |tried: &Tried| Cell::measured(tried.samples(ACCURACY.of), None);
        cells.push(seen.find(network, &format!("{reading}, {MOST_ACCURATE}")).map_or(Cell::Empty, accuracy));
        table.push(reading, cells);
    }
    table
}

/// By how much the mean of the worst number is off, of a reading all of whose runs there are.
fn furthest(seen: &Seen, network: &str, reading: &str) -> Option<f64> {
    let mut most: f64 = 0.0;
    for clue in &CLUES {
        let tried = seen.find(network, &name(reading, clue))?;
        for (epoch, paper) in said(clue) {
            most = most.max((tried.mean(|run| sparsity(run, epoch))? - paper.value).abs());
        }
    }
    Some(most)
}

/// What fits best.
fn nearest(seen: &Seen, network: &str) -> Option<String> {
    let of = |(reading, _): &(&'static str, _)| Some((*reading, furthest(seen, network, reading)?));
    let all: Vec<(&str, f64)> = READINGS.iter().filter_map(of).collect();
    let (reading, off) = all.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let verdict =
        if *off < 1.0 { "all numbers are within one point" } else { "no reading has all numbers within one point" };
    Some(format!(
        "{network}, of {} readings that were run: {verdict}; the nearest is `{reading}`, at most {off:.2} off.",
        all.len()
    ))
}
