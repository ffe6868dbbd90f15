//! What a header can declare of the optimizer's steps: other rules than SGD's, clipping, schedules, what does not decay.

use super::fault::Fault;
use super::method::Port;
use super::settings::Config;
use serde_json::{Map, Value, json};
use std::f64::consts::PI;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Sgd,
    Adam,
    AdamW,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clip {
    Norm(f64),
    Value(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    Cosine,
    Constant,
    /// Rising from 0 on a line, and told rate by rate, or left at `"other"`.
    WarmUp {
        told: bool,
    },
}

/// How the port steps, besides the hyper-parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Optimizer {
    pub rule: Rule,
    pub clip: Option<Clip>,
    /// Gradients are clipped before anything sees them, and recorded so.
    pub clips_first: bool,
    pub schedule: Schedule,
    pub nesterov: bool,
    /// Parameters outside W do not decay.
    pub decays_weights_only: bool,
}

impl Default for Optimizer {
    fn default() -> Self {
        Self {
            rule: Rule::Sgd,
            clip: None,
            clips_first: false,
            schedule: Schedule::Cosine,
            nesterov: false,
            decays_weights_only: false,
        }
    }
}

impl Optimizer {
    /// Whether a header can tell all that the steps need.
    pub fn is_told(&self) -> bool {
        self.rule == Rule::Sgd && self.schedule != Schedule::WarmUp { told: false }
    }
}

impl Config {
    /// The keys of the header.
    pub fn declared_optimizer(&self) -> Map<String, Value> {
        let mut keys = Map::new();
        let optimizer = &self.optimizer;
        if optimizer.rule != Rule::Sgd {
            keys.insert("optimizer".to_string(), json!("other"));
        }
        let clip = match optimizer.clip {
            Some(_) if optimizer.clips_first => Some(json!("recorded")),
            Some(Clip::Norm(bound)) => Some(json!({"norm": bound})),
            Some(Clip::Value(bound)) => Some(json!({"value": bound})),
            None => None,
        };
        keys.extend(clip.map(|clip| ("clip".to_string(), clip)));
        let schedule = match optimizer.schedule {
            Schedule::Cosine => None,
            Schedule::Constant => Some(json!("constant")),
            Schedule::WarmUp { told: false } => Some(json!("other")),
            Schedule::WarmUp { told: true } => {
                let per_step = self.reading.is("learning_rate", "per-step");
                let total = if per_step { self.hyper.epochs * self.batches } else { self.hyper.epochs };
                Some(json!((0..total).map(|at| warm_up(self.hyper.lr, at, total)).collect::<Vec<f64>>()))
            }
        };
        keys.extend(schedule.map(|schedule| ("schedule".to_string(), schedule)));
        if optimizer.nesterov {
            keys.insert("nesterov".to_string(), json!(true));
        }
        if optimizer.decays_weights_only {
            let names: Vec<&str> = self.parameters.iter().filter(|p| !p.prunable).map(|p| p.name.as_str()).collect();
            keys.insert("no_decay".to_string(), json!(names));
        }
        keys
    }
}

fn warm_up(base: f64, at: usize, total: usize) -> f64 {
    base * (at + 1) as f64 / total as f64
}

impl Port<'_> {
    /// The rate of one of `total` steps or epochs, as the schedule has it.
    pub fn scheduled(&self, at: usize, total: usize) -> f64 {
        let base = self.config.hyper.lr;
        match self.config.optimizer.schedule {
            Schedule::Constant => base,
            Schedule::WarmUp { .. } => warm_up(base, at, total),
            Schedule::Cosine => {
                let turn = |e: usize| 1.0 + libm::cos(PI * e as f64 / total as f64);
                match self.config.forms.cosine {
                    super::CosineForm::Closed => 0.5 * base * turn(at),
                    super::CosineForm::Recursive => (1..=at).fold(base, |rate, e| turn(e) / turn(e - 1) * rate),
                }
            }
        }
    }

    /// Gradients after clipping, as `torch.nn.utils` clips them.
    pub fn clipped(&self, gradients: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (unit, sums) = (self.config.arithmetic.unit(), self.config.arithmetic.sums());
        let order = self.config.arithmetic.order;
        let norm = |values: &[f64]| unit.round(order.sum_of_squares(&sums, values)).sqrt();
        match self.config.optimizer.clip {
            None => gradients.to_vec(),
            Some(Clip::Value(bound)) => {
                let bound = unit.round(bound);
                gradients.iter().map(|g| g.iter().map(|g| g.clamp(-bound, bound)).collect()).collect()
            }
            Some(Clip::Norm(bound)) => {
                let norms: Vec<f64> = gradients.iter().map(|g| unit.round(norm(g))).collect();
                let total = unit.round(norm(&norms));
                let scaled = |(g, own): (&Vec<f64>, &f64)| -> Vec<f64> {
                    let norm = if self.fault == Fault::ClipsEachParameter { *own } else { total };
                    let factor = unit.div(unit.round(bound), unit.add(norm, unit.round(1e-6))).min(1.0);
                    g.iter().map(|&g| unit.mul(g, factor)).collect()
                };
                gradients.iter().zip(&norms).map(scaled).collect()
            }
        }
    }

    /// One step of Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019) on one weight.
    pub fn adam(&mut self, (p, j): (usize, usize), gradient: f64, (lr, decay): (f64, f64)) {
        let decoupled = self.config.optimizer.rule == Rule::AdamW;
        let w = self.weights[p][j];
        let g = if decoupled { gradient } else { gradient + decay * w };
        let first = 0.9 * self.buffers[p][j] + 0.1 * g;
        let second = 0.999 * self.seconds[p][j] + 0.001 * g * g;
        let step = (self.steps + 1) as i32;
        let change = first / (1.0 - 0.9_f64.powi(step)) / ((second / (1.0 - 0.999_f64.powi(step))).sqrt() + 1e-8);
        let shrunk = if decoupled { w - lr * decay * w } else { w };
        (self.buffers[p][j], self.seconds[p][j]) = (first, second);
        self.weights[p][j] = self.config.arithmetic.unit().round(shrunk - 0.02 * lr * change);
    }
}
