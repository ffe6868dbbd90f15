//! `gdstar report [TARGET...] --out FILE.html`.

use super::scale::ScaleArgs;
use crate::error::{Error, Result};
use crate::experiment::exhibit::Exhibit;
use crate::experiment::reproduce::TARGETS;
use crate::experiment::{Scale, Store};
use crate::output;
use crate::report::{files, page};
use clap::builder::PossibleValuesParser;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Put all that is in a store on one page: tables, figures, and every number with its runs.
///
/// One HTML file that loads nothing, at most 1 MB: for each target its question, the paper's tables beside ours, figures,
/// what differs from the paper, and the equations; at the end every run with its hash, its command and how it reads what the
/// paper leaves open. It is to be read in light and in dark, on a telephone and on paper. What has not been run yet is
/// empty.
///
/// Without TARGET: all that `gdstar reproduce` was asked to keep in this store, each at the scale that was asked for;
/// with options of scale, all targets at that scale that have a finished run.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Tables, figures and questions, as `gdstar reproduce` lists them
    #[arg(value_name = "TARGET", value_parser = PossibleValuesParser::new(TARGETS.iter().map(|target| target.name)), hide_possible_values = true)]
    targets: Vec<String>,
    #[command(flatten)]
    scale: ScaleArgs,
    /// The folder with the runs of all targets
    #[arg(long, value_name = "DIR", default_value = "reproduced")]
    store: PathBuf,
    /// Where to write the page
    #[arg(long, value_name = "FILE.html")]
    out: PathBuf,
    /// A folder for the figures as SVG, and all data as CSV and JSON
    #[arg(long, value_name = "DIR")]
    files: Option<PathBuf>,
}

pub fn run(args: &ReportArgs) -> Result<()> {
    if args.out.extension().is_none_or(|extension| extension != "html") {
        return Err(Error::domain("--out", "a file name that ends in .html", args.out.display()));
    }
    output::check("--out", &args.out, &[] as &[&Path])?;
    if let Some(folder) = &args.files {
        output::check_folder(folder)?;
    }
    let exhibits = args.exhibits()?;
    let page = page(&exhibits)?;
    if let Some(folder) = &args.files {
        fs::create_dir_all(folder).map_err(Error::io(folder, "create"))?;
        for (name, content) in files(&exhibits)? {
            output::write_atomically(&folder.join(name), |file| file.write_all(content.as_bytes()))?;
        }
    }
    output::write_atomically(&args.out, |file| file.write_all(page.as_bytes()))
}

impl ReportArgs {
    /// In the order of all targets.
    ///
    /// # Errors
    /// [`Error::File`] if there is no store, or nothing finished in it; those of reading it.
    fn exhibits(&self) -> Result<Vec<Exhibit>> {
        let store = Store::at(&self.store)?;
        if !self.store.join("store.toml").exists() {
            let expected = "a store, as `gdstar reproduce TARGET` makes; --store names its folder";
            return Err(Error::file(&self.store, "store.toml", expected, "none"));
        }
        let asked = store.asked()?;
        let mut exhibits = Vec::new();
        for target in TARGETS {
            let named = self.targets.iter().any(|name| name == target.name);
            if !named && !self.targets.is_empty() {
                continue;
            }
            let of_target = asked.iter().filter(|asked| asked.target == target.name);
            let mut scales = Scale::joined(of_target.map(|asked| asked.scale.clone()));
            if self.scale.is_given() || (named && scales.is_empty()) {
                scales = vec![self.scale.scale()?];
            }
            let several = scales.len() > 1;
            for scale in scales {
                let exhibit = match target.show(&scale, &store) {
                    // None of its networks is among those that are asked for.
                    Err(Error::Domain { name, .. }) if name == "--models" && !named => continue,
                    other => other?,
                };
                if named || !self.scale.is_given() || !exhibit.runs.is_empty() {
                    let options = scale.options().join(" ");
                    let title = if several { format!("{} ({options})", exhibit.title) } else { exhibit.title };
                    exhibits.push(Exhibit { title, ..exhibit });
                }
            }
        }
        if exhibits.iter().all(|exhibit| exhibit.runs.is_empty()) {
            let expected = "a finished run of these targets at this scale; `gdstar reproduce TARGET` makes them";
            return Err(Error::file(&self.store, "runs", expected, "none"));
        }
        Ok(exhibits)
    }
}
