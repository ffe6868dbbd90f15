//! The sparse kernels: exact on integers, within the a-priori bound else, the same bits in Literal as the dense kernels
//! on the weight's dense form; and stand-ins with one planted fault are rejected by the same checks.

use super::bound::{check_within, magnitudes, widened};
use super::cases::{Convolution, Operands, Values, scattered};
use super::exact::{check_equal, integers};
use super::toeplitz::Truth;
use crate::common::threads::is_invariant;
use gdstar::kernel::{self, Kernel, Pattern, Window};
use gdstar::scalar::{DoubleDouble, Scalar};
use ndarray::{Array1, Array4, ArrayView1, ArrayView4};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rand::Rng;

/// A convolution of whose weight a share lives: none, some, most, all of it.
#[derive(Debug, Clone)]
struct Case {
    dense: Convolution,
    living: f64,
}

impl Case {
    fn any() -> impl Strategy<Value = Self> {
        let living = prop_oneof![Just(0.0), Just(0.05), Just(0.3), Just(0.8), Just(1.0)];
        (Convolution::any(), living).prop_map(|(dense, living)| Self { dense, living })
    }

    fn draw(&self, values: Values) -> (Operands, Pattern) {
        let mut rng = self.dense.rng();
        let mut operands = self.dense.draw(&mut rng, values);
        let alive: Vec<bool> = operands.w.iter().map(|_| rng.random_bool(self.living)).collect();
        operands.w.iter_mut().zip(&alive).filter(|(_, alive)| !**alive).for_each(|(w, _)| *w = 0.0);
        let pattern = Pattern::new(&self.dense.w, &alive).unwrap();
        (operands, pattern)
    }
}

fn living<S: Scalar>(pattern: &Pattern, w: &Array4<f64>) -> Vec<S> {
    pattern.gather(w.as_slice().unwrap()).into_iter().map(S::from_f64).collect()
}

/// What the checks hold to account: the crate's sparse kernels, or a faulty stand-in.
trait Candidate: Copy {
    fn forward<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        w: (&Pattern, &[S]),
        bias: Option<ArrayView1<S>>,
    ) -> Array4<S>;
    fn input_gradient<S: Scalar>(
        self,
        window: Window,
        dy: ArrayView4<S>,
        w: (&Pattern, &[S]),
        x_shape: [usize; 4],
    ) -> Array4<S>;
    fn weight_gradient<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        dy: ArrayView4<S>,
        pattern: &Pattern,
    ) -> Array1<S>;
}

impl Candidate for Kernel {
    fn forward<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        w: (&Pattern, &[S]),
        bias: Option<ArrayView1<S>>,
    ) -> Array4<S> {
        kernel::sparse_conv2d(self, window, x, w, bias)
    }
    fn input_gradient<S: Scalar>(
        self,
        window: Window,
        dy: ArrayView4<S>,
        w: (&Pattern, &[S]),
        x_shape: [usize; 4],
    ) -> Array4<S> {
        kernel::sparse_conv2d_input_gradient(self, window, dy, w, x_shape)
    }
    fn weight_gradient<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        dy: ArrayView4<S>,
        pattern: &Pattern,
    ) -> Array1<S> {
        kernel::sparse_conv2d_weight_gradient(self, window, x, dy, pattern)
    }
}

/// y, dx and the gradient of the values, on small integers, against the explicit matrix of the dense form.
fn check_exact<S: Scalar>(candidate: impl Candidate, case: &Case) -> Result<(), TestCaseError> {
    let (Operands { x, w, bias, dy }, pattern) = case.draw(Values::Integers);
    let window = case.dense.window;
    let truth =
        Truth::new(window, integers(&x).view(), integers(&w).view(), integers(&bias).view(), integers(&dy).view());
    let values = living::<S>(&pattern, &w);
    let mut rng = case.dense.rng();
    let [x, dy] = [&x, &dy].map(|array| scattered::<S, _>(&mut rng, array));
    let bias = scattered::<S, _>(&mut rng, &bias);
    let w = (&pattern, &values[..]);
    check_equal("y", &candidate.forward(window, x.view(), w, None), &truth.y)?;
    check_equal("y + bias", &candidate.forward(window, x.view(), w, Some(bias.view())), &truth.with_bias)?;
    check_equal("dx", &candidate.input_gradient(window, dy.view(), w, case.dense.x), &truth.dx)?;
    let dw = Array1::from(pattern.gather(truth.dw.as_standard_layout().as_slice().unwrap()));
    check_equal("dw", &candidate.weight_gradient(window, x.view(), dy.view(), &pattern), &dw)
}

