//! The size of one weight over the epochs, with eps.

use super::axis::{Log, power};
use super::svg;
use crate::epoch::Fate;
use crate::run::Live;
use gdstar::Result;
use gdstar::explain::number;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 624.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 256.0;

/// |w| as training left it and as Alg. 6 left it, epoch by epoch, until the weight is eliminated.
pub fn draw(live: &Live, k: usize, j: usize) -> Result<String> {
    let (epochs, name, hyper) = (live.epochs(), live.place(j)?, &live.config().hyper);
    live.epoch(k)?;
    let end = epochs.iter().position(|epoch| !epoch.is_alive[j]);
    let lived = &epochs[..end.map_or(epochs.len(), |end| end + 1)];
    let sizes = || lived.iter().flat_map(|epoch| [epoch.before[j], epoch.after[j]]).map(|w| f64::from(w.abs()));
    let y = Log::around(sizes().chain([hyper.eps]), BOTTOM, TOP);
    let last = hyper.epochs.max(2) - 1;
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
    inside += &format!(r#"<text x="{LEFT}" y="14">|w| of {name}</text>"#);
    let eps = y.at(hyper.eps);
    inside += &format!(
        r#"<path class="eps" d="M{LEFT} {eps:.1}H{RIGHT}"/><text class="strong" x="{RIGHT}" y="{:.1}" text-anchor="end">ε</text>"#,
        eps - 5.0
    );
    inside += &format!(r#"<path class="now" d="M{0:.1} {TOP}V{BOTTOM}"/>"#, x(k));
    let mut line = String::new();
    for (k, epoch) in lived.iter().enumerate() {
        let (x, before, after) = (x(k), y.at(epoch.before[j].abs().into()), y.at(epoch.after[j].abs().into()));
        line += &format!("{}{x:.1} {before:.1}V{after:.1}", if k == 0 { "M" } else { "L" });
    }
    inside += &format!(r#"<path class="line" d="{line}"/>"#);
    for (k, epoch) in lived.iter().enumerate() {
        let (class, r) = match epoch.fate(j) {
            Fate::Spared => ("spared", 3.0),
            Fate::Rewound => ("selected", 3.5),
            Fate::Eliminated | Fate::Gone => ("eliminated", 6.0),
        };
        let (cx, cy) = (x(k), y.at(epoch.after[j].abs().into()));
        inside += &format!(
            r#"<circle class="{class}" cx="{cx:.1}" cy="{cy:.1}" r="{r}"><title>epoch {k}: w {} became {}</title></circle>"#,
            number(epoch.before[j].into()),
            number(epoch.after[j].into()),
        );
    }
    let selected = lived.iter().filter(|epoch| epoch.selected[j]).count();
    let fate =
        end.map_or("It lives.".to_string(), |end| format!("It falls below eps in epoch {end} and is eliminated."));
    let told = format!(
        "The size of {name} over the epochs, on a logarithmic scale. It is selected in {selected} of {}. {fate}",
        lived.len()
    );
    Ok(svg(WIDTH, HEIGHT, &told, &inside))
}
