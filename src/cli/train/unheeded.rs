//! Options that are given and that the run they describe does not heed.

use super::TrainArgs;
use crate::data::Source;
use crate::paper::structured::Structure;
use crate::sparsify::Method;
use crate::train::Config;

/// What only concerns methods that prune.
const OF_PRUNING: [&str; 18] = [
    "alpha-0",
    "alpha-k",
    "lambda",
    "eps",
    "chunks",
    "structure",
    "group-score",
    "execution",
    "quantile",
    "chunking",
    "prunable",
    "masked-gradient",
    "rewind-update",
    "rewind-copy",
    "decay-step",
    "threshold",
    "momentum-on-prune",
    "gradient",
];
/// What only concerns the threshold of Eq. 7.
const OF_THRESHOLD: [&str; 6] = ["alpha-0", "alpha-k", "chunks", "group-score", "quantile", "chunking"];

/// Why a run of this configuration does not heed the option of this name; `None` if it does.
fn reason(option: &str, config: &Config) -> Option<&'static str> {
    let is_pattern = matches!(config.structure, Some(Structure::Pattern { .. }));
    let reasons = [
        (config.method == Method::Dense && OF_PRUNING.contains(&option), "--method dense prunes nothing"),
        (config.method == Method::Reset && option == "rewind-update", "--method reset never moves the rewind point"),
        (is_pattern && OF_THRESHOLD.contains(&option), "an n:m pattern says itself how many weights go"),
        (config.structure.is_none() && option == "group-score", "without --structure there are no groups"),
        (config.data == Source::Digits && option == "data-dir", "the digits are part of the program"),
    ];
    reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
}

impl TrainArgs {
    /// The names of the options that are given, of those that some runs do not heed.
    fn given(&self) -> Vec<String> {
        let given = [
            ("data-dir", self.data_dir.is_some()),
            ("alpha-0", self.alpha_0.is_some()),
            ("alpha-k", self.alpha_k.is_some()),
            ("lambda", self.lambda.is_some()),
            ("eps", self.eps.is_some()),
            ("chunks", self.chunks.is_some()),
            ("structure", self.structure.is_some()),
            ("group-score", self.group_score.is_some()),
            ("execution", self.execution.is_some()),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name.to_string());
        given.chain(self.reading.given().into_iter().map(|key| key.replace('_', "-"))).collect()
    }

    /// A line for each reason for which options that are given have no effect on the run of this configuration.
    pub fn unheeded(&self, config: &Config) -> Vec<String> {
        let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
        for option in self.given() {
            let Some(reason) = reason(&option, config) else { continue };
            let option = format!("--{option}");
            match by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, options)) => options.push(option),
                None => by_reason.push((reason, vec![option])),
            }
        }
        by_reason.into_iter().map(|(reason, options)| format!("{}: no effect, {reason}", options.join(", "))).collect()
    }
}
