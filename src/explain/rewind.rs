//! [`rewind`]: S_F over the run, and where k* moved, in characters.

use super::numbers::number;
use super::watch::Watched;
use crate::error::Result;
use crate::report::ranges;

/// Rows and columns of the plot.
const ROWS: usize = 12;
const COLUMNS: usize = 64;

/// S_F a column an epoch (or the mean of as many as share one), `*` where k* moved, and the epochs at which it did.
///
/// # Errors
/// [`Error::Domain`](crate::Error::Domain) if no epoch was watched.
pub fn rewind(seen: &Watched) -> Result<String> {
    let last = seen.last()?;
    let moments = &seen.moments;
    let first = moments.first().map_or(last.k, |moment| moment.k);
    let share = moments.len().div_ceil(COLUMNS);
    let columns: Vec<(f64, bool)> = moments
        .chunks(share)
        .map(|part| {
            let mean = part.iter().map(|moment| moment.s_f).sum::<f64>() / part.len() as f64;
            (mean, part.iter().any(|moment| moment.k_star == moment.k))
        })
        .collect();
    let low = columns.iter().fold(f64::INFINITY, |low, (s_f, _)| low.min(*s_f));
    let high = columns.iter().fold(f64::NEG_INFINITY, |high, (s_f, _)| high.max(*s_f));
    // On a logarithmic scale: early epochs are tens of times as large as late ones.
    let height = |s_f: f64| (high / s_f).ln() / (high / low).ln() * (ROWS - 1) as f64;
    let row_of = |s_f: f64| if high > low && low > 0.0 { height(s_f).round() as usize } else { 0 };
    let title = format!("S_F (Eq. 4, logarithmic) of epochs {first} to {}; * where k* moves (Alg. 4)", last.k);
    let mut lines = vec![title];
    for row in 0..ROWS {
        let label = match row {
            0 => number(high),
            _ if row == ROWS - 1 => number(low),
            _ => String::new(),
        };
        let marks: String = columns
            .iter()
            .map(|&(s_f, moved)| match (row_of(s_f) == row, moved) {
                (true, true) => '*',
                (true, false) => '.',
                (false, _) => ' ',
            })
            .collect();
        lines.push(format!("{label:>12} |{}", marks.trim_end()));
    }
    lines.push(format!("{:>12} +{}", "", "-".repeat(columns.len())));
    let moved: Vec<usize> = moments.iter().filter(|moment| moment.k_star == moment.k).map(|moment| moment.k).collect();
    lines.push(match moved.is_empty() {
        true => format!("k* never moved: it is {}", last.k_star),
        false => format!("k* moved in {} of {} epochs: {}", moved.len(), moments.len(), ranges(&moved)),
    });
    Ok(lines.join("\n"))
}
