//! [`life`]: one weight through the epochs, in sentences.

use super::numbers::{count, number};
use super::watch::{Followed, Moment, Watched};
use crate::error::{Error, Result};

/// One epoch of the weight.
type Day<'a> = (&'a Moment, &'a Followed);

/// What became of the weight that was followed: a sentence for every stretch of epochs in which the same happened to it,
/// and how it ended.
///
/// # Errors
/// [`Error::Domain`] if no weight was followed, or no epoch watched.
pub fn life(seen: &Watched) -> Result<String> {
    let last = seen.last()?;
    let name = seen.place.as_ref().map(ToString::to_string);
    let name = name.ok_or_else(|| Error::domain("--weight", "a weight to follow", "none"))?;
    let mut days: Vec<Day> =
        seen.moments.iter().filter_map(|moment| Some((moment, moment.followed.as_ref()?))).collect();
    let end = days.iter().position(|(_, day)| !day.is_alive);
    days.truncate(end.map_or(days.len(), |end| end + 1));
    let mut lines = vec![format!("The life of {name}, to epoch {}", last.k)];
    let alike = |a: &Day, b: &Day| a.1.selected == b.1.selected && a.0.k_star == b.0.k_star && b.1.is_alive;
    lines.extend(days.chunk_by(alike).map(|stretch| format!("  {}", sentence(seen, stretch))));
    let selected = days.iter().filter(|(_, day)| day.selected).count();
    let share = format!("It was selected in {selected} of its {}", count(days.len(), "epoch"));
    lines.push(match days.last() {
        Some((moment, day)) if !day.is_alive => format!("{share}, and eliminated in epoch {}.", moment.k),
        _ => format!("{share}, and lives."),
    });
    Ok(lines.join("\n"))
}

/// What happened to the weight in epochs in which the same did.
fn sentence(seen: &Watched, stretch: &[Day]) -> String {
    let ([(first, at_first), ..], [.., (last, at_last)]) = (stretch, stretch) else { return String::new() };
    let span = |from: &str, to: &str| if from == to { from.to_string() } else { format!("{from} to {to}") };
    let real = |from: f64, to: f64| span(&number(from), &number(to));
    let epochs = span(&first.k.to_string(), &last.k.to_string());
    let smallest = stretch.iter().fold(f64::INFINITY, |low, (_, day)| low.min(day.g));
    let largest = stretch.iter().fold(0.0_f64, |high, (_, day)| high.max(day.g));
    let g = format!("G {}", real(smallest, largest));
    let tau = format!("tau {}", real(first.tau, last.tau));
    if !at_first.selected {
        let end = if at_last.is_alive { "left alone" } else { "below eps all the same, and eliminated" };
        return format!("k = {epochs}: {g}, not below {tau}: {end}; w = {}", real(at_first.before, at_last.after));
    }
    let (lambda, t) = (number(seen.hyper.lambda), span(&first.t.to_string(), &last.t.to_string()));
    let rewound = format!(
        "k = {epochs}: {g}, below {tau}: selected; training left w = {}, which became w* = {} of k* = {} times {lambda}^t, t = {t}",
        real(at_first.before, at_last.before),
        real(at_first.w_star, at_last.w_star),
        first.k_star,
    );
    match at_last.is_alive {
        true => format!("{rewound}: {}", real(at_first.after, at_last.after)),
        false => format!("{rewound}: below eps = {}, so it is eliminated", number(seen.hyper.eps)),
    }
}
