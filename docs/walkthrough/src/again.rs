//! [`again`]: the end of an epoch once more, with other settings: Eq. 8, Alg. 5 and Alg. 6 on the same G, W and W_k*.

use crate::epoch::Fate;
use crate::run::Live;
use crate::settings::Settings;
use gdstar::Result;
use gdstar::paper::decay::{Decay, decay_step, rewind_decay};
use gdstar::paper::schedule::prune_rate;
use gdstar::paper::selection::select_weights;

/// What it comes to.
pub struct Again {
    pub alpha: f64,
    pub tau: f32,
    pub t: usize,
    /// The weights that are selected, eliminated ones among them.
    pub selected: usize,
    pub fates: Vec<u8>,
    /// How many weights meet another fate than in the run.
    pub changed: usize,
}

/// Epoch `k` of the run with these settings. K is the run's: the epoch has its place in it.
///
/// # Errors
/// If it is not trained yet; those of the equations.
pub fn again(live: &Live, k: usize, settings: &Settings) -> Result<Again> {
    let (epoch, Settings { hyper, reading }) = (live.epoch(k)?, settings);
    let alpha = prune_rate(k, live.config().hyper.epochs, hyper.alpha_0, hyper.alpha_end)?; // Eq. 8
    let selection = select_weights(&epoch.g, &epoch.was_alive, alpha, hyper.chunks, reading)?; // Alg. 5
    let t = decay_step(reading.decay_step, k, epoch.moment.k_star, epoch.steps)?;
    let (mut w, mut alive) = (epoch.before.clone(), epoch.was_alive.clone());
    let decay = Decay { lambda: hyper.lambda, t, eps: hyper.eps, threshold: reading.threshold };
    rewind_decay(&mut w, Some(&epoch.w_star), &selection.selected, &mut alive, &decay)?; // Alg. 6
    let fate = |j: usize| Fate::of(epoch.was_alive[j], selection.selected[j], alive[j]) as u8;
    let fates: Vec<u8> = (0..w.len()).map(fate).collect();
    let changed = fates.iter().zip(epoch.fates()).filter(|(now, then)| *now != then).count();
    Ok(Again { alpha, tau: selection.tau, t, selected: selection.count(), fates, changed })
}
