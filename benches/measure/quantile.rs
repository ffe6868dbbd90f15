//! The exact quantile of as many values as the paper's ResNet18 has parameters by its own count.

use crate::case::Case;
use gdstar::paper::Hyperparameters;
use gdstar::paper::quantile::{quantile_selected, quantile_sorted};
use gdstar::paper::reading::QuantileRule;
use gdstar::random::{Purpose, stream, unit};

const VALUES: usize = 11_173_114;

/// Cubes of uniform numbers: like G, none negative, most of them small. The peer's are drawn alike.
fn values() -> Vec<f32> {
    let mut rng = stream(0, Purpose::Initialisation, 0);
    (0..VALUES).map(|_| unit(&mut rng)).map(|u| (u * u * u) as f32).collect()
}

/// `quantile/selection` and `quantile/sort`: the same bits in O(N) and by the definition.
pub fn cases() -> Vec<Case> {
    let alpha = Hyperparameters::default().alpha_0;
    let sort = Case::new("quantile/sort".into(), move |meter| {
        let g = values();
        meter.repeat(|| (), |()| quantile_sorted(&g, alpha, QuantileRule::Linear))
    });
    let selection = Case::new("quantile/selection".into(), move |meter| {
        let g = values();
        meter.repeat(|| (), |()| quantile_selected(&g, alpha, QuantileRule::Linear))
    });
    vec![sort, selection.against("quantile/sort")]
}
