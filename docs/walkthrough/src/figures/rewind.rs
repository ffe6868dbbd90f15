//! S_F over the epochs, its running minima and k* (the paper's Fig. 3).

use super::epochs::{BOTTOM, Epochs, TOP};
use crate::run::Live;
use gdstar::Result;
use gdstar::explain::number;

/// A point an epoch; a filled one where S_F fell below every one before it; the running minimum as a line of steps.
pub fn draw(live: &Live, k: usize, _: usize) -> Result<String> {
    let epochs = live.epochs();
    let shown = live.epoch(k)?;
    let axes = Epochs::new(live.config().hyper.epochs, epochs.iter().map(|epoch| epoch.moment.s_f));
    let (x, y) = (|k| axes.x(k), &axes.y);
    let mut inside = axes.frame(r#"S<tspan dy=".25em" font-size=".75em">F</tspan>"#);
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
    Ok(axes.svg(&told, &inside))
}
