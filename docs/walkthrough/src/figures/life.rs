//! The size of one weight over the epochs, with eps.

use super::epochs::{BOTTOM, Epochs, TOP};
use crate::epoch::Fate;
use crate::run::Live;
use gdstar::Result;
use gdstar::explain::number;

/// |w| as training left it and as Alg. 6 left it, epoch by epoch, until the weight is eliminated.
pub fn draw(live: &Live, k: usize, j: usize) -> Result<String> {
    let (epochs, name, hyper) = (live.epochs(), live.place(j)?, &live.config().hyper);
    live.epoch(k)?;
    let end = epochs.iter().position(|epoch| !epoch.is_alive[j]);
    let lived = &epochs[..end.map_or(epochs.len(), |end| end + 1)];
    let sizes = || lived.iter().flat_map(|epoch| [epoch.before[j], epoch.after[j]]).map(|w| f64::from(w.abs()));
    let axes = Epochs::new(hyper.epochs, sizes().chain([hyper.eps]));
    let (x, y) = (|k| axes.x(k), &axes.y);
    let mut inside = axes.frame(&format!("|w| of {name}"));
    inside += &axes.level("eps", hyper.eps, "ε");
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
    Ok(axes.svg(&told, &inside))
}
