//! A port of the training step that shares nothing with the crate but the description of the layers: every layer is a
//! list of which input meets which weight in which output, and every sum is formed in the order asked for.

use super::Case;
use super::mistake::{self, Mistake};
use gdstar::nn::Layer;
use ndarray::ArrayD;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// The order and association in which a port adds.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    Forward,
    Reverse,
    Pairwise,
    /// Partial sums of so many terms, added in order.
    Blocked(usize),
    /// A new random order for every sum.
    Shuffled,
    /// The largest first: large partial sums absorb small terms.
    LargestFirst,
}

/// How a port rounds each operation.
#[derive(Debug, Clone, Copy)]
pub enum Rounding {
    F32,
    F64,
    /// The relative error u times this, on every operation: the worst that the model of arithmetic admits.
    Biased(f64),
    /// A random error within f32's u, every operation anew.
    Noisy,
    /// Sums in f32, each stored result with 8 significant bits, as bfloat16.
    Bfloat16,
    /// f32, but what enters a product is rounded to 8 significant bits first, as in bfloat16 tensor cores.
    Bfloat16Inputs,
    /// f32 whose subnormal results are 0.
    FlushedF32,
}

/// Which formula the loss and its gradient are computed by.
#[derive(Debug, Clone, Copy)]
pub enum Formula {
    Shifted,
    ShiftAddedBack,
    Unshifted,
    /// Shifted by a maximum that moves along the row.
    Online,
    /// `-ln p`.
    Quotient,
    /// p from the logarithm, as in PyTorch's log_softmax.
    Power,
    /// The gradient of the summed loss, divided by n at the very end.
    ScaledLast,
}

/// What a port records of a step.
pub struct Truth {
    pub loss: f64,
    pub gradients: BTreeMap<String, ArrayD<f64>>,
}

pub struct Port {
    pub order: Order,
    pub rounding: Rounding,
    pub fused: bool,
    pub formula: Formula,
    pub mistake: Option<Mistake>,
    random: RefCell<ChaCha8Rng>,
}

impl Port {
    pub fn new(order: Order, rounding: Rounding, fused: bool, formula: Formula) -> Self {
        Self { order, rounding, fused, formula, mistake: None, random: RefCell::new(ChaCha8Rng::seed_from_u64(7)) }
    }

    /// The plainest correct port.
    pub fn right() -> Self {
        Self::new(Order::Forward, Rounding::F32, false, Formula::Shifted)
    }

    pub fn wrong(mistake: Mistake) -> Self {
        Self { mistake: Some(mistake), ..Self::right() }
    }

    pub fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// One rounded operation.
    pub fn round(&self, x: f64) -> f64 {
        let u = f64::from(f32::EPSILON) / 2.0;
        match self.rounding {
            Rounding::F32 | Rounding::Bfloat16 | Rounding::Bfloat16Inputs => f64::from(x as f32),
            Rounding::F64 => x,
            Rounding::Biased(share) => x * (1.0 + share * u),
            Rounding::Noisy => x * (1.0 + self.random.borrow_mut().random_range(-u..u)),
            Rounding::FlushedF32 => match x as f32 {
                x if x.is_subnormal() => 0.0,
                x => f64::from(x),
            },
        }
    }

    /// A result that is written to memory.
    pub fn store(&self, x: f64) -> f64 {
        match self.rounding {
            Rounding::Bfloat16 => bfloat16(x),
            _ => x,
        }
    }

    /// The sum of products, and a last term without a factor.
    pub fn sum(&self, mut products: Vec<(f64, f64)>, last: Option<f64>) -> f64 {
        if matches!(self.rounding, Rounding::Bfloat16Inputs) {
            products.iter_mut().filter(|(_, b)| *b != 1.0).for_each(|(a, b)| (*a, *b) = (bfloat16(*a), bfloat16(*b)));
        }
        products.extend(last.map(|term| (term, 1.0)));
        match self.order {
            Order::Reverse => products.reverse(),
            Order::Shuffled => products.shuffle(&mut *self.random.borrow_mut()),
            Order::LargestFirst => products.sort_by(|a, b| (b.0 * b.1).abs().total_cmp(&(a.0 * a.1).abs())),
            _ => {}
        }
        match self.order {
            Order::Pairwise => self.pairwise(&products),
            Order::Blocked(size) => {
                let blocks: Vec<(f64, f64)> = products.chunks(size).map(|b| (self.in_order(b), 1.0)).collect();
                self.in_order(&blocks)
            }
            _ => self.in_order(&products),
        }
    }

