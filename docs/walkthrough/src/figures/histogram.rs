//! How G is distributed, and tau (the paper's Fig. 2).

use super::axis::{Log, power};
use super::svg;
use crate::run::Live;
use gdstar::Result;
use gdstar::explain::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
/// The bar of weights whose G is exactly 0, which no logarithm reaches.
const ZERO: f64 = 24.0;
const ZERO_WIDTH: f64 = 44.0;
const LEFT: f64 = 88.0;
const RIGHT: f64 = 624.0;
const BOTTOM: f64 = 250.0;
const TOP: f64 = 40.0;
const BINS: usize = 48;

/// Weights by their G, those that are selected in another colour.
pub fn draw(live: &Live, k: usize, _: usize) -> Result<String> {
    let epoch = live.epoch(k)?;
    let tau = epoch.moment.tau;
    let x = Log::around(epoch.g.iter().map(|&g| g.into()), LEFT, RIGHT);
    // Of every bin the weights that are selected and those that are not; the first bin is for G = 0.
    let mut bins = vec![[0_usize; 2]; BINS + 1];
    for (&g, &selected) in epoch.g.iter().zip(&epoch.selected) {
        let share = (x.at(g.into()) - LEFT) / (RIGHT - LEFT);
        let bin = if g == 0.0 { 0 } else { 1 + ((share * BINS as f64) as usize).min(BINS - 1) };
        bins[bin][usize::from(!selected)] += 1;
    }
    let zeros: usize = bins[0].iter().sum();
    let tallest = bins[1..].iter().map(|bin| bin[0] + bin[1]).max().unwrap_or(0).max(1);
    let height = |n: usize| (n as f64 / tallest as f64).min(1.1) * (BOTTOM - TOP);
    let mut inside = String::new();
    let width = (RIGHT - LEFT) / BINS as f64;
    for (b, bin) in bins.iter().enumerate() {
        let (left, width) = if b == 0 { (ZERO, ZERO_WIDTH) } else { (LEFT + (b - 1) as f64 * width, width - 1.0) };
        let total = (bin[0] + bin[1]).max(1);
        let whole = height(bin[0] + bin[1]);
        let selected = whole * bin[0] as f64 / total as f64;
        for (class, from, tall) in [("selected", 0.0, selected), ("spared", selected, whole - selected)] {
            if tall > 0.0 {
                let y = BOTTOM - from - tall;
                inside += &format!(
                    r#"<rect class="{class}" x="{left:.1}" y="{y:.1}" width="{width:.1}" height="{tall:.1}"/>"#
                );
            }
        }
    }
    inside += &format!(r#"<path class="axis" d="M{ZERO} {BOTTOM}h{ZERO_WIDTH}M{LEFT} {BOTTOM}H{RIGHT}"/>"#);
    let middle = ZERO + ZERO_WIDTH / 2.0;
    inside += &format!(r#"<text x="{middle}" y="{}" text-anchor="middle">G = 0</text>"#, BOTTOM + 18.0);
    if zeros > tallest {
        inside += &format!(
            r#"<path class="cut" d="M{} {:.1}l{} -8"/>"#,
            ZERO - 4.0,
            BOTTOM - height(tallest) + 8.0,
            ZERO_WIDTH + 8.0
        );
    }
    for exponent in x.powers() {
        inside += &power(x.at(10_f64.powi(exponent)), BOTTOM + 18.0, "middle", exponent);
    }
    inside += &format!(r#"<text x="{RIGHT}" y="{}" text-anchor="end">G of a weight</text>"#, HEIGHT - 8.0);
    let at = if tau > 0.0 { x.at(tau) } else { middle };
    let anchor = if at > WIDTH / 2.0 { "end" } else { "start" };
    let aside = if at > WIDTH / 2.0 { -6.0 } else { 6.0 };
    inside += &format!(
        r#"<path class="tau" d="M{at:.1} 8V{BOTTOM}"/><text class="strong" x="{:.1}" y="18" text-anchor="{anchor}">τ = {}</text>"#,
        at + aside,
        number(tau),
    );
    let selected = epoch.selected.iter().filter(|&&selected| selected).count();
    let told = format!(
        "Histogram of G after epoch {k}, on a logarithmic scale. {zeros} of {} weights have G exactly 0. The threshold tau is {}; {selected} weights lie below it and are selected.",
        epoch.g.len(),
        number(tau),
    );
    Ok(svg(WIDTH, HEIGHT, &told, &inside))
}
