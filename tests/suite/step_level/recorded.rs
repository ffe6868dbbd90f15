//! What a trace records of a batch, held against the enclosure by [`Task::check`].

use super::{Case, Truth, as_computed};
use gdstar::data::{Source, Split, load};
use gdstar::kernel::Kernel;
use gdstar::oracle::arithmetic::Tolerance;
use gdstar::oracle::step::{AS_COMPUTED, Balls, Comparison, Recorded, RecordedGradient, Refusal, Task};
use gdstar::scalar::Dtype;
use gdstar::trace::Arithmetic;

const INDICES: [i64; 9] = [3, 1441, 0, 77, 500, 501, 502, 900, 12];

/// The batch as a run in `f32` sees it, and what it records.
fn recorded() -> (Case, Truth) {
    recorded_with(0.0)
}

/// The same with such label smoothing.
fn recorded_with(label_smoothing: f64) -> (Case, Truth) {
    let mut case = Case::lenet300(11, &INDICES);
    let positions = INDICES.map(|i| i as usize);
    let (x, labels) = load(Source::Digits, None).unwrap().batch::<f32>(Split::Train, &positions, None);
    (case.x, case.labels, case.label_smoothing) = (x.mapv(f64::from), labels, label_smoothing);
    let step = case.own::<f32>(Kernel::Fast);
    (case, step)
}

fn check(case: &Case, step: &Truth, change: impl Fn(&mut RecordedGradient)) -> Result<Comparison, Refusal> {
    let mut gradients: Vec<RecordedGradient> = step.gradients.iter().map(|(n, g)| as_computed(n, g.clone())).collect();
    gradients.iter_mut().for_each(change);
    let label_smoothing = case.label_smoothing;
    let recorded =
        Recorded { loss: Some(step.loss), loss_storage: AS_COMPUTED, label_smoothing, gradients: &gradients };
    let task = Task::find(Some("lenet300"), Some("digits")).unwrap();
    let weights = |name: &str| case.parameters.get(name).map(|p| Balls::exact(p.value.clone()));
    task.check(weights, &INDICES, &recorded, &Arithmetic::of(Dtype::F32))
}

#[test]
fn a_run_of_this_crate_is_inside() {
    let (case, step) = recorded();
    let comparison = check(&case, &step, |_| {}).unwrap();
    assert_eq!(comparison.mismatches, []);
    assert_eq!((comparison.compared, comparison.decisions), (50_611, 9 * 400));
}

/// A loss whose smoothing is declared is judged by it, and one of other targets is found.
#[test]
fn smoothed_labels_are_judged_as_declared() {
    let (mut case, step) = recorded_with(0.1);
    assert_eq!(check(&case, &step, |_| {}).unwrap().mismatches, []);
    for declared in [0.0, 0.11, 1.0] {
        case.label_smoothing = declared;
        assert!(check(&case, &step, |_| {}).unwrap().mismatches.len() > 1000, "{declared}");
    }
}

/// A gradient that was masked before it was recorded holds zeros where a weight is eliminated, and only there.
#[test]
fn masked_entries_may_be_zero() {
    let (case, step) = recorded();
    let masked = |with_mask: bool| {
        let change = |gradient: &mut RecordedGradient| {
            if gradient.name == "fc3.weight" {
                let mut alive = gradient.value.mapv(|_| true);
                for (i, (g, alive)) in gradient.value.iter_mut().zip(alive.iter_mut()).enumerate() {
                    if i % 3 == 0 && g.abs() > 1e-3 {
                        (*g, *alive) = (0.0, false);
                    }
                }
                gradient.alive = with_mask.then_some(alive);
            }
        };
        check(&case, &step, change).unwrap().mismatches.len()
    };
    assert_eq!(masked(true), 0);
    assert!(masked(false) > 100);
}

/// Gradients recorded with 8 significant bits, of which numbers below 2^-14 are 0.
#[test]
fn narrow_storage_is_allowed_for() {
    let (case, step) = recorded();
    let smallest = 1.0 / f64::from(1 << 14);
    let narrowed = |storage: Tolerance| {
        let change = |gradient: &mut RecordedGradient| {
            gradient.value.mapv_inplace(|g| if g.abs() < smallest { 0.0 } else { g * (1.0 + 1.0 / 256.0) });
            gradient.storage = storage;
        };
        check(&case, &step, change).unwrap().mismatches.len()
    };
    assert_eq!(narrowed(Tolerance { relative: 1.0 / 256.0, absolute: smallest }), 0);
    assert!(narrowed(AS_COMPUTED) > 0);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut case, step) = recorded();
    let reshaped = check(&case, &step, |gradient| gradient.value = gradient.value.t().to_owned());
    assert!(matches!(reshaped, Err(Refusal::Fit(_))), "{reshaped:?}");
    case.parameters[2].name = "other".to_string();
    let missing = check(&case, &step, |_| {}).unwrap_err().to_string();
    assert_eq!(missing, "the trace does not hold the weights `fc2.weight` at the start of the batch");
}

/// A pixel normalised in f32 in any usual way is within the input's ball: step by step, with a reciprocal, folded into
/// a factor and a summand.
#[test]
fn every_normalisation_is_inside() {
    let digits = load(Source::Digits, None).unwrap();
    let (mean, std) = (digits.normalisation.mean[0] as f32, digits.normalisation.std[0] as f32);
    let task = Task::find(Some("lenet300"), Some("digits")).unwrap();
    let indices: Vec<i64> = (0..20).collect();
    let (x, _) = task.batch(&indices, &Arithmetic::of(Dtype::F32)).unwrap();
    let pixels = indices.iter().flat_map(|&i| digits.train.image(i as usize));
    for ((&low, &high), &pixel) in x.low().iter().zip(&x.high()).zip(pixels) {
        let v = f32::from(pixel);
        let ways = [
            (v / 16.0 - mean) / std,
            (v / 16.0 - mean) * (1.0 / std),
            v * (1.0 / (16.0 * std)) - mean / std,
            v.mul_add(1.0 / 16.0 / std, -(mean / std)),
            ((f64::from(pixel) / 16.0 - digits.normalisation.mean[0]) / digits.normalisation.std[0]) as f32,
        ];
        for x in ways.map(f64::from) {
            assert!(low <= x && x <= high, "{pixel}: {x} is not within {low}, {high}");
        }
    }
}