    fn product(&self, (a, b): (f64, f64)) -> f64 {
        if a == 1.0 || b == 1.0 { a * b } else { self.round(a * b) }
    }

    fn add(&self, a: f64, b: f64) -> f64 {
        if a == 0.0 || b == 0.0 { a + b } else { self.round(a + b) }
    }

    fn in_order(&self, products: &[(f64, f64)]) -> f64 {
        // A product with 0, and a sum with 0, are exact in any arithmetic.
        products.iter().filter(|(a, b)| *a != 0.0 && *b != 0.0).fold(0.0, |sum, &(a, b)| match sum {
            sum if self.fused && sum != 0.0 => self.round(a.mul_add(b, sum)),
            sum => self.add(sum, self.product((a, b))),
        })
    }

    fn pairwise(&self, products: &[(f64, f64)]) -> f64 {
        match products {
            [] => 0.0,
            [one] => self.product(*one),
            _ => {
                let (left, right) = products.split_at(products.len() / 2);
                self.add(self.pairwise(left), self.pairwise(right))
            }
        }
    }

    /// The step: forward, loss, backward.
    pub fn run(&self, case: &Case) -> Truth {
        let mut parameters: Vec<ArrayD<f64>> = case.parameters.iter().map(|p| p.value.clone()).collect();
        let names: Vec<&str> = case.parameters.iter().map(|p| p.name.as_str()).collect();
        let plain = || Self::right().run(case);
        let stepped = |by: f64| -> Vec<ArrayD<f64>> {
            let gradients = plain().gradients;
            case.parameters.iter().map(|p| &p.value - &(&gradients[&p.name] * by)).collect()
        };
        let mut of_backward = None;
        match self.mistake {
            // The step's learning rate: 0.1.
            Some(Mistake::StaleWeights) => parameters = stepped(-0.1),
            Some(Mistake::BackwardAfterUpdate) => of_backward = Some(stepped(0.1)),
            _ => {}
        }
        let mut x = case.x.clone();
        match self.mistake {
            Some(Mistake::ImagesTransposed) => x = x.permuted_axes(vec![0, 1, 3, 2]).as_standard_layout().into_owned(),
            Some(Mistake::InputNotNormalised) => x = x * 0.3762 + 0.3051,
            _ => {}
        }
        let labels = mistake::labels_seen(self.mistake, &case.labels, case.network.classes);
        let layers = chain(&case.network.layer);
        let mut steps: Vec<(&Layer, ArrayD<f64>, usize)> = Vec::new();
        let mut next = 0;
        for layer in layers {
            let y = self.forward(layer, &x, &parameters[next..]);
            steps.push((layer, x, next));
            x = y;
            next += parameter_count(layer);
        }
        let (loss, mut dy) = self.loss(&x, &labels, case.label_smoothing);
        let mut gradients = BTreeMap::new();
        let of_backward = of_backward.as_ref().unwrap_or(&parameters);
        for (layer, x, at) in steps.into_iter().rev() {
            let (dx, of_parameters) = self.backward(layer, &x, &dy, &of_backward[at..]);
            for (i, gradient) in of_parameters.into_iter().enumerate() {
                gradients.insert(names[at + i].to_string(), gradient);
            }
            dy = dx;
        }
        if matches!(self.formula, Formula::ScaledLast) {
            let n = case.labels.len() as f64;
            gradients.values_mut().for_each(|g| g.mapv_inplace(|g| self.store(self.round(g / n))));
        }
        mistake::spoil(self.mistake, case, &mut gradients, &plain);
        Truth { loss, gradients }
    }

    fn forward(&self, layer: &Layer, x: &ArrayD<f64>, parameters: &[ArrayD<f64>]) -> ArrayD<f64> {
        match layer {
            Layer::Relu => x.mapv(|x| if x < 0.0 && self.has(Mistake::ReluLeaks) { 0.01 * x } else { x.max(0.0) }),
            Layer::MaxPool { .. } => {
                let (shape, windows) = super::port_layers::windows(layer, x.shape());
                let flat = flat(x);
                let largest = |w: &Vec<usize>| w.iter().map(|&i| flat[i]).fold(f64::NEG_INFINITY, f64::max);
                array(&shape, windows.iter().map(largest).collect())
            }
            Layer::Flatten => array(&[x.shape()[0], x.len() / x.shape()[0]], flat(x)),
            _ => {
                let plan = super::port_layers::plan(layer, x.shape());
                let (x, w) = (flat(x), flat(&parameters[0]));
                let bias = |y: usize| {
                    let wanted = plan.has_bias && !self.has(Mistake::BiasNotAdded);
                    wanted.then(|| parameters[1][[plan.channel(y)]])
                };
                let terms = plan.by(|[y, ..]| y, |[_, x_at, w_at]| (x[x_at], w[w_at]), plan.outputs());
                let sums = terms.into_iter().enumerate().map(|(y, terms)| self.store(self.sum(terms, bias(y))));
                array(&plan.output, sums.collect())
            }
        }
    }

