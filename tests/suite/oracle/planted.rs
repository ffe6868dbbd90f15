//! Every planted fault, over seeds and dtypes: is it caught, at the right equation, by its name? The measured table is
//! published in `docs/oracle.md`, which this verifies.

use super::faults::{self, Case};
use super::port::{Config, Fault, Precision, Trace, first_divergence, run};
use super::variants::standard;

const SEEDS: [u64; 2] = [11, 12];

/// A fault in one run: the settings that the port claims, and what it did.
struct Planted {
    case: Case,
    declared: Config,
    faulty: Trace,
    correct: Trace,
}

fn plant(case: &Case, seed: u64, dtype: Precision) -> Planted {
    let mut declared = standard(seed, dtype);
    (case.settings)(&mut declared);
    let mut actual = declared.clone();
    (case.undeclared)(&mut actual);
    let correct = run(&declared, Fault::None);
    Planted { case: case.clone(), faulty: run(&actual, case.fault), correct, declared }
}

fn all() -> impl Iterator<Item = Planted> {
    faults::all().into_iter().flat_map(|case| {
        let dtypes = case.dtypes.to_vec();
        dtypes.into_iter().flat_map(move |dtype| {
            let case = case.clone();
            SEEDS.into_iter().map(move |seed| plant(&case, seed, dtype))
        })
    })
}

/// The generator's own proof: a fault changes the equation that it is listed under before any other, and by more than
/// the roundings of the longest sum (all of one sign: n u, and as much for the correct run) can. A fault that did not
/// could not be caught.
#[test]
fn faults_show_where_they_are_planted() {
    let mut wrong = Vec::new();
    for Planted { case, declared, faulty, correct } in all() {
        let flat = |values: &[Vec<f64>]| declared.flat(values);
        let n = (declared.weights() * declared.batches) as f64;
        let roundings = 2.0 * n * declared.arithmetic.dtype.unit_roundoff();
        let dtype = declared.arithmetic.dtype;
        match first_divergence(&flat, &correct, &faulty, roundings) {
            Some(first) if first.equation == case.equation => {}
            found => wrong.push(format!("{} ({:?}, {dtype:?}, {}): {found:?}", case.name, case.fault, case.equation)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
