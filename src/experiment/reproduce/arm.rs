//! [`Arm`]: runs that are alike but for network and seed, and what they come to.

use super::measure::{Quantity, SPARSITY};
use crate::error::Result;
use crate::experiment::estimate::network_of;
use crate::experiment::exhibit::{Cell, Reported, Sample};
use crate::experiment::preset::{PRESETS, Preset};
use crate::experiment::reported::PrintedTable;
use crate::experiment::{Finished, Job, Scale};
use crate::method::Method;
use crate::method::options::Value;
use crate::train::Config;

/// How a run of a comparison is configured, for a network and a seed.
pub(super) type Arm = fn(&Scale, &Preset, u64) -> Config;

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
pub(super) const AT_SPARSITY: &str = "Pruning stops at the sparsity that the paper prints (--target-sparsity), for methods to be \
                                      compared at the same; how the paper came by equal sparsities it does not say.";

/// Runs that ended below the sparsity at which their pruning was to stop, in words; they are not compared at it.
#[derive(Default)]
pub(super) struct Short(Vec<String>);

impl Short {
    /// Whether any of these runs ended short of where its pruning was to stop: more than one weight of W below, which is what
    /// rounding to whole weights may leave. `sparsities`, in percent, are theirs; the least of them is told.
    ///
    /// # Errors
    /// If the network cannot take the images of the runs' data.
    pub(super) fn is_any(&mut self, name: &str, config: &Config, sparsities: &[Sample]) -> Result<bool> {
        let asked = config.method.entry().sparsity_option().and_then(|option| config.options.real(option.key));
        let least = sparsities.iter().map(|sample| sample.value).reduce(f64::min);
        let (Some(asked), Some(least)) = (asked, least) else { return Ok(false) };
        let weights = network_of(config)?.summary::<f32>(1)?.prunable as f64;
        let gone = (least / 100.0 * weights).round();
        // Of a run that came as far at most half a weight is missing, by rounding: nothing hangs on a float's last digit.
        let is_short = asked * weights - gone > 1.0;
        if is_short {
            self.0.push(format!("{} {name} ({least:.2} %)", config.model));
        }
        Ok(is_short)
    }

    /// The same of an arm's runs of one network.
    ///
    /// # Errors
    /// As [`Short::is_any`]; those of reading runs.
    pub(super) fn is_any_of(
        &mut self,
        at: (&Scale, &Finished),
        preset: &Preset,
        (name, arm): (&str, Arm),
    ) -> Result<bool> {
        self.is_any(name, &arm(at.0, preset, 0), &samples(at, preset, arm, SPARSITY.of)?)
    }

    /// Those that there were.
    pub(super) fn note(&self) -> Option<String> {
        let told = || self.0.join(", ");
        (!self.0.is_empty()).then(|| {
            format!("Below the sparsity asked for at their end: {}; their differences are not at one sparsity.", told())
        })
    }
}

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