/// The same in `S` on uneven values, against 31 digits; a sum has as many terms as entries live in it at the most.
fn check_bound<S: Scalar>(kernel: Kernel, case: &Case) -> Result<(), TestCaseError> {
    let (Operands { x, w, bias, dy }, pattern) = case.draw(Values::Uneven);
    let window = case.dense.window;
    type Form = fn(&Array4<f64>) -> Array4<DoubleDouble>;
    let truth = |form: Form, bias: Array1<DoubleDouble>| {
        let (x, w, dy) = (form(&x), form(&w), form(&dy));
        let dw = kernel::conv2d_weight_gradient(Kernel::Literal, window, x.view(), dy.view(), case.dense.w);
        (
            kernel::conv2d_with_bias(Kernel::Literal, window, x.view(), w.view(), Some(bias.view())),
            kernel::conv2d_input_gradient(Kernel::Literal, window, dy.view(), w.view(), case.dense.x),
            Array1::from(pattern.gather(dw.as_standard_layout().as_slice().unwrap())),
        )
    };
    let (exact, magnitude) = (truth(widened, widened(&bias)), truth(magnitudes, magnitudes(&bias)));
    let values = living::<S>(&pattern, &w);
    let mut rng = case.dense.rng();
    let [x, dy] = [&x, &dy].map(|array| scattered::<S, _>(&mut rng, array));
    let bias = scattered::<S, _>(&mut rng, &bias);
    let w = (&pattern, &values[..]);
    let of_y = (0..case.dense.w[0]).map(|o| pattern.row(o).len()).max().unwrap_or(0);
    let [_, of_dx, of_dw] = case.dense.terms();
    let y = kernel::sparse_conv2d(kernel, window, x.view(), w, Some(bias.view()));
    check_within(kernel, of_y + 1, &y, &exact.0, &magnitude.0)?;
    let dx = kernel::sparse_conv2d_input_gradient(kernel, window, dy.view(), w, case.dense.x);
    check_within(kernel, of_dx, &dx, &exact.1, &magnitude.1)?;
    let dw = kernel::sparse_conv2d_weight_gradient(kernel, window, x.view(), dy.view(), &pattern);
    check_within(kernel, of_dw, &dw, &exact.2, &magnitude.2)
}

fn bits<S: Scalar>(values: impl IntoIterator<Item = S>) -> Vec<u64> {
    values.into_iter().map(|value| value.to_f64().to_bits()).collect()
}

