//! The search that the options ask for.

use super::SEARCH_AT;
use super::chain::Budget;
use super::layers::{LayerView, chain, layers};
use super::search::Search;
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::method::Setup;
use crate::select::cut::Ties;
use crate::select::structure::RewardRule;

/// F and B, by the options that have them.
pub fn costs(layers: &[LayerView]) -> [(&'static str, Vec<usize>); 2] {
    let of = |cost: fn(&LayerView) -> usize| layers.iter().map(cost).collect();
    [("flops", of(|layer| layer.flops)), ("buffer_flops", of(|layer| layer.buffer_flops))]
}

/// The search that is asked for.
///
/// # Errors
/// [`Error::Domain`] for an option that the network or the run's length contradicts; those of [`layers`].
pub fn search(setup: &Setup) -> Result<Search> {
    let options = setup.options;
    let layers = layers(setup.network)?;
    let list = |counts: &[usize]| counts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    for (key, own) in costs(&layers) {
        let given = options.counts(key);
        if !given.is_empty() && given != own {
            let expected = format!("{}, the network's own", list(&own));
            return Err(Error::domain(format!("--{}", key.replace('_', "-")), expected, list(&given)));
        }
    }
    let last_epoch = setup.length.steps().saturating_sub(setup.length.steps_per_epoch);
    let at = search_at(setup);
    if at > last_epoch {
        let expected = format!("at most {last_epoch}, where the last epoch begins");
        return Err(Error::domain("--search-at", expected, at));
    }
    Ok(Search {
        chain: chain(&layers),
        layers,
        budget: Budget {
            preserve: options.real("preserve").unwrap_or_default(),
            lower: options.real("lower").unwrap_or_default(),
        },
        channel_round: options.count("channel_round").unwrap_or(1),
        ties: options.name(Ties::KEY).parse()?,
        reward_rule: options.name(RewardRule::KEY).parse()?,
        episodes: options.count("episodes").unwrap_or_default(),
        random_episodes: options.count("random_episodes").unwrap_or_default(),
        hidden: options.count("hidden").unwrap_or_default(),
        seed: setup.seed,
    })
}

/// The step from which on the next epoch begins with the search.
pub fn search_at(setup: &Setup) -> usize {
    let half = setup.length.epochs / 2 * setup.length.steps_per_epoch;
    setup.options.step(SEARCH_AT, setup.length).unwrap_or(half)
}
