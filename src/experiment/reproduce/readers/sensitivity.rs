//! How much hangs on alpha_0, lambda and eps?

use super::super::Target;
use super::super::measure::{ACCURACY, SPARSITY};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::{Axis, Exhibit};
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::paper::Hyperparameters;
use crate::train::Config;

pub(in super::super) static TARGET: Target = Target {
    name: "sensitivity",
    title: "Sensitivity to alpha_0, lambda and eps",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

/// A symbol, where it is, and its values; of each section 4's is among them.
struct Symbol {
    name: &'static str,
    of: fn(&mut Hyperparameters) -> &mut f64,
    values: &'static [f64],
}

const SYMBOLS: [Symbol; 3] = [
    Symbol { name: "alpha_0", of: |hyper| &mut hyper.alpha_0, values: &[0.5, 0.7, 0.8, 0.9, 0.95, 0.99] },
    Symbol { name: "lambda", of: |hyper| &mut hyper.lambda, values: &[0.1, 0.25, 0.5, 0.75, 0.9, 1.0] },
    Symbol { name: "eps", of: |hyper| &mut hyper.eps, values: &[1e-7, 1e-6, 1e-5, 5.5e-5, 1e-4, 1e-3] },
];

fn study(scale: &Scale) -> Result<Study> {
    let mut study = Study::of(scale, NETWORK)?;
    for symbol in &SYMBOLS {
        for &value in symbol.values {
            study = study.with(format!("{} {value:?}", symbol.name), Method::Gdstar, |config| {
                *(symbol.of)(&mut config.hyper) = value;
            });
        }
    }
    Ok(study)
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let mut exhibit =
        seen.exhibit(TARGET.source, "How do accuracy and sparsity move when one symbol of section 4 does?");
    exhibit.equations = vec![8, 9];
    let mut table = seen.table(("symbols", "At the end of training"), &[&ACCURACY, &SPARSITY], TARGET.source);
    seen.compare(&mut table, &ACCURACY, "alpha_0 0.95");
    exhibit.tables.push(table);
    for symbol in &SYMBOLS {
        let x = |config: &Config| alone(config, symbol);
        let axis = || if symbol.name == "eps" { Axis::logarithmic(symbol.name) } else { Axis::linear(symbol.name) };
        exhibit.charts.push(seen.over(&ACCURACY, axis(), x));
        exhibit.charts.push(seen.over(&SPARSITY, axis(), x));
    }
    Ok(exhibit)
}

/// The symbol's value where all others are section 4's.
fn alone(config: &Config, symbol: &Symbol) -> Option<f64> {
    let mut hyper = config.hyper;
    let value = *(symbol.of)(&mut hyper);
    let mut papers = Hyperparameters { epochs: hyper.epochs, chunks: hyper.chunks, ..Hyperparameters::default() };
    *(symbol.of)(&mut papers) = value;
    (hyper == papers).then_some(value)
}
