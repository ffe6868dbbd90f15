//! [`Arm`]: runs that are alike but for network and seed, and what they come to.

use crate::error::Result;
use crate::experiment::exhibit::{Cell, Reported, Sample};
use crate::experiment::preset::{PRESETS, Preset};
use crate::experiment::reported::PrintedTable;
use crate::experiment::{Finished, Job, Scale};
use crate::method::Method;
use crate::method::options::Value;
use crate::train::{Config, EpochRecord};

/// How a run of a comparison is configured, for a network and a seed.
pub(super) type Arm = fn(&Scale, &Preset, u64) -> Config;

/// A quantity of a run.
pub(super) type Quantity = fn(&[EpochRecord]) -> Option<f64>;

pub(super) fn dense(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    scale.config(preset, Method::Dense, seed)
}

pub(super) fn reset(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    scale.config(preset, Method::Reset, seed)
}

pub(super) fn random_rewind(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    scale.config(preset, Method::RandomRewind, seed)
}

pub(super) fn gdstar(scale: &Scale, preset: &Preset, seed: u64) -> Config {
    scale.config(preset, Method::Gdstar, seed)
}

/// The run at this sparsity of the paper's, in percent: what its method would set or stop at. The paper compares "under the same
/// sparsity ratios" and does not say how it came by them.
pub(super) fn at_sparsity(mut config: Config, percent: Option<f64>) -> Config {
    if let (Some(option), Some(percent)) = (config.method.entry().sparsity_option(), percent) {
        config.options.set(option.key, Value::Real(percent / 100.0));
    }
    config
}

/// What is to be said where runs are [at a sparsity](at_sparsity).
pub(super) const AT_SPARSITY: &str = "Pruning stops at the sparsity that the paper prints (--target-sparsity), so that methods are \
                                      compared at the same; how the paper came by equal sparsities it does not say.";

/// The networks of a table of the paper's, in its order, by the settings of section 4.
pub(super) fn networks(table: &PrintedTable) -> Vec<Preset> {
    table.networks().filter_map(|model| PRESETS.iter().find(|preset| preset.model == model)).copied().collect()
}

/// All runs of these arms on these networks: of every seed first the first, and of every network all arms.
pub(super) fn jobs(scale: &Scale, presets: &[Preset], arms: &[Arm]) -> Vec<Job> {
    let of_seed =
        |seed| presets.iter().flat_map(move |preset| arms.iter().map(move |arm| Job::train(arm(scale, preset, seed))));
    scale.seeds().flat_map(of_seed).collect()
}

/// An arm's runs of one network, a seed each.
pub(super) fn samples(
    (scale, finished): (&Scale, &Finished),
    preset: &Preset,
    arm: Arm,
    quantity: Quantity,
) -> Result<Vec<Sample>> {
    finished.samples(scale.seeds().map(|seed| Job::train(arm(scale, preset, seed))), quantity)
}

/// The same beside the paper's number, which is in this column of a table of its.
pub(super) fn cell(
    at: (&Scale, &Finished),
    preset: &Preset,
    (arm, quantity): (Arm, Quantity),
    (table, column): (&PrintedTable, &str),
) -> Result<Cell> {
    let reported = table.value(preset.model, column).map(|value| Reported { value, place: table.place() });
    Ok(Cell::measured(samples(at, preset, arm, quantity)?, reported))
}
