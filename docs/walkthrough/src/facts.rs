//! [`Facts`]: named numbers, each exact and as it is shown.

use crate::again::Again;
use crate::epoch::Fate;
use crate::run::Live;
use gdstar::Result;
use gdstar::explain::{number, percent};
use gdstar::oracle::thousands;
use gdstar::paper::decay::decay_factor;

/// A line each: name, the shortest decimal that reads back to the same number, and what a reader sees.
#[derive(Default)]
pub struct Facts(Vec<(&'static str, String, String)>);

impl Facts {
    pub fn real(&mut self, name: &'static str, x: f64) {
        self.0.push((name, x.to_string(), number(x)));
    }

    /// A number that somebody has set, in the digits in which it was.
    pub fn setting(&mut self, name: &'static str, x: f64) {
        let shown = if x == 0.0 || x.abs() >= 1e-3 { x.to_string() } else { format!("{x:e}") };
        self.0.push((name, x.to_string(), shown));
    }

    pub fn count(&mut self, name: &'static str, n: usize) {
        self.0.push((name, n.to_string(), thousands(n)));
    }

    /// A share of a whole.
    pub fn share(&mut self, name: &'static str, part: usize, whole: usize) {
        self.0.push((name, (part as f64 / whole.max(1) as f64).to_string(), percent(part, whole)));
    }

    pub fn flag(&mut self, name: &'static str, is: bool) {
        self.0.push((name, u8::from(is).to_string(), if is { "yes" } else { "no" }.to_string()));
    }

    /// Words, which no number stands behind.
    pub fn words(&mut self, name: &'static str, words: &str) {
        self.0.push((name, "0".to_string(), words.to_string()));
    }

    pub fn lines(&self) -> String {
        let lines: Vec<String> =
            self.0.iter().map(|(name, exact, shown)| format!("{name}\t{exact}\t{shown}")).collect();
        lines.join("\n")
    }
}

/// What epoch `k` came to.
///
/// # Errors
/// If it is not trained yet.
pub fn of_epoch(live: &Live, k: usize) -> Result<Facts> {
    let (epoch, hyper) = (live.epoch(k)?, &live.config().hyper);
    let (moment, n) = (&epoch.moment, epoch.g.len());
    let selected = epoch.selected.iter().filter(|&&selected| selected).count();
    let zeros = epoch.g.iter().filter(|&&g| g == 0.0).count();
    let mut facts = Facts::default();
    facts.count("k", k);
    facts.count("K", hyper.epochs);
    facts.count("N", n);
    facts.count("batches", moment.batches);
    facts.real("S_abs", moment.s_abs);
    facts.real("S_sq", moment.s_sq);
    facts.real("S_F", moment.s_f);
    facts.real("m_before", moment.min_before.unwrap_or(f64::INFINITY));
    facts.count("k_star", moment.k_star);
    facts.flag("moved", moment.k_star == k && moment.min_before.is_none_or(|m| moment.s_f < m));
    facts.setting("alpha_0", hyper.alpha_0);
    facts.setting("alpha_K", hyper.alpha_end);
    facts.setting("lambda", hyper.lambda);
    facts.setting("eps", hyper.eps);
    facts.count("C", hyper.chunks);
    facts.real("alpha", moment.alpha);
    facts.real("tau", moment.tau);
    facts.count("t", moment.t);
    facts.real("lambda_t", decay_factor::<f32>(hyper.lambda, moment.t)?);
    facts.count("zeros", zeros);
    facts.share("zeros_share", zeros, n);
    facts.count("selected", selected);
    facts.share("selected_share", selected, n);
    facts.count("spared", epoch.count(Fate::Spared));
    facts.count("rewound", epoch.count(Fate::Rewound));
    facts.count("eliminated", epoch.count(Fate::Eliminated));
    facts.count("gone", epoch.count(Fate::Gone));
    facts.share("sparsity", n - moment.alive, n);
    facts.0.push(("accuracy", moment.test_accuracy.to_string(), format!("{:.2} %", 100.0 * moment.test_accuracy)));
    Ok(facts)
}

/// What an epoch would come to with other settings.
pub fn of_again(again: &Again) -> Facts {
    let count = |fate: Fate| again.fates.iter().filter(|&&found| found == fate as u8).count();
    let (mut facts, n) = (Facts::default(), again.fates.len());
    facts.real("alpha", again.alpha);
    facts.real("tau", again.tau.into());
    facts.count("t", again.t);
    facts.count("selected", again.selected);
    facts.count("spared", count(Fate::Spared));
    facts.count("rewound", count(Fate::Rewound));
    facts.count("eliminated", count(Fate::Eliminated));
    facts.count("gone", count(Fate::Gone));
    facts.share("sparsity", count(Fate::Eliminated) + count(Fate::Gone), n);
    facts.count("changed", again.changed);
    facts
}