/// Literal: bit for bit the dense kernels on the dense form.
fn check_literal<S: Scalar>(case: &Case) -> Result<(), TestCaseError> {
    let (operands, pattern) = case.draw(Values::Uneven);
    let window = case.dense.window;
    let [x, w, dy] = [&operands.x, &operands.w, &operands.dy].map(|array| array.mapv(S::from_f64));
    let values = living::<S>(&pattern, &operands.w);
    let sparse = (&pattern, &values[..]);
    let literal = Kernel::Literal;
    let y = kernel::sparse_conv2d(literal, window, x.view(), sparse, None);
    prop_assert_eq!(bits(y), bits(kernel::conv2d(literal, window, x.view(), w.view())));
    let dx = kernel::sparse_conv2d_input_gradient(literal, window, dy.view(), sparse, case.dense.x);
    let of_dense = kernel::conv2d_input_gradient(literal, window, dy.view(), w.view(), case.dense.x);
    prop_assert_eq!(bits(dx), bits(of_dense));
    let dw = kernel::sparse_conv2d_weight_gradient(literal, window, x.view(), dy.view(), &pattern);
    let of_dense = kernel::conv2d_weight_gradient(literal, window, x.view(), dy.view(), case.dense.w);
    prop_assert_eq!(bits(dw), bits(pattern.gather(of_dense.as_slice().unwrap())));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn sparse_convolutions_of_integers_are_exact(case in Case::any()) {
        for kernel in [Kernel::Literal, Kernel::Fast] {
            check_exact::<f32>(kernel, &case)?;
            check_exact::<f64>(kernel, &case)?;
        }
    }

    #[test]
    fn sparse_convolutions_are_within_the_a_priori_bound(case in Case::any()) {
        for kernel in [Kernel::Literal, Kernel::Fast] {
            check_bound::<f32>(kernel, &case)?;
            check_bound::<f64>(kernel, &case)?;
        }
    }

    #[test]
    fn literal_gives_the_bits_of_the_dense_form(case in Case::any()) {
        check_literal::<f32>(&case)?;
        check_literal::<f64>(&case)?;
    }

    /// Scattering and gathering are each other's contrary on living entries, and the dead are +0.
    #[test]
    fn patterns_lose_nothing(alive in proptest::collection::vec(any::<bool>(), 24), rank in prop_oneof![Just(2), Just(4)]) {
        let shape: &[usize] = if rank == 2 { &[4, 6] } else { &[4, 1, 3, 2] };
        let pattern = Pattern::new(shape, &alive).unwrap();
        let dense: Vec<f64> = (1..=24).map(f64::from).collect();
        let back = pattern.scatter(&pattern.gather(&dense));
        prop_assert_eq!(back.shape(), shape);
        for ((&back, &was), &alive) in back.iter().zip(&dense).zip(&alive) {
            prop_assert_eq!(back.to_bits(), if alive { was } else { 0.0 }.to_bits());
        }
        let living: Vec<usize> = (0..24).filter(|&i| alive[i]).collect();
        prop_assert_eq!(pattern.positions().collect::<Vec<_>>(), &living[..]);
        prop_assert_eq!(pattern.nnz(), living.len());
    }
}

/// Enough work for threads and for every path of the fast kernels, exactly; the same bits for any number of threads.
#[test]
fn fast_sparse_kernels_are_exact_past_every_block_boundary() {
    for dense in Convolution::past_blocks() {
        let case = Case { dense, living: 0.1 };
        let (Operands { x, w, bias, dy }, pattern) = case.draw(Values::Integers);
        let window = case.dense.window;
        let [x, dy] = [x, dy].map(|array| array.mapv(|x| x as f32));
        let (values, bias) = (living::<f32>(&pattern, &w), bias.mapv(|x| x as f32));
        let all = |kernel: Kernel| -> Vec<f32> {
            let w = (&pattern, &values[..]);
            let y = kernel.forward(window, x.view(), w, Some(bias.view()));
            let dx = kernel.input_gradient(window, dy.view(), w, case.dense.x);
            y.into_iter().chain(dx).chain(kernel.weight_gradient(window, x.view(), dy.view(), &pattern)).collect()
        };
        assert!(bits(all(Kernel::Fast)) == bits(all(Kernel::Literal)), "{case:?}");
        assert!(is_invariant(|| all(Kernel::Fast)), "{case:?}");
    }
}

