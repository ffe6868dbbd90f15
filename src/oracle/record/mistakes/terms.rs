//! One term of a sum left out, counted twice, or with its sign turned.

mod convolution;
mod sums;

use super::Found;
use super::pattern::index;
use crate::oracle::record::judge::Place;
use crate::oracle::record::{AtenCall, Carried, Value};
use convolution::Taps;
use ndarray::{ArrayD, Axis};

/// The most elements off that are taken for single terms, and how many of them are looked into.
const MOST: usize = 64;
const LOOKED_INTO: usize = 4;

/// What would be off by each term.
const WAYS: &[(f64, &str)] = &[(-1.0, "is left out"), (1.0, "is counted twice"), (-2.0, "has the wrong sign")];

pub(super) fn explain(found: &Found) -> Option<String> {
    let Carried::Aten(call) = &found.call.carried else { return None };
    let off = found.elements();
    if off.is_empty() || off.len() > MOST {
        return None;
    }
    let flat = |x: &ArrayD<f64>| x.iter().copied().collect::<Vec<f64>>();
    let [got, truth, likely] = [found.got, &found.expected.truth, &found.expected.likely].map(flat);
    let mut said = None;
    for &at in off.iter().take(LOOKED_INTO) {
        let place = index(found.expected.shape(), at);
        let terms = terms(&found.call.op, call, found.place, &place)?;
        let (error, radius) = (got[at] - truth[at], likely[at]);
        let fits = |way: f64| {
            let is_it = |term: &f64| (error - way * term).abs() <= radius && term.abs() > 2.0 * radius;
            let first = terms.iter().position(is_it)?;
            Some((first, terms.iter().filter(|term| is_it(term)).count()))
        };
        let (way, (term, count)) = WAYS.iter().find_map(|(way, said)| Some((said, fits(*way)?)))?;
        // Of terms that are as large as each other within the rounding nobody can say which it is.
        let or_another = if count > 1 { format!(", or another of {count} of its size") } else { String::new() };
        said.get_or_insert_with(|| {
            let kind = if sums::is_of_products(&found.call.op) { "product" } else { "term" };
            format!("one {kind} of {} {way}, number {term} of the sum at {place:?}{or_another}", terms.len())
        });
    }
    said
}

fn array(call: &AtenCall<Value>, position: usize) -> Option<&ArrayD<f64>> {
    call.args.get(position)?.tensor().map(|value| &value.array)
}

/// The terms of the sum at an index of a result.
fn terms(op: &str, call: &AtenCall<Value>, place: &Place, at: &[usize]) -> Option<Vec<f64>> {
    match (op, place) {
        ("aten.mm.default", _) => row_by_column(array(call, 0)?, array(call, 1)?, at),
        ("aten.addmm.default", _) => row_by_column(array(call, 1)?, array(call, 2)?, at),
        ("aten.convolution.default", _) => Taps::of(call, 3)?.output(array(call, 0)?, array(call, 1)?, at),
        ("aten.convolution_backward.default", Place::Result(0)) => {
            Taps::of(call, 4)?.input(array(call, 0)?, array(call, 2)?, at)
        }
        ("aten.convolution_backward.default", Place::Result(1)) => {
            Taps::of(call, 4)?.weight(array(call, 0)?, array(call, 1)?, at)
        }
        ("aten.convolution_backward.default", Place::Result(2)) => {
            let dy = array(call, 0)?;
            Some(dy.index_axis(Axis(1), *at.first()?).iter().copied().collect())
        }
        ("aten.bmm.default", _) => {
            let &[batch, ref at @ ..] = at else { return None };
            let [a, b] = [array(call, 0)?, array(call, 1)?].map(|x| x.index_axis(Axis(0), batch).to_owned());
            row_by_column(&a, &b, at)
        }
        _ => sums::terms(op, call, place, at),
    }
}

fn row_by_column(a: &ArrayD<f64>, b: &ArrayD<f64>, at: &[usize]) -> Option<Vec<f64>> {
    let &[row, column] = at else { return None };
    let (a, b) = (a.index_axis(Axis(0), row), b.index_axis(Axis(1), column));
    Some(a.iter().zip(b).map(|(a, b)| a * b).collect())
}
