//! The gradients that a linear layer forms from what its output hands back, pruned or not (McDanel et al. 2022).

use crate::error::Result;
use crate::oracle::steps::desk::Desk;
use crate::oracle::steps::near::{Known, Near, Reals};
use crate::oracle::steps::slips::Slip;

/// Labels `weight_gradient`, from x, and `data_gradient`, from y: of linear layers.
pub(super) fn products(desk: &mut Desk, layer: &str, shape: &[usize], x: &Reals, y: Known<Reals>) -> Result<()> {
    let (b, o) = (shape[0], shape[1]);
    let of = format!("/{layer}");
    for (operand, result, label) in
        [("input", "grad_weight", "weight_gradient"), ("weight", "grad_input", "data_gradient")]
    {
        let name = desk.name(&format!("{operand}{of}"));
        let Some(found) = desk.trace.shape(&name).map(<[usize]>::to_vec) else {
            if desk.trace.has(&desk.name(&format!("{result}{of}"))) {
                desk.leave_out(label, format!("`{result}` needs `{name}`"));
            }
            continue;
        };
        let is_weight_gradient = operand == "input";
        let rows = if is_weight_gradient { b } else { o };
        if found.len() != 2 || found[0] != rows {
            return Err(desk.trace.bad(&name, format!("shape [{rows}, in]"), format!("{found:?}")));
        }
        let i = found[1];
        let other = desk.list(&format!("{operand}{of}"))?;
        let (gradient, factor) = formed_from(desk, is_weight_gradient, x, &y, b);
        let expected = || -> Known<Reals> {
            let (gradient, other) = (gradient?, other?);
            let samples = if desk.rules.has(Slip::FirstOfBatch) { b.min(1) } else { b };
            let (outer, terms) = if is_weight_gradient { (o, samples) } else { (b, o) };
            let mut results = Vec::with_capacity(outer * i);
            for row in 0..outer {
                for column in 0..i {
                    let term = |n: usize| match is_weight_gradient {
                        true => (gradient.at(n * o + row), other.at(n * i + column)),
                        false => (gradient.at(row * o + n), other.at(n * i + column)),
                    };
                    results.push(product(desk, (0..terms).map(term)).scaled(factor));
                }
            }
            Ok(Reals::from_iter(results))
        };
        let expected = expected();
        let shape = if is_weight_gradient { [o, i] } else { [b, i] };
        let stored = desk.name(&format!("{result}{of}"));
        if let Some(found) = desk.trace.shape(&stored).filter(|found| **found != shape) {
            return Err(desk.trace.bad(&stored, format!("shape {shape:?}"), format!("{found:?}")));
        }
        desk.real_named(label, (result, &of), &shape, None, expected)?.ok();
    }
    Ok(())
}

/// What a product is formed from, x for the weights and y for the data, and what it is multiplied by.
fn formed_from(desk: &Desk, is_of_weights: bool, x: &Reals, y: &Known<Reals>, b: usize) -> (Known<Reals>, f64) {
    let among = [Slip::PrunedForWeights, Slip::DenseForData, Slip::UnscaledForData, Slip::OfDropped, Slip::MeanOfBatch];
    let slip = desk.rules.slip(&among);
    let stays = |of: &dyn Fn(Near, Near) -> Near| -> Known<Reals> {
        Ok(x.iter().zip(y.clone()?.iter()).map(|(x, y)| of(x, y)).collect())
    };
    let u = desk.rules.arithmetic.u();
    let gradient = match (is_of_weights, slip) {
        (_, Some(Slip::OfDropped)) => stays(&|x, y| x.minus(y).give(u * (x.size() + y.size()))),
        (true, Some(Slip::PrunedForWeights)) => y.clone(),
        (false, Some(Slip::UnscaledForData)) => stays(&|x, y| if y.size() > 0.0 { x } else { Near::ZERO }),
        (true, _) | (false, Some(Slip::DenseForData)) => Ok(x.clone()),
        (false, _) => y.clone(),
    };
    (gradient, if slip == Some(Slip::MeanOfBatch) { 1.0 / b.max(1) as f64 } else { 1.0 })
}

/// A sum of n products: (n + 3) u of their sizes.
fn product(desk: &Desk, terms: impl Iterator<Item = (Near, Near)>) -> Near {
    let (mut sum, mut size, mut n) = (Near::ZERO, 0.0, 0.0);
    for (a, b) in terms {
        let term = a.times(b);
        sum = sum.plus(term);
        size += term.size();
        n += 1.0;
    }
    let (u, underflow) =
        (desk.rules.arithmetic.u().max(desk.rules.arithmetic.u_acc), desk.rules.arithmetic.underflow());
    sum.give((n + 3.0) * u * size + (2.0 * n + 1.0) * underflow)
}
