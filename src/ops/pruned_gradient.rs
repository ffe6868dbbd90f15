//! [`PrunedGradient`]: a layer whose output gradient is pruned before it is used for the gradient of the layer's input
//! (McDanel, Dinh, Magallanes 2022); that of its weight and its bias is made of what came, whole.
//!
//! With x = dL/dO as it came: y = x where [`keep_in_groups`] keeps it, 0 elsewhere, under [`Rescale::Maxnorm`] times
//! (sum |x|) / (sum |kept x| + 1e-4), sums over the pixels of each sample's channel. Input gradient: of y; others: of x.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::{GradientPruning, Linear, PrunedGradient}};
//! use gdstar::select::{cut::Ties, groups::{Groups, OfGroups, Remainder}};
//! use ndarray::array;
//! let of = OfGroups { keep: 1, group: 2, groups: Groups::Channel, remainder: Remainder::Keep, ties: Ties::LowerIndex };
//! let op = PrunedGradient { op: Linear, pruning: GradientPruning::by_magnitude(of), log: None };
//! let (x, w) = (array![[1.0]].into_dyn(), array![[1.0], [10.0]].into_dyn());
//! let dy = array![[3.0, -4.0]].into_dyn();
//! let result = evaluate(&op, Kernel::Literal, &[x.view(), w.view()], &[Some(dy.view())], &[true; 2])?;
//! assert_eq!(result.gradients[0], Some(array![[-40.0]].into_dyn())); // of (0, -4)
//! assert_eq!(result.gradients[1], Some(array![[3.0], [-4.0]].into_dyn())); // of (3, -4)
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::Mul;
use crate::error::Result;
use crate::kernel::{self, Kernel, Order, Term, formula_of_slices, formula_values, hold};
use crate::op::{Argument, ArrayNames, Cost, List, Op, Reads, Shape};
use crate::random::unit;
use crate::scalar::Scalar;
use crate::select::groups::{OfGroups, keep_in_groups};
use crate::select::structure::Rescale;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{Device, DeviceTensor},
    op::{DeviceResult, Passed, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What keeps the quotient of [`Rescale::Maxnorm`] finite.
const MAXNORM_EPS: f64 = 1e-4;

/// By what the kept entries are the largest.
#[derive(Debug, Clone)]
pub enum Keys {
    /// |x|.
    Magnitude,
    /// Uniform draws of this generator, row-major.
    Drawn(Box<ChaCha8Rng>),
}

/// How an output's gradient is pruned.
#[derive(Debug, Clone)]
pub struct GradientPruning {
    pub of: OfGroups,
    pub keys: Keys,
    pub rescale: Rescale,
}

impl GradientPruning {
    /// The largest magnitudes stay as they are.
    pub fn by_magnitude(of: OfGroups) -> Self {
        Self { of, keys: Keys::Magnitude, rescale: Rescale::None }
    }

    /// y of x `[b,c]` or `[b,c,h,w]`, with what decided it.
    pub fn apply<S: Scalar>(&self, kernel: Kernel, x: &ArrayViewD<S>) -> Pruned<S> {
        let mut y: Vec<S> = x.iter().copied().collect();
        let (keys, is_drawn) = match &self.keys {
            Keys::Magnitude => (formula_of_slices(kernel, kernel::Magnitude, [&y]), false),
            Keys::Drawn(generator) => {
                let mut generator = generator.clone();
                (y.iter().map(|_| S::from_f64(unit(&mut generator))).collect(), true)
            }
        };
        let kept = keep_in_groups(&keys, x.shape(), &self.of);
        if self.rescale == Rescale::Maxnorm {
            y = rescaled(kernel, y, &kept, pixels(x.shape()));
        }
        hold(kernel, &mut y, &kept);
        let array = |elements: Vec<S>| Order::row_major(x.ndim()).array(x.shape(), elements);
        let dropped = kept.iter().filter(|kept| !**kept).count();
        Pruned { y: array(y), draws: is_drawn.then(|| array(keys)), dropped }
    }
}

/// Of one channel of one sample.
fn pixels(shape: &[usize]) -> usize {
    shape.iter().skip(2).product::<usize>().max(1)
}

/// Under [`Rescale::Maxnorm`] the entries of each sample's channel, times what is left of it by its kept ones; wide, and rounded
/// once.
fn rescaled<S: Scalar>(kernel: Kernel, x: Vec<S>, kept: &[bool], pixels: usize) -> Vec<S> {
    let mut of_kept = x.clone();
    hold(kernel, &mut of_kept, kept);
    let sum = |plane: &[S]| kernel::sum(kernel, Term::Magnitude, S::Wide::ZERO, plane);
    let factor = |(all, kept)| sum(all) / (sum(kept) + S::Wide::from_f64(MAXNORM_EPS));
    let factors: Vec<S::Wide> = x.chunks(pixels).zip(of_kept.chunks(pixels)).map(factor).collect();
    let of_planes = |elements: Vec<S::Wide>, pixels| Order::row_major(2).array(&[factors.len(), pixels], elements);
    let wide = of_planes(x.into_iter().map(S::widen).collect(), pixels);
    let rescaled = formula_values(kernel, Mul, &mut [wide.into(), of_planes(factors.clone(), 1).into()]);
    rescaled.into_iter().map(S::narrow).collect()
}

/// An output's gradient after pruning.
#[derive(Debug, Clone)]
pub struct Pruned<S> {
    pub y: ArrayD<S>,
    /// The draws, where they decided.
    pub draws: Option<ArrayD<S>>,
    /// How many entries were not kept.
    pub dropped: usize,
}

/// What was pruned in a backward pass.
#[derive(Debug, Default)]
pub struct PruningLog {
    /// Whether arrays are kept, not numbers alone.
    is_full: bool,
    logged: Mutex<Logged>,
}

/// What a [`PruningLog`] holds.
#[derive(Debug, Default, Clone)]
pub struct Logged {
    /// Entries of gradients that were pruned, and how many of them were not kept.
    pub entries: usize,
    pub dropped: usize,
    /// In the order of the backward pass: what of which layer, exactly.
    pub arrays: Vec<(&'static str, String, ArrayD<f64>)>,
}

impl PruningLog {
    /// An empty one; where it is `full`, it keeps arrays too.
    pub fn new(full: bool) -> Self {
        Self { is_full: full, logged: Mutex::default() }
    }

    /// Takes out what was pruned since the last time.
    pub fn take(&self) -> Logged {
        std::mem::take(&mut *self.logged())
    }

    fn logged(&self) -> MutexGuard<'_, Logged> {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a layer's backward pass: counts, and where arrays are kept what it was made of and what came of it.
    fn add<S: Scalar>(
        &self,
        layer: &str,
        x: &ArrayViewD<S>,
        pruned: &Pruned<S>,
        others: [(&'static str, Option<ArrayViewD<S>>); 4],
    ) {
        let mut logged = self.logged();
        logged.entries += x.len();
        logged.dropped += pruned.dropped;
        if !self.is_full {
            return;
        }
        let first = [
            ("grad_output", Some(x.view())),
            ("draw", pruned.draws.as_ref().map(|draws| draws.view())),
            ("pruned", Some(pruned.y.view())),
        ];
        for (name, array) in first.into_iter().chain(others) {
            logged.arrays.extend(array.map(|array| (name, layer.to_string(), array.mapv(S::to_f64))));
        }
    }
}

/// Of the gradients that are wanted, that of the first input, or all others.
fn only(first: bool, wanted: &[bool]) -> List<bool> {
    wanted.iter().enumerate().map(|(i, &wanted)| wanted && (i == 0) == first).collect()
}

/// Whether a layer is a matrix's: a trace can hold convolutions' gradients to account for the pruning alone.
fn is_matrix(dy: &[usize], w: &[usize]) -> bool {
    dy.len() == 2 && w.len() == 2
}

/// By the names that a trace has for them: a layer's input and weight, and the gradients of the weight and of the input.
fn others<S>(arrays: [Option<ArrayViewD<S>>; 4]) -> [(&'static str, Option<ArrayViewD<S>>); 4] {
    let [input, weight, of_weight, of_input] = arrays;
    [("input", input), ("weight", weight), ("grad_weight", of_weight), ("grad_input", of_input)]
}

/// The op with its output's gradient pruned for the gradient of its first input.
#[derive(Debug, Clone)]
pub struct PrunedGradient<O> {
    pub op: O,
    pub pruning: GradientPruning,
    /// Where it is told what was pruned, under the layer's name.
    pub log: Option<(String, Arc<PruningLog>)>,
}

impl<O: Op> Op for PrunedGradient<O> {
    const NAME: &'static str = O::NAME;
    const INPUTS: ArrayNames = O::INPUTS;
    const OUTPUTS: ArrayNames = O::OUTPUTS;
    const READS: Reads = O::READS;
    type Saved<S: Scalar> = O::Saved<S>;

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        self.op.out_shapes(inputs)
    }

    fn cost(&self, inputs: &[&[usize]], outputs: &[Shape]) -> Cost {
        self.op.cost(inputs, outputs)
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, O::Saved<S>) {
        self.op.forward(kernel, inputs)
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        outputs: &[ArrayViewD<S>],
        saved: &O::Saved<S>,
        upstream: &mut [Argument<S>],
        wanted: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        if !wanted[0] {
            return self.op.backward(kernel, inputs, outputs, saved, upstream, wanted);
        }
        let x = upstream[0].view();
        let pruned = self.pruning.apply(kernel, &x);
        let mut gradients =
            self.op.backward(kernel, inputs, outputs, saved, &mut [x.view().into()], &only(false, wanted));
        let of_input =
            self.op.backward(kernel, inputs, outputs, saved, &mut [pruned.y.view().into()], &only(true, wanted));
        gradients[0] = of_input.into_iter().next().flatten();
        if let Some((layer, log)) = &self.log {
            let is_told = is_matrix(x.shape(), inputs[1].shape());
            let made = |i: usize| gradients[i].as_ref().map(|gradient| gradient.view());
            let arrays = [Some(inputs[0].view()), Some(inputs[1].view()), made(1), made(0)];
            log.add(layer, &x, &pruned, others(arrays.map(|array| array.filter(|_| is_told))));
        }
        gradients
    }

    /// What is kept is chosen in the host's memory, as everywhere.
    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let Seated { outputs, backward } = self.op.on_device(device, inputs)?;
        let (pruning, log) = (self.pruning.clone(), self.log.clone());
        Ok(Seated::new(outputs, move |passed| {
            if !passed.wanted[0] {
                return backward(passed);
            }
            let (device, dy) = (passed.device, passed.upstream[0].download(passed.device)?);
            let pruned = pruning.apply(Kernel::any(), &dy.view());
            let sent = [DeviceTensor::upload(device, &pruned.y.view())?];
            let mut gradients = backward(Passed { wanted: &only(false, passed.wanted), ..passed })?;
            let of_input = backward(Passed { upstream: &sent, wanted: &only(true, passed.wanted), ..passed })?;
            gradients[0] = of_input.into_iter().next().flatten();
            if let Some((layer, log)) = &log {
                let is_told = log.is_full && is_matrix(dy.shape(), passed.inputs[1].shape);
                let download = |tensor: Option<&DeviceTensor<S>>| {
                    tensor.filter(|_| is_told).map(|tensor| tensor.download(device)).transpose()
                };
                let [x, w] = [0, 1].map(|i| passed.inputs[i].tensor().and_then(|x| download(Some(x))));
                let [dx, dw] = [0, 1].map(|i| download(gradients[i].as_ref()));
                let (x, w, dx, dw) = (x?, w?, dx?, dw?);
                log.add(
                    layer,
                    &dy.view(),
                    &pruned,
                    others([&x, &w, &dw, &dx].map(|array| array.as_ref().map(|x| x.view()))),
                );
            }
            Ok(gradients)
        }))
    }
}
