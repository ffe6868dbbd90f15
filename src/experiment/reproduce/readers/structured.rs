//! What does selection by groups of weights come to?

use super::super::Target;
use super::super::measure::{ACCURACY, MEGABYTES, MINUTES, SPARSITY, SPARSITY_COURSE, TERAFLOP};
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::Exhibit;
use crate::experiment::{Finished, Scale};
use crate::method::Method;
use crate::paper::structured::{GroupScore, Structure};

pub(in super::super) static TARGET: Target = Target {
    name: "structured",
    title: "Selection of blocks, channels and n:m patterns",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

fn study(scale: &Scale) -> Result<Study> {
    let mut study = Study::of(scale, NETWORK)?.with("weights", Method::Gdstar, |_| {});
    let (channels, blocks): (Structure, Structure) = ("channels".parse()?, "4x4".parse()?);
    for (name, structure) in [("channels", channels), ("blocks 4x4", blocks)] {
        for score in GroupScore::ALL {
            study = study.with(format!("{name}, {score}"), Method::Gdstar, |config| {
                config.structure = Some(structure);
                config.group_score = *score;
            });
        }
    }
    // The pattern says how many weights go: the score plays no part.
    let pattern: Structure = "2:4".parse()?;
    Ok(study.with("2:4", Method::Gdstar, |config| config.structure = Some(pattern)))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "What do accuracy, sparsity and cost become where weights stand or fall in groups (section 3.2, last paragraph)?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![5];
    let measures = [&ACCURACY, &SPARSITY, &MINUTES, &TERAFLOP, &MEGABYTES];
    let mut table = seen.table(("structures", "At the end of training"), &measures, TARGET.source);
    seen.compare(&mut table, &ACCURACY, "weights");
    exhibit.tables.push(table);
    exhibit.charts.push(seen.chart(&SPARSITY_COURSE, "Sparsity"));
    exhibit.notes.push("The paper says that the criterion extends to groups and has no numbers for it.".to_string());
    Ok(exhibit)
}
