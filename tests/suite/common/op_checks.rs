//! The checks that every op must pass, as functions: the proofs call them on the ops of [`gdstar::ops::OPS`], and the
//! planted faults call the very same functions on ops that are wrong in one line.
//!
//! No tolerance is chosen here: every comparison that is not bit for bit is made in [`Bounded`], whose error is a
//! running analysis of the rounding on both sides.

use super::layout::Scattered;
use gdstar::Result;
use gdstar::kernel::Kernel;
use gdstar::op::{Evaluation, List, Op, Shape, evaluate};
use gdstar::ops::{AnyOp, Case};
use gdstar::scalar::{Bounded, DoubleDouble, Dual, Rounding, Scalar};
use ndarray::{ArrayD, ArrayViewD, IxDyn};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fmt::Debug;

/// What a check returns: nothing, or what it saw.
pub type Verdict = std::result::Result<(), String>;

/// Something with an op's forward and backward.
pub trait Subject: Clone + Debug {
    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>>;
    fn evaluate<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        upstream: &[Option<ArrayViewD<S>>],
        wanted: &[bool],
    ) -> Result<Evaluation<S>>;
}

impl Subject for AnyOp {
    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        self.out_shapes(inputs)
    }
    fn evaluate<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        upstream: &[Option<ArrayViewD<S>>],
        wanted: &[bool],
    ) -> Result<Evaluation<S>> {
        self.evaluate(kernel, inputs, upstream, wanted)
    }
}

/// One op as a [`Subject`].
#[derive(Debug, Clone)]
pub struct Single<O>(pub O);

impl<O: Op> Subject for Single<O> {
    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        self.0.out_shapes(inputs)
    }
    fn evaluate<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        upstream: &[Option<ArrayViewD<S>>],
        wanted: &[bool],
    ) -> Result<Evaluation<S>> {
        evaluate(&self.0, kernel, inputs, upstream, wanted)
    }
}

/// How the arrays of a case lie in memory.
#[derive(Debug, Clone, Copy)]
pub enum Layout {
    RowMajor,
    /// Samples side by side, as the fast kernels want them.
    BatchInnermost,
    /// Axes permuted, stepped and reversed as this seed draws them, with NaN in between.
    Scattered(u64),
}

impl Layout {
    /// `arrays` in this layout; `None` where that is how they lie.
    fn store<S: Scalar>(self, arrays: &[ArrayD<S>]) -> Vec<Option<Scattered<S>>> {
        let nan = S::from_f64(f64::NAN);
        match self {
            Self::RowMajor => vec![None; arrays.len()],
            Self::BatchInnermost => arrays.iter().map(|x| Some(Scattered::batch_innermost(x, nan))).collect(),
            Self::Scattered(seed) => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                arrays.iter().map(|x| Some(Scattered::new(&mut rng, x, nan))).collect()
            }
        }
    }
}

/// The views of `arrays` as they were stored.
fn views<'a, S: Scalar>(arrays: &'a [ArrayD<S>], stored: &'a [Option<Scattered<S>>]) -> Vec<ArrayViewD<'a, S>> {
    let view = |(x, scattered): (&'a ArrayD<S>, &'a Option<Scattered<S>>)| match scattered {
        Some(scattered) => scattered.view(),
        None => x.view(),
    };
    arrays.iter().zip(stored).map(view).collect()
}

/// A case with everything drawn that the checks need: upstream gradients, and a direction for every input.
#[derive(Debug, Clone)]
pub struct Drawn<O> {
    pub op: O,
    pub inputs: Vec<ArrayD<f64>>,
    pub upstream: Vec<ArrayD<f64>>,
    /// Zero where the op does not differentiate.
    pub directions: Vec<ArrayD<f64>>,
    pub layout: Layout,
}

impl<O: Subject> Drawn<O> {
    pub fn new(case: Case<O>, rng: &mut ChaCha8Rng) -> std::result::Result<Self, String> {
        let shapes: Vec<&[usize]> = case.inputs.iter().map(ArrayD::shape).collect();
        let out_shapes = case.op.out_shapes(&shapes).map_err(|error| format!("sample rejected: {error}"))?;
        let mut draw =
            |shape: &[usize]| ArrayD::from_shape_simple_fn(shape, || f64::from(rng.random_range(-1.0f32..1.0)));
        let upstream = out_shapes.iter().map(|shape| draw(shape)).collect();
        let directions = case.inputs.iter().map(|x| draw(x.shape())).collect::<Vec<_>>();
        let constant = |(u, &moves): (ArrayD<f64>, &bool)| if moves { u } else { u * 0.0 };
        let directions = directions.into_iter().zip(&case.differentiable).map(constant).collect();
        let layout = if rng.random() { Layout::RowMajor } else { Layout::Scattered(rng.random()) };
        Ok(Self { op: case.op, inputs: case.inputs, upstream, directions, layout })
    }