    fn backward(
        &self,
        layer: &Layer,
        x: &ArrayD<f64>,
        dy: &ArrayD<f64>,
        parameters: &[ArrayD<f64>],
    ) -> (ArrayD<f64>, Vec<ArrayD<f64>>) {
        match layer {
            Layer::Relu => {
                let pass = |(&x, &dy): (&f64, &f64)| match self.mistake {
                    Some(Mistake::ReluPassesAtZero) if x == 0.0 => dy,
                    Some(Mistake::ReluNotDifferentiated) => dy,
                    Some(Mistake::ReluLeaks) if x < 0.0 => 0.01 * dy,
                    Some(Mistake::ReluMaskInverted) if x < 0.0 => dy,
                    Some(Mistake::ReluMaskInverted) => 0.0,
                    _ if x > 0.0 => dy,
                    _ => 0.0,
                };
                (array(x.shape(), x.iter().zip(dy).map(pass).collect()), Vec::new())
            }
            Layer::MaxPool { .. } => {
                let (_, windows) = super::port_layers::windows(layer, x.shape());
                let (flat, mut terms) = (flat(x), vec![Vec::new(); x.len()]);
                for (window, &dy) in windows.iter().zip(dy) {
                    let first = window.iter().copied().reduce(|best, i| if flat[i] > flat[best] { i } else { best });
                    terms[first.unwrap()].push((dy, 1.0));
                }
                (array(x.shape(), terms.into_iter().map(|t| self.store(self.sum(t, None))).collect()), Vec::new())
            }
            Layer::Flatten => (array(x.shape(), flat(dy)), Vec::new()),
            _ => {
                let plan = super::port_layers::plan(layer, x.shape());
                let (xs, ws, dys) = (flat(x), flat(&parameters[0]), flat(dy));
                let transposed = self.has(Mistake::WeightTransposedInBackward);
                let [rows, columns] = [parameters[0].shape()[0], parameters[0].shape()[1]];
                let weight = |at: usize| ws[if transposed { at % columns * rows + at / columns } else { at }];
                let sums = |terms: Vec<Vec<(f64, f64)>>| {
                    terms.into_iter().map(|t| self.store(self.sum(t, None))).collect::<Vec<f64>>()
                };
                let dx = sums(plan.by(|[_, x, _]| x, |[y, _, w]| (dys[y], weight(w)), x.len()));
                let dw = sums(plan.by(|[.., w]| w, |[y, x, _]| (dys[y], xs[x]), ws.len()));
                let mut gradients = vec![array(parameters[0].shape(), dw)];
                if plan.has_bias {
                    let mut terms = vec![Vec::new(); parameters[1].len()];
                    dys.iter().enumerate().for_each(|(y, &dy)| terms[plan.channel(y)].push((dy, 1.0)));
                    gradients.push(array(parameters[1].shape(), sums(terms)));
                }
                (array(x.shape(), dx), gradients)
            }
        }
    }
}

/// Rounded to nearest in the upper half of an f32, ties to even.
fn bfloat16(x: f64) -> f64 {
    let bits = (x as f32).to_bits();
    let even = (bits >> 16) & 1;
    f64::from(f32::from_bits((bits + 0x7fff + even) & 0xffff_0000))
}

/// The layers of a plain chain.
pub fn chain(layer: &Layer) -> Vec<&Layer> {
    match layer {
        Layer::Sequence(layers) => layers.iter().flat_map(|(_, layer)| chain(layer)).collect(),
        layer => vec![layer],
    }
}

fn parameter_count(layer: &Layer) -> usize {
    match layer {
        Layer::Linear { .. } => 2,
        Layer::Conv2d { bias, .. } => 1 + usize::from(*bias),
        _ => 0,
    }
}

pub fn flat(x: &ArrayD<f64>) -> Vec<f64> {
    x.iter().copied().collect()
}

pub fn array(shape: &[usize], elements: Vec<f64>) -> ArrayD<f64> {
    ArrayD::from_shape_vec(shape, elements).unwrap()
}
