//! Figures: of whatever runs are read, one that can be drawn is a whole SVG document whose places are numbers.

use super::{accepted, runs};
use gdstar::Result;
use gdstar::report::{Against, PlotOptions, Quantity, Seeds, plot};
use gdstar::train::StoredRun;

/// Reads `data` as run folders ([`runs::read`]), and draws every quantity.
pub fn run(data: &[u8]) -> bool {
    accepted(runs::read(data).and_then(|runs| check(&runs)), |()| ())
}

fn check(runs: &[StoredRun]) -> Result<()> {
    for (against, seeds) in [(Against::Epochs, Seeds::Together), (Against::Sparsity, Seeds::Apart)] {
        let options = PlotOptions { against, seeds, quantities: Quantity::all(), ..PlotOptions::default() };
        let svg = plot(runs, &options)?;
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg}");
        assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count(), "{svg}");
        assert!(!svg.contains("NaN") && !svg.contains("\"inf"), "{svg}");
    }
    Ok(())
}
