//! Options that are given and that the run they describe does not heed.

use super::TrainArgs;
use crate::data::Source;
use crate::method::METHODS;
use crate::paper::structured::Structure;
use crate::train::Config;

/// What only concerns the threshold of Eq. 7.
const OF_THRESHOLD: [&str; 6] = ["alpha_0", "alpha_K", "chunks", "group_score", "quantile", "chunking"];

/// Why a run of this configuration does not heed the setting of this key; `None` if it does.
fn reason(key: &str, config: &Config) -> Option<String> {
    let (method, entry) = (config.method, config.method.entry());
    if entry.options.iter().any(|option| option.key == key) {
        return None;
    }
    let of_some_method = METHODS.iter().any(|method| method.entry().heeds.contains(&key));
    let is_of_digits = matches!(config.data, Source::Digits | Source::Mnist);
    let is_pattern = matches!(config.structure, Some(Structure::Pattern { .. }));
    let reasons = [
        (of_some_method && entry.heeds.is_empty(), format!("--method {method} prunes nothing by the paper's rules")),
        (of_some_method && !entry.heeds.contains(&key), format!("--method {method} makes no such choice")),
        (is_pattern && OF_THRESHOLD.contains(&key), "an n:m pattern says itself how many weights go".to_string()),
        (config.structure.is_none() && key == "group_score", "without --structure there are no groups".to_string()),
        (config.data == Source::Digits && key == "data_dir", "the digits are part of the program".to_string()),
        (is_of_digits && key == "no_augmentation", format!("images of {} are never augmented", config.data.name())),
    ];
    reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
}

impl TrainArgs {
    /// The keys of the settings that are given, of those that some runs do not heed.
    fn given(&self) -> Vec<String> {
        let given = [
            ("data_dir", self.data_dir.is_some()),
            ("no_augmentation", self.no_augmentation),
            ("alpha_0", self.alpha_0.is_some()),
            ("alpha_K", self.alpha_k.is_some()),
            ("lambda", self.lambda.is_some()),
            ("eps", self.eps.is_some()),
            ("chunks", self.chunks.is_some()),
            ("structure", self.structure.is_some()),
            ("group_score", self.group_score.is_some()),
            ("execution", self.execution.is_some()),
            ("initial_weights", self.initial_weights.is_some()),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name.to_string());
        given.chain(self.reading.given().into_iter().map(str::to_string)).collect()
    }

    /// A line for each reason for which options that are given have no effect on the run of this configuration.
    pub fn unheeded(&self, config: &Config) -> Vec<String> {
        let mut by_reason: Vec<(String, Vec<String>)> = Vec::new();
        for key in self.given() {
            let Some(reason) = reason(&key, config) else { continue };
            let option = format!("--{}", key.replace('_', "-").to_lowercase());
            match by_reason.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, options)) => options.push(option),
                None => by_reason.push((reason, vec![option])),
            }
        }
        by_reason.into_iter().map(|(reason, options)| format!("{}: no effect, {reason}", options.join(", "))).collect()
    }
}
