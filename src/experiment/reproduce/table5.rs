//! Table 5: the lottery ticket.

use super::Target;
use super::measure::{ACCURACY, MINUTES, Measure, SPARSITY};
use super::seen::{Seen, spread};
use super::study::Study;
use crate::error::Result;
use crate::experiment::exhibit::{Cell, Chart, Exhibit, Reported, Sample, Series, Table};
use crate::experiment::lottery::{LevelRecord, Lottery};
use crate::experiment::preset::Preset;
use crate::experiment::reported::TABLE5;
use crate::experiment::{Finished, Job, Scale};
use crate::method::{Method, Options, Value, lth};

pub(super) static TARGET: Target = Target {
    name: "table5",
    title: "GDSTAR and the lottery ticket",
    source: "Table 5",
    jobs: |scale| {
        let study = study(scale)?;
        let mut jobs = study.jobs();
        jobs.extend(
            study.networks.iter().flat_map(|network| scale.seeds().map(move |seed| lottery(scale, network, seed))),
        );
        Ok(jobs)
    },
    exhibit,
};

const NETWORKS: [&str; 3] = ["lenet300", "resnet20", "vgg16"];

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, &NETWORKS)?.with("gdstar", Method::Gdstar, |_| {});
    let length = match scale.epochs {
        None if scale.data.is_none() && scale.subset.is_none() => {
            "over the length that Frankle et al. give (24,000 steps of 60 for LeNet300, 63,000 of 128 for the others), with \
             which the rewind iterations of A.8 agree"
        }
        None => {
            "over the epochs that the length of Frankle et al. (24,000 steps of 60 for LeNet300, 63,000 of 128 for the others) \
             has on all of the paper's data"
        }
        Some(_) => {
            "over the epochs asked for, not the length that Frankle et al. give (24,000 steps of 60 for LeNet300, 63,000 of 128 \
             for the others), and rewound to the same share of it as the iterations of A.8 are of theirs"
        }
    };
    Ok(study
        .departing(format!(
            "A level of the lottery is trained by section 4's optimizer {length}; their own optimizers (Adam; warm-up and two \
             drops) are not taken."
        ))
        .departing("A level prunes a fifth of what lives, until the sparsity of the table."))
}

/// A lottery of the paper's: levels of 0.8 down to its sparsity, steps in all, and samples a step.
struct Recipe {
    levels: usize,
    steps: usize,
    batch: usize,
    rewind_step: usize,
}

/// By the sparsity of Table 5, and the iteration of A.8; another network as ResNet20.
fn recipe(network: &str) -> Recipe {
    match network {
        "lenet300" => Recipe { levels: 15, steps: 24_000, batch: 60, rewind_step: 1_000 },
        "vgg16" => Recipe { levels: 19, steps: 63_000, batch: 128, rewind_step: 10_000 },
        _ => Recipe { levels: 8, steps: 63_000, batch: 128, rewind_step: 1_000 },
    }
}

fn lottery(scale: &Scale, network: &Preset, seed: u64) -> Job {
    let Recipe { levels, steps, batch, rewind_step } = recipe(network.model);
    let mut run = scale.config(network, Method::Dense, seed);
    run.optimizer.batch_size = batch;
    // Of 60,000 or 50,000 images.
    let images = if network.model == "lenet300" { 60_000_usize } else { 50_000 };
    run.hyper.epochs = scale.epochs.unwrap_or_else(|| steps.div_ceil(images.div_ceil(batch)));
    let mut options = Options::of(&lth::ENTRY);
    // In a run of another length the same share of it.
    let share = || Value::Name(format!("{}%", 100.0 * rewind_step as f64 / steps as f64));
    let rewind = scale.epochs.map_or(Value::Count(rewind_step), |_| share());
    options.set("rewind_step", rewind);
    Job::lottery(Lottery { levels, options, run })
}

/// A finished lottery.
struct Ticket {
    seed: u64,
    hash: String,
    levels: Vec<LevelRecord>,
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let study = study(scale)?;
    let seen = study.read(finished)?;
    let question = "How near does one training under GDSTAR come to a ticket that takes a training a level?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    let columns = vec![
        SPARSITY.column_named("LTH, sparsity"),
        ACCURACY.column_named("LTH"),
        SPARSITY.column_named("GDSTAR, sparsity"),
        ACCURACY.column_named("GDSTAR"),
        MINUTES.column_named("LTH, training"),
        MINUTES.column_named("GDSTAR, training"),
    ];
    let mut table = Table::new("table5", TABLE5.title, columns);
    for network in &study.networks {
        let mut tickets = Vec::new();
        for seed in scale.seeds() {
            let job = lottery(scale, network, seed);
            if let Some(levels) = finished.levels(&job)? {
                tickets.push(Ticket { seed, hash: job.hash()?, levels });
            }
        }
        table.push(network.model, row(network.model, &tickets, &seen));
        exhibit.charts.extend(chart(network.model, &tickets));
    }
    exhibit.tables.push(table);
    Ok(exhibit)
}

fn row(network: &str, tickets: &[Ticket], seen: &Seen) -> Vec<Cell> {
    let paper = |column| TABLE5.value(network, column).map(|value| Reported { value, place: TABLE5.place() });
    let of_lottery = |value: fn(&[LevelRecord]) -> Option<f64>| {
        let sample = |ticket: &Ticket| {
            Some(Sample { seed: ticket.seed, value: value(&ticket.levels)?, hash: ticket.hash.clone() })
        };
        tickets.iter().filter_map(sample).collect::<Vec<_>>()
    };
    let of_gdstar =
        |measure: &Measure| seen.find(network, "gdstar").map_or(Vec::new(), |tried| tried.samples(measure.of));
    vec![
        Cell::measured(of_lottery(|levels| Some(100.0 * levels.last()?.sparsity)), paper("lth sparsity")),
        Cell::measured(of_lottery(|levels| Some(100.0 * levels.last()?.test_accuracy)), paper("lth")),
        Cell::measured(of_gdstar(&SPARSITY), paper("gdstar sparsity")),
        Cell::measured(of_gdstar(&ACCURACY), paper("gdstar")),
        Cell::measured(of_lottery(|levels| Some(levels.iter().map(|level| level.seconds).sum::<f64>() / 60.0)), None),
        Cell::measured(of_gdstar(&MINUTES), None),
    ]
}

/// Accuracy over the sparsity of the levels.
fn chart(network: &str, tickets: &[Ticket]) -> Option<Chart> {
    let levels = tickets.iter().map(|ticket| ticket.levels.len()).min()?;
    let point = |level: usize| {
        let values: Vec<f64> = tickets.iter().map(|ticket| 100.0 * ticket.levels[level].test_accuracy).collect();
        spread(100.0 * tickets[0].levels[level].sparsity, &values)
    };
    Some(Chart {
        name: format!("levels-{network}"),
        title: format!("The lottery of {network}, level by level"),
        x: SPARSITY.axis(),
        y: ACCURACY.axis(),
        series: vec![Series {
            name: "LTH".to_string(),
            points: (0..levels).map(point).collect(),
            runs: tickets.iter().map(|ticket| ticket.hash.clone()).collect(),
            ..Series::default()
        }],
        alt: "Accuracy of each level over its sparsity.".to_string(),
    })
}
