//! `gdstar plot RUN... --out FILE.svg`.

use super::choice;
use crate::error::{Error, Result};
use crate::output;
use crate::report::{Against, PlotOptions, Quantity, Seeds, plot};
use crate::train::{RunFolder, StoredRun};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::io::Write;
use std::path::PathBuf;

/// Draw runs as curves over epochs (SVG): S_F, test accuracy, sparsity, training loss, or any other quantity.
///
/// Panels over the same epochs: S_F (Eq. 4) with a dot at every running minimum, as in the paper's Fig. 3, test accuracy
/// in %, sparsity in %, and training loss on a logarithmic scale. One line per run folder (`gdstar train --out`), finished
/// or under way, in colours that colour-blind readers can tell apart, and then in dashes; runs that differ in their seed
/// alone are one line, their mean, on a band from the smallest to the largest. The legend says what tells runs apart.
///
/// With --against sparsity: what an epoch costs, a dot each, against the sparsity it was trained at: seconds of training
/// and pruning, effective FLOPs, and the bytes of weights and all that is kept beside them.
///
/// Where a few values would press all others into a tenth of an axis, the axis leaves them out, and the panel says so.
#[derive(Debug, clap::Args)]
pub struct PlotArgs {
    /// Run folders, or folders of run folders
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// The horizontal axis [default: epochs]
    #[arg(long, value_parser = choice::<Against>(), value_name = "WHAT")]
    against: Option<Against>,
    /// What to draw, a panel each: keys of metrics.jsonl, separated by commas
    #[arg(long, value_parser = quantity(), value_name = "KEY,..", value_delimiter = ',')]
    quantity: Vec<Quantity>,
    /// Runs that differ in their seed alone [default: together]
    #[arg(long, value_parser = choice::<Seeds>(), value_name = "HOW")]
    seeds: Option<Seeds>,
    /// Draw these epochs only, as 0:50
    #[arg(long, value_parser = ends::<usize>, value_name = "FIRST:LAST")]
    epochs: Option<[usize; 2]>,
    /// The ends of a quantity's axis, as loss=0.001:10; may be given for several
    #[arg(long, value_parser = range, value_name = "KEY=LOW:HIGH")]
    range: Vec<(Quantity, [f64; 2])>,
    /// The figure's width in pixels [default: 1000]
    #[arg(long, value_name = "PX")]
    width: Option<u32>,
    /// The figure's height in pixels [default: 250 a panel, and the legend]
    #[arg(long, value_name = "PX")]
    height: Option<u32>,
    /// Where to write the figure
    #[arg(long, value_name = "FILE.svg")]
    out: PathBuf,
}

pub fn run(args: &PlotArgs) -> Result<()> {
    if args.out.extension().is_none_or(|extension| extension != "svg") {
        return Err(Error::domain("--out", "a file name that ends in .svg", args.out.display()));
    }
    let files: Vec<PathBuf> = args.runs.iter().flat_map(|run| RunFolder::files(run)).collect();
    output::check("--out", &args.out, &files)?;
    let runs = StoredRun::read_all(&args.runs)?;
    let options = PlotOptions {
        against: args.against.unwrap_or_default(),
        quantities: args.quantity.clone(),
        seeds: args.seeds.unwrap_or_default(),
        width: args.width,
        height: args.height,
        epochs: args.epochs,
        ranges: args.range.clone(),
    };
    let figure = plot(&runs, &options)?;
    output::write_atomically(&args.out, |file| file.write_all(figure.as_bytes()))
}

/// The keys that can be drawn, which `--help` lists.
fn quantity() -> impl TypedValueParser<Value = Quantity> {
    PossibleValuesParser::new(Quantity::all().iter().map(|quantity| quantity.name())).try_map(|key| key.parse())
}

/// `LOW:HIGH`.
fn ends<T: std::str::FromStr>(text: &str) -> std::result::Result<[T; 2], String> {
    let wrong = || "expected two numbers with a colon between them".to_string();
    let (low, high) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<T>().map_err(|_| wrong());
    Ok([number(low)?, number(high)?])
}

/// `KEY=LOW:HIGH`.
fn range(text: &str) -> std::result::Result<(Quantity, [f64; 2]), String> {
    let (key, range) = text.split_once('=').ok_or("expected KEY=LOW:HIGH")?;
    Ok((key.parse::<Quantity>().map_err(|e| e.to_string())?, ends(range)?))
}
