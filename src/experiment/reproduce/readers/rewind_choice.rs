//! Is the rewind point that S_F chooses better than others?

use super::super::Target;
use super::super::fig1;
use super::super::measure::{ACCURACY, K_STAR, SPARSITY};
use super::super::seen::Seen;
use super::super::study::Study;
use super::{NETWORK, READERS};
use crate::error::Result;
use crate::experiment::exhibit::Exhibit;
use crate::experiment::{Finished, Scale};
use crate::method::Method;

pub(in super::super) static TARGET: Target = Target {
    name: "rewind-choice",
    title: "Every rewind point, random ones, and S_F's",
    source: READERS,
    jobs: |scale| Ok(study(scale)?.jobs()),
    exhibit,
};

fn study(scale: &Scale) -> Result<Study> {
    Ok(fig1::sweep(scale, NETWORK)?.with("random-rewind", Method::RandomRewind, |_| {}))
}

fn exhibit(scale: &Scale, finished: &Finished) -> Result<Exhibit> {
    let seen = study(scale)?.read(finished)?;
    let question = "Does S_F find a rewind point that a search over fixed points, or chance, would not?";
    let mut exhibit = seen.exhibit(TARGET.source, question);
    exhibit.equations = vec![4, 9];
    let mut table = seen.table(("choices", "At the end of training"), &[&ACCURACY, &SPARSITY, &K_STAR], TARGET.source);
    seen.compare(&mut table, &ACCURACY, "gdstar");
    seen.compare(&mut table, &SPARSITY, "gdstar");
    exhibit.tables.push(table);
    exhibit.charts.push(fig1::points(&seen));
    exhibit.notes.extend(seen.networks().into_iter().filter_map(|network| sentence(&seen, network)));
    exhibit.notes.push(
        "Fixed points rewind to one W_k all along, S_F's moves; sparsity differs with the point, since t counts from it."
            .to_string(),
    );
    Ok(exhibit)
}

/// How S_F's choice stands among the fixed ones, by means.
fn sentence(seen: &Seen, network: &str) -> Option<String> {
    let chosen = seen.find(network, "gdstar")?.mean(ACCURACY.of)?;
    let fixed = seen.tried.iter().filter(|tried| tried.setting.network == network);
    let fixed: Vec<(String, f64)> = fixed
        .filter(|tried| tried.setting.config.method == Method::FixedRewind)
        .filter_map(|tried| Some((tried.setting.name.clone(), tried.mean(ACCURACY.of)?)))
        .collect();
    let best = fixed.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let above = fixed.iter().filter(|(_, accuracy)| *accuracy > chosen).count();
    Some(format!(
        "{network}: S_F's choice has {chosen:.2} % on average, {} of {} fixed points more; the best is {} with {:.2} %.",
        above,
        fixed.len(),
        best.0,
        best.1
    ))
}