    /// The op on the inputs and upstream gradients given, laid out as drawn.
    fn evaluate<S: Scalar>(
        &self,
        kernel: Kernel,
        layout: Layout,
        [inputs, upstream]: [&[ArrayD<S>]; 2],
        wanted: &[bool],
    ) -> std::result::Result<Evaluation<S>, String> {
        let [stored_inputs, stored_upstream] = [inputs, upstream].map(|arrays| layout.store(arrays));
        let flowing: Vec<_> = views(upstream, &stored_upstream).into_iter().map(Some).collect();
        let inputs = views(inputs, &stored_inputs);
        self.op.evaluate(kernel, &inputs, &flowing, wanted).map_err(|error| error.to_string())
    }

    /// Forward and backward in `S`, every gradient wanted.
    pub fn run<S: Scalar>(&self, kernel: Kernel, layout: Layout) -> std::result::Result<Evaluation<S>, String> {
        let [inputs, upstream] = [&self.inputs, &self.upstream].map(|arrays| numbers::<S>(arrays));
        self.evaluate(kernel, layout, [&inputs, &upstream], &vec![true; inputs.len()])
    }
}

/// The arrays in another number system; every value is exact in `f32`, so in all of them.
pub fn numbers<S: Scalar>(arrays: &[ArrayD<f64>]) -> Vec<ArrayD<S>> {
    arrays.iter().map(|x| x.mapv(S::from_f64)).collect()
}

fn bits(x: f64) -> u64 {
    if x == 0.0 { 0 } else { x.to_bits() } // the sign of a zero is no part of any promise
}

fn same_bits<S: Scalar>(what: &str, a: &ArrayD<S>, b: &ArrayD<S>) -> Verdict {
    let equal = a.shape() == b.shape() && a.iter().zip(b).all(|(a, b)| bits(a.to_f64()) == bits(b.to_f64()));
    if equal { Ok(()) } else { Err(format!("{what}: {a:?} is not {b:?}")) }
}

/// All arrays of an evaluation, each with its name.
fn named<S: Scalar>(result: &Evaluation<S>) -> impl Iterator<Item = (String, Option<&ArrayD<S>>)> {
    let outputs = result.outputs.iter().enumerate().map(|(i, y)| (format!("output {i}"), Some(y)));
    let gradients = result.gradients.iter().enumerate().map(|(i, g)| (format!("gradient {i}"), g.as_ref()));
    outputs.chain(gradients)
}

/// Outputs have the shapes that `out_shapes` says, gradients those of the inputs.
pub fn shapes_agree<O: Subject>(case: &Drawn<O>) -> Verdict {
    let result = case.run::<f32>(Kernel::Literal, Layout::RowMajor)?;
    let promised: Vec<&[usize]> = case.upstream.iter().map(ArrayD::shape).collect();
    let found: Vec<&[usize]> = result.outputs.iter().map(ArrayD::shape).collect();
    if promised != found {
        return Err(format!("out_shapes {promised:?}, forward {found:?}"));
    }
    for (i, (x, gradient)) in case.inputs.iter().zip(&result.gradients).enumerate() {
        match gradient {
            Some(gradient) if gradient.shape() == x.shape() => {}
            _ => return Err(format!("gradient {i}: {gradient:?} for an input of shape {:?}", x.shape())),
        }
    }
    Ok(())
}

/// Whether `distance` is at most `bound`: never, if either is NaN.
fn within(distance: f64, bound: f64) -> bool {
    distance <= bound
}

