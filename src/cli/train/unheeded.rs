//! Options that are given and that the run they describe does not heed.

use super::TrainArgs;
use crate::choice::Choice;
use crate::data::Source;
use crate::method::METHODS;
use crate::paper::reading::Evaluation;
use crate::paper::structured::Structure;
use crate::select::distribution::Distribution;
use crate::select::dumique::Select;
use crate::select::schedule::DropSchedule;
use crate::train::{Config, RateSchedule};

/// What only concerns the threshold of Eq. 7.
const OF_THRESHOLD: [&str; 6] = ["alpha_0", "alpha_K", "chunks", "group_score", "quantile", "chunking"];

/// Why another setting of this configuration leaves this key without effect; `None` if none does.
fn overruled(key: &str, config: &Config) -> Option<String> {
    let (method, entry, options) = (config.method, config.method.entry(), &config.options);
    let chosen = |key: &str, name: &str| entry.options.iter().any(|o| o.key == key) && options.name(key) == name;
    let by_number = options.real("er_epsilon").is_some();
    let is_shared_out =
        chosen(Distribution::KEY, Distribution::Erk.name()) || chosen(Distribution::KEY, Distribution::Er.name());
    let has_power = chosen(DropSchedule::KEY, DropSchedule::Power.name());
    let acts_in_steps = entry.records_steps && entry.name != "layerdrop" || entry.name == "dense";
    let reasons: &[(&[&str], bool, &str)] = &[
        (
            &["sparsity", "sparsities", "target_sparsity", "distribution"],
            by_number,
            "--er-epsilon says how many weights a layer starts with",
        ),
        (&["erk_budget"], by_number || !is_shared_out, "--distribution erk and er alone have a budget"),
        (&["drop_power"], !has_power, "--drop-schedule power alone has one"),
        (
            &["dumique_start", "dumique_rate", "dumique_order", "dumique_carry"],
            chosen(Select::KEY, Select::Sort.name()),
            "--select sort estimates nothing",
        ),
        (&["learning_rate"], config.schedule == RateSchedule::Constant, "--schedule constant has but one"),
        (&["initial_weights"], config.init.is_some(), "--init gives W_0"),
        (&["dense_layers"], entry.name == "dense", "--method dense has no W"),
        (&["trace_steps"], !entry.records_steps, "this method's trace is of epochs"),
        (&["chunking"], config.hyper.chunks == 1, "one chunk (--chunks 1) is not cut"),
        (&["momentum_on_prune"], config.optimizer.momentum == 0.0, "--momentum 0 keeps none"),
        (&["gradient"], config.optimizer.weight_decay == 0.0, "--weight-decay 0 adds nothing to it"),
    ];
    let mut holding = reasons.iter().filter(|(keys, holds, _)| *holds && keys.contains(&key));
    let reason = holding.next().map(|(.., reason)| reason.to_string());
    let pruned_later = key == Evaluation::KEY && acts_in_steps;
    reason.or_else(|| pruned_later.then(|| format!("--method {method} prunes nothing at an epoch's end")))
}

/// Why a run of this configuration does not heed the setting of this key; `None` if it does.
fn reason(key: &str, config: &Config) -> Option<String> {
    if let Some(reason) = overruled(key, config) {
        return Some(reason);
    }
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
            ("target_sparsity", self.target_sparsity.is_some()),
            ("dense_layers", self.dense_layers.is_some()),
            ("trace_steps", self.trace_steps.is_some()),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name.to_string());
        given.chain(self.reading.given().into_iter().chain(self.own.keys()).map(str::to_string)).collect()
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
