//! S_F over the epochs, its running minima and k* (the paper's Fig. 3).

use super::axis::{Log, power};
use super::svg;
use crate::run::Live;
use gdstar::Result;
use gdstar::explain::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
const BOTTOM: f64 = 256.0;
const TOP: f64 = 24.0;
const RIGHT: f64 = 624.0;

/// A point an epoch; a filled one where S_F fell below every one before it; the running minimum as a line of steps.
pub fn draw(live: &Live, k: usize, _: usize) -> Result<String> {
    let epochs = live.epochs();
    let shown = live.epoch(k)?;
    let y = Log::around(epochs.iter().map(|epoch| epoch.moment.s_f), BOTTOM, TOP);
    let last = live.config().hyper.epochs.max(2) - 1;
    let x = |k: usize| LEFT + 8.0 + k as f64 / last as f64 * (RIGHT - LEFT - 8.0);
    let mut inside = String::new();
    for exponent in y.powers() {
        let at = y.at(10_f64.powi(exponent));
        inside += &format!(r#"<path class="grid" d="M{LEFT} {at:.1}H{RIGHT}"/>"#);
        inside += &power(LEFT - 6.0, at + 4.0, "end", exponent);
    }
    for tick in (0..=last).step_by(10) {
        inside += &format!(r#"<text x="{:.1}" y="{}" text-anchor="middle">{tick}</text>"#, x(tick), BOTTOM + 20.0);
    }
    inside += &format!(r#"<text x="{RIGHT}" y="{}" text-anchor="end">epoch k</text>"#, HEIGHT - 6.0);
    inside += &format!(r#"<text x="{LEFT}" y="14">S<tspan dy=".25em" font-size=".75em">F</tspan></text>"#);
    let mut steps = String::new();
    let mut lowest = f64::INFINITY;
    for (k, epoch) in epochs.iter().enumerate() {
        lowest = lowest.min(epoch.moment.s_f);
        let (x, y) = (x(k), y.at(lowest));
        steps += &if k == 0 { format!("M{x:.1} {y:.1}") } else { format!("H{x:.1}V{y:.1}") };
    }
    inside += &format!(r#"<path class="minimum" d="{steps}"/>"#);
    for (k, epoch) in epochs.iter().enumerate() {
        let (class, r) = if epoch.moment.k_star == k { ("moved", 4.5) } else { ("point", 3.0) };
        let (cx, cy) = (x(k), y.at(epoch.moment.s_f));
        inside += &format!(
            r#"<circle class="{class}" cx="{cx:.1}" cy="{cy:.1}" r="{r}"><title>epoch {k}: S_F {}, k* {}</title></circle>"#,
            number(epoch.moment.s_f),
            epoch.moment.k_star,
        );
    }
    let (now, star) = (x(k), x(shown.moment.k_star));
    inside += &format!(r#"<path class="now" d="M{now:.1} {TOP}V{BOTTOM}"/>"#);
    if shown.moment.k_star == k {
        inside +=
            &format!(r#"<text class="strong" x="{now:.1}" y="{BOTTOM}" dy="-6" text-anchor="middle">k = k*</text>"#);
    } else {
        inside += &format!(
            r#"<path class="back" d="M{now:.1} {:.1}H{star:.1}m7 -4l-7 4l7 4"/><text class="strong" x="{:.1}" y="{:.1}" text-anchor="middle">t = {}</text>"#,
            BOTTOM - 10.0,
            (now + star) / 2.0,
            BOTTOM - 18.0,
            shown.moment.t,
        );
    }
    let moved: Vec<String> =
        epochs.iter().enumerate().filter(|(k, epoch)| epoch.moment.k_star == *k).map(|(k, _)| k.to_string()).collect();
    let told = format!(
        "S_F of epochs 0 to {} on a logarithmic scale. A new minimum, where k* moves, at epochs {}. At epoch {k} S_F is {} and k* is {}.",
        epochs.len().saturating_sub(1),
        moved.join(", "),
        number(shown.moment.s_f),
        shown.moment.k_star,
    );
    Ok(svg(WIDTH, HEIGHT, &told, &inside))
}