/// A pattern's shape and mask must fit each other.
#[test]
fn misfitting_masks_are_refused() {
    for (shape, entries, named) in [(&[6][..], 6, "[out, in]"), (&[2, 3], 5, "6 entries"), (&[1, 2, 3], 6, "[o, c, kh")]
    {
        let error = Pattern::new(shape, &vec![true; entries]).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
    let nothing = Pattern::new(&[0, 3], &[]).unwrap();
    assert_eq!((nothing.nnz(), nothing.sparsity(), nothing.starts()), (0, 0.0, &[0][..]));
}

/// What is wrong in a stand-in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Values and columns are taken apart by one.
    ColumnOffByOne,
    /// Positions in `[c,kh,kw]` are read as `[c,kw,kh]`.
    TapsTransposed,
    /// Each output's row starts one entry late.
    LateStart,
    LastLivingDropped,
    /// In the input gradient the outputs of a row are mixed up.
    RowsReversed,
    /// The weight gradient is of the first entries, not of the living ones.
    NotSampled,
    BiasForgotten,
}

/// The crate's literal kernels on a pattern or values that are wrong.
#[derive(Debug, Clone, Copy)]
struct Faulty(Fault);

impl Faulty {
    fn dense<S: Scalar>(self, (pattern, values): (&Pattern, &[S]), backward: bool) -> Array4<S> {
        let [o, c, kh, kw] = pattern.filters();
        let (filter, mut w) = (c * kh * kw, Array4::from_elem(pattern.filters(), S::ZERO));
        for (i, (position, &value)) in pattern.positions().zip(values).enumerate() {
            let (mut row, mut column) = (position / filter, position % filter);
            match self.0 {
                Fault::ColumnOffByOne => column = (column + 1) % filter,
                Fault::LateStart if i == pattern.starts()[row] => continue,
                Fault::LastLivingDropped if i + 1 == pattern.nnz() => continue,
                Fault::RowsReversed if backward => row = o - 1 - row,
                _ => {}
            }
            let tap = column % (kh * kw);
            let [ky, kx] = match self.0 {
                Fault::TapsTransposed if kh > 1 && kw > 1 => [tap % kh, tap / kh],
                _ => [tap / kw, tap % kw],
            };
            w[[row, column / (kh * kw), ky, kx]] = value;
        }
        w
    }
}

impl Candidate for Faulty {
    fn forward<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        w: (&Pattern, &[S]),
        bias: Option<ArrayView1<S>>,
    ) -> Array4<S> {
        let bias = bias.filter(|_| self.0 != Fault::BiasForgotten);
        kernel::conv2d_with_bias(Kernel::Literal, window, x, self.dense(w, false).view(), bias)
    }
    fn input_gradient<S: Scalar>(
        self,
        window: Window,
        dy: ArrayView4<S>,
        w: (&Pattern, &[S]),
        x_shape: [usize; 4],
    ) -> Array4<S> {
        kernel::conv2d_input_gradient(Kernel::Literal, window, dy, self.dense(w, true).view(), x_shape)
    }
    fn weight_gradient<S: Scalar>(
        self,
        window: Window,
        x: ArrayView4<S>,
        dy: ArrayView4<S>,
        pattern: &Pattern,
    ) -> Array1<S> {
        let dw = kernel::conv2d_weight_gradient(Kernel::Literal, window, x, dy, pattern.filters());
        match self.0 {
            Fault::NotSampled => dw.iter().take(pattern.nnz()).copied().collect(),
            _ => pattern.gather(dw.as_slice().unwrap()).into(),
        }
    }
}

/// How many cases each fault gets to show itself: the order of what a property test draws.
const CASES: usize = 64;

#[test]
fn faults_in_a_sparse_kernel_are_caught() {
    let rejected = |fault: Fault| {
        let mut runner = TestRunner::deterministic();
        (0..CASES).any(|_| {
            let case = Case::any().new_tree(&mut runner).expect("no case is filtered out").current();
            check_exact::<f64>(Faulty(fault), &case).is_err()
        })
    };
    assert!(!rejected(Fault::None), "the stand-in is right without a fault");
    for fault in [
        Fault::ColumnOffByOne,
        Fault::TapsTransposed,
        Fault::LateStart,
        Fault::LastLivingDropped,
        Fault::RowsReversed,
        Fault::NotSampled,
        Fault::BiasForgotten,
    ] {
        assert!(rejected(fault), "{fault:?}");
    }
}
