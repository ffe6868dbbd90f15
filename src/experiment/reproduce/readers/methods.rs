//! What do other methods come to at the same sparsity, and what do they take?

use super::super::Target;
use super::super::measure::{ACCURACY, MEGABYTES, MINUTES, SPARSITY, TERAFLOP};
use super::super::seen::{Seen, Tried};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Axis, Cell, Chart, Column, Exhibit, Mark, Point, Series};
use crate::experiment::{Finished, Scale};
use crate::method::{METHODS, Method, Value};
use crate::train::Config;

pub(in super::super) static TARGET: Target = Target {
    name: "methods",
    title: "All methods at one sparsity",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// What GDSTAR comes to on LeNet300, nearly.
const SPARSITY_OF_ALL: f64 = 0.9;

fn study(scale: &Scale) -> Result<Study> {
    let study = Study::of(scale, NETWORK)?;
    let study = [Method::Dense, Method::Gdstar, Method::Reset]
        .into_iter()
        .fold(study, |study, method| study.with(method.entry().name, method, |_| {}));
    let told = METHODS.iter().filter(|method| is_told_a_sparsity(**method));
    Ok(told.fold(study, |study, &method| study.with(method.entry().name, method, |config| tell(config, method))))
}

/// The options that say how sparse a network becomes.
const SHARES: [&str; 3] = ["sparsity", "final_sparsity", "forward_sparsity"];

fn has(method: Method, key: &str) -> bool {
    method.entry().options.iter().any(|option| option.key == key)
}

fn is_told_a_sparsity(method: Method) -> bool {
    SHARES.iter().any(|key| has(method, key))
}

fn tell(config: &mut Config, method: Method) {
    for key in SHARES.iter().filter(|key| has(method, key)) {
        config.options.set(key, Value::Real(SPARSITY_OF_ALL));
    }
    let share = |percent: &str| Value::Name(percent.to_string());
    // Gradual pruning begins early, where its authors do not say when, and is over while a quarter of the run is left.
    if has(method, "final_sparsity") {
        config.options.set("update_end", share("75%"));
        if config.options.get("update_start").is_none() {
            config.options.set("update_start", share("10%"));
        }
    }
    // Top-KAST trains twice as many weights as it computes with.
    if has(method, "backward_sparsity") {
        config.options.set("backward_sparsity", Value::Real(SPARSITY_OF_ALL - 0.1));
    }
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question =
        "At one sparsity and one budget: which methods keep the most accuracy for the least time, memory and FLOPs?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    let measures = [&ACCURACY, &SPARSITY, &MINUTES, &TERAFLOP, &MEGABYTES];
    let mut table = seen.table(("methods", "At the end of training"), &measures, TARGET.source);
    seen.add(&mut table, Column::new("nothing is better in both"), |tried| match front(&seen, tried) {
        Some(true) => Cell::Text("yes".to_string()),
        Some(false) => Cell::Text("no".to_string()),
        None => Cell::Empty,
    });
    seen.compare(&mut table, &ACCURACY, "gdstar");
    exhibit.tables.push(table);
    exhibit.charts.push(chart(&seen));
    let others: Vec<&str> = METHODS
        .iter()
        .filter(|method| !is_told_a_sparsity(**method) && !method.entry().heeds.contains(&"alpha_0"))
        .map(|method| method.entry().name)
        .filter(|name| *name != "dense")
        .collect();
    exhibit.notes.push(format!("No sparsity of W can be asked of {}, which are left out.", others.join(", ")));
    exhibit.notes.push(
        "gdstar and reset end at the sparsity that section 4's settings lead to; `matched` has one for all."
            .to_string(),
    );
    exhibit
        .notes
        .push("The sparsity of dropback and procrustes is the share of weights that is not tracked.".to_string());
    Ok(exhibit)
}

/// Accuracy and FLOPs, means over the seeds.
fn place(tried: &Tried) -> Option<(f64, f64)> {
    Some((tried.mean(ACCURACY.of)?, tried.mean(TERAFLOP.of)?))
}

/// Whether no other setting of the network has both more accuracy and fewer FLOPs, or one of them at the same other.
fn front(seen: &Seen, tried: &Tried) -> Option<bool> {
    let (accuracy, flops) = place(tried)?;
    let others = seen.tried.iter().filter(|other| other.setting.network == tried.setting.network);
    let better = |(a, f): (f64, f64)| a >= accuracy && f <= flops && (a > accuracy || f < flops);
    Some(!others.filter_map(place).any(better))
}

fn chart(seen: &Seen) -> Chart {
    let point = |tried: &Tried| {
        let (accuracy, flops) = place(tried)?;
        Some(Series { name: tried.label.clone(), ..tried.series(Mark::Points, vec![Point::new(flops, accuracy)]) })
    };
    let series: Vec<Series> = seen.tried.iter().filter_map(point).collect();
    Chart {
        name: "accuracy-over-flops".to_string(),
        title: "Accuracy over the FLOPs of training, means over the seeds".to_string(),
        x: Axis::logarithmic("FLOPs of training").in_unit("TFLOP"),
        y: ACCURACY.axis(),
        alt: "A point a method; the table has the numbers.".to_string(),
        series,
    }
}