/// (a) The adjoint identity `<dy, J u> = <J^T dy, u>`: J u by forward mode, J^T dy by the op's backward, both with
/// error bounds. The two sides must agree within the sum of their errors.
///
/// The bound must also be worth having: below 2^`useful` of the sum of the absolute terms.
pub fn adjoint_identity<S: Rounding, O: Subject>(case: &Drawn<O>, useful: i32) -> Verdict {
    let [x, u, dy] = [&case.inputs, &case.directions, &case.upstream].map(|arrays| numbers::<Bounded<S>>(arrays));
    let along = |(x, u): (&ArrayD<Bounded<S>>, &ArrayD<Bounded<S>>)| {
        let moving = x.iter().zip(u).map(|(&x, &u)| Dual::new(x, u)).collect();
        ArrayD::from_shape_vec(x.shape(), moving).map_err(|error| error.to_string())
    };
    let moving: Vec<_> = x.iter().zip(&u).map(along).collect::<std::result::Result<_, _>>()?;
    let still = vec![false; x.len()];
    let forward = case.evaluate(Kernel::Literal, case.layout, [&moving, &[]], &still)?;
    let backward = case.evaluate(Kernel::Literal, case.layout, [&x, &dy], &vec![true; x.len()])?;
    let mut difference = Bounded::<S>::ZERO;
    let mut magnitude = 0.0;
    for (dy, y) in dy.iter().zip(&forward.outputs) {
        for (&dy, y) in dy.iter().zip(y) {
            difference += dy * y.derivative();
            magnitude += (dy * y.derivative()).to_f64().abs();
        }
    }
    for (i, (u, gradient)) in u.iter().zip(&backward.gradients).enumerate() {
        let gradient = gradient.as_ref().ok_or_else(|| format!("gradient {i} is missing"))?;
        for (&u, &g) in u.iter().zip(gradient) {
            difference -= g * u;
            magnitude += (g * u).to_f64().abs();
        }
    }
    let (distance, error) = (difference.to_f64().abs(), difference.error());
    if !within(distance, error) {
        return Err(format!("<dy, J u> and <J^T dy, u> differ by {distance:e}, the bound is {error:e}"));
    }
    if !within(error, magnitude * 2f64.powi(useful) + f64::MIN_POSITIVE) {
        return Err(format!("the bound {error:e} says nothing about terms that sum to {magnitude:e}"));
    }
    Ok(())
}

/// (b) Values in `S` are within their own error bound of the 31-digit ones, and `S` computes those very values.
pub fn close_to_truth<S: Rounding, O: Subject>(case: &Drawn<O>, kernel: Kernel) -> Verdict {
    let plain = case.run::<S>(kernel, case.layout)?;
    let bounded = case.run::<Bounded<S>>(kernel, case.layout)?;
    let truth = case.run::<Bounded<DoubleDouble>>(Kernel::Literal, case.layout)?;
    for (((name, plain), (_, bounded)), (_, truth)) in named(&plain).zip(named(&bounded)).zip(named(&truth)) {
        let (Some(plain), Some(bounded), Some(truth)) = (plain, bounded, truth) else {
            return Err(format!("{name} is missing"));
        };
        for ((plain, bounded), truth) in plain.iter().zip(bounded).zip(truth) {
            if bits(plain.to_f64()) != bits(bounded.to_f64()) {
                return Err(format!("{name}: {plain:?} in {}, {bounded:?} with bounds", S::NAME));
            }
            let distance = (DoubleDouble::from(plain.to_f64()) - truth.value()).to_f64().abs();
            // The f64 difference of the two is itself rounded once, hence the factor.
            let error = (bounded.error() + truth.error()) * (1.0 + 2.0 * f64::EPSILON);
            if !within(distance, error) {
                return Err(format!("{name}: {plain:?} is {distance:e} from {truth:?}, the bound is {error:e}"));
            }
        }
    }
    Ok(())
}

/// The forward agrees with the op's definition, which it states apart from its forward.
pub fn matches_definition<O: Subject>(case: &Drawn<O>, definition: &AnyOp) -> Verdict {
    type Truth = Bounded<DoubleDouble>;
    let found = case.run::<Bounded<f64>>(Kernel::Literal, case.layout)?;
    let expected = definition.definition(&numbers::<Truth>(&case.inputs));
    if found.outputs.len() != expected.len() {
        return Err(format!("{} outputs, the definition has {}", found.outputs.len(), expected.len()));
    }
    for (i, (found, expected)) in found.outputs.iter().zip(&expected).enumerate() {
        if found.shape() != expected.shape() {
            return Err(format!("output {i}: shape {:?}, by definition {:?}", found.shape(), expected.shape()));
        }
        for (found, expected) in found.iter().zip(expected) {
            let distance = (Truth::from_f64(found.to_f64()) - *expected).to_f64().abs();
            let error = (found.error() + expected.error()) * (1.0 + 2.0 * f64::EPSILON);
            if !within(distance, error) {
                return Err(format!("output {i}: {found:?}, by definition {expected:?}"));
            }
        }
    }
    Ok(())
}

/// Strides change no bit.
pub fn layouts_agree<S: Scalar, O: Subject>(case: &Drawn<O>, kernel: Kernel) -> Verdict {
    let scattered = [case.layout, Layout::Scattered(1), Layout::Scattered(2), Layout::Scattered(3)];
    same_in_layouts::<S, _>(case, kernel, &scattered)
}

/// Results have the bits of those from row-major arrays.
pub fn same_in_layouts<S: Scalar, O: Subject>(case: &Drawn<O>, kernel: Kernel, layouts: &[Layout]) -> Verdict {
    let expected = case.run::<S>(kernel, Layout::RowMajor)?;
    for &layout in layouts {
        let found = case.run::<S>(kernel, layout)?;
        for ((name, found), (_, expected)) in named(&found).zip(named(&expected)) {
            let (Some(found), Some(expected)) = (found, expected) else { return Err(format!("{name} is missing")) };
            same_bits(&format!("{name}, {layout:?}"), found, expected)?;
        }
    }
    Ok(())
}

/// From batch-innermost inputs of rank 4, outputs and gradients of rank 4 lie batch-innermost too, and matrices `[n,c]`
/// made of them as `[c][n]`. Returns how many arrays were seen to: none, where an input lies row-major as well.
pub fn batch_innermost_stays<O: Subject>(case: &Drawn<O>) -> std::result::Result<usize, String> {
    let is_image =
        |x: &ArrayD<f64>| x.ndim() == 4 && !Scattered::batch_innermost(x, 0.0).view::<IxDyn>().is_standard_layout();
    if !case.inputs.iter().all(|x| x.ndim() == 1 || is_image(x)) {
        return Ok(0);
    }
    if case.upstream.iter().all(|y| y.ndim() < 2) {
        return Ok(0); // samples and channels in one axis: its gradient has no order to give
    }
    let result = case.run::<f32>(Kernel::Fast, Layout::BatchInnermost)?;
    let mut seen = 0;
    for (name, array) in named(&result) {
        let Some(array) = array else { return Err(format!("{name} is missing")) };
        let memory: &[usize] = match array.ndim() {
            2 => &[1, 0],
            4 => &[2, 3, 1, 0],
            _ => continue,
        };
        if !array.view().permuted_axes(memory).is_standard_layout() {
            return Err(format!("{name}: shape {:?}, strides {:?}", array.shape(), array.strides()));
        }
        seen += 1;
    }
    Ok(seen)
}

/// A gradient that is not wanted is absent or right, and asking for fewer changes no bit of the others.
pub fn wanted_is_respected<O: Subject>(case: &Drawn<O>) -> Verdict {
    let all = case.run::<f32>(Kernel::Literal, Layout::RowMajor)?;
    let [x, dy] = [&case.inputs, &case.upstream].map(|arrays| numbers::<f32>(arrays));
    for subset in 0..1usize << x.len().min(5) {
        let wanted: Vec<bool> = (0..x.len()).map(|i| subset >> i & 1 == 1).collect();
        let some = case.evaluate(Kernel::Literal, Layout::RowMajor, [&x, &dy], &wanted)?;
        for (i, &wanted) in wanted.iter().enumerate() {
            match (&some.gradients[i], &all.gradients[i]) {
                (Some(found), Some(expected)) => same_bits(&format!("gradient {i}"), found, expected)?,
                (None, _) if !wanted => {}
                _ => return Err(format!("gradient {i} was wanted and is missing")),
            }
        }
    }
    Ok(())
}

/// No upstream gradient, or one of zeros, gives gradients of zeros.
pub fn zero_upstream_gives_zero<O: Subject>(case: &Drawn<O>) -> Verdict {
    let x = numbers::<f64>(&case.inputs);
    let zeros: Vec<_> = case.upstream.iter().map(|dy| dy * 0.0).collect();
    let none: &[ArrayD<f64>] = &[];
    for upstream in [&zeros, none] {
        let result = case.evaluate(Kernel::Literal, case.layout, [&x, upstream], &vec![true; x.len()])?;
        for (i, gradient) in result.gradients.iter().enumerate() {
            if !gradient.iter().flatten().all(|&g| g == 0.0) {
                return Err(format!("gradient {i}: {gradient:?} from no upstream gradient"));
            }
        }
    }
    Ok(())
}

/// Literal and Fast give the same bits (ops that hold no matrix product).
pub fn kernels_agree<S: Scalar, O: Subject>(case: &Drawn<O>) -> Verdict {
    let [literal, fast] = [Kernel::Literal, Kernel::Fast].map(|kernel| case.run::<S>(kernel, case.layout));
    let (literal, fast) = (literal?, fast?);
    for ((name, literal), (_, fast)) in named(&literal).zip(named(&fast)) {
        let (Some(literal), Some(fast)) = (literal, fast) else { return Err(format!("{name} is missing")) };
        same_bits(&name, fast, literal)?;
    }
    Ok(())
}
