//! Wrong steps are outside: every [`Mistake`](super::mistake::Mistake), planted in a port that is otherwise correct.

use super::mistake::MISTAKES;
use super::port::{Port, Truth, array, flat};
use super::{Case, outside};
use gdstar::scalar::Dtype;
use gdstar::trace::Arithmetic;

/// LeNet300 with half of the first layer's units eliminated, as GDSTAR leaves some: their ReLUs see exactly 0.
fn sparse_lenet300(samples: i64) -> Case {
    let mut case = Case::lenet300(3, &(100..100 + samples).collect::<Vec<i64>>());
    for parameter in case.parameters.iter_mut().filter(|p| p.name.starts_with("fc1")) {
        parameter.value.outer_iter_mut().enumerate().filter(|(o, _)| o % 2 == 0).for_each(|(_, mut row)| row.fill(0.0));
    }
    case
}

fn all_mistakes_are_outside(case: &Case) {
    let enclosure = case.enclose(&Arithmetic::of(Dtype::F32));
    assert_eq!(outside(&enclosure, &Port::right().run(case)).0, 0, "the port without a mistake");
    for &mistake in MISTAKES {
        let (outside, compared) = outside(&enclosure, &Port::wrong(mistake).run(case));
        println!("{mistake:?}: {outside} of {compared} outside");
        assert!(outside > 0, "{mistake:?} is inside");
    }
}

#[test]
fn every_planted_mistake_is_outside() {
    all_mistakes_are_outside(&sparse_lenet300(24));
}

/// With the loss near 0, gradients are small and cancel.
#[test]
fn every_planted_mistake_is_outside_after_training() {
    all_mistakes_are_outside(&sparse_lenet300(16).trained(60));
}

/// The same where labels are smoothed: targets of a port that does not smooth them are among the mistakes.
#[test]
fn every_planted_mistake_is_outside_of_smoothed_labels() {
    all_mistakes_are_outside(&Case { label_smoothing: 0.1, ..sparse_lenet300(24) });
}

/// One number in one gradient, off by the gradient's root mean square.
#[test]
fn a_single_wrong_entry_is_outside() {
    let case = sparse_lenet300(24);
    let enclosure = case.enclose(&Arithmetic::of(Dtype::F32));
    let right = Port::right().run(&case);
    let mut caught = 0;
    let mut planted = 0;
    for (name, gradient) in &right.gradients {
        let rms = (gradient.iter().map(|g| g * g).sum::<f64>() / gradient.len() as f64).sqrt();
        for at in (1..gradient.len()).step_by(gradient.len() / 8 + 1) {
            let mut wrong = flat(gradient);
            wrong[at] += rms;
            let mut gradients = right.gradients.clone();
            gradients.insert(name.clone(), array(gradient.shape(), wrong));
            planted += 1;
            caught += outside(&enclosure, &Truth { loss: right.loss, gradients }).0;
        }
    }
    assert_eq!(caught, planted);
}

#[test]
fn numbers_that_are_not_numbers_are_outside() {
    let case = sparse_lenet300(4);
    let enclosure = case.enclose(&Arithmetic::of(Dtype::F32));
    let right = Port::right().run(&case);
    for poison in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut gradients = right.gradients.clone();
        gradients.get_mut("fc2.weight").unwrap()[[1, 2]] = poison;
        assert_eq!(outside(&enclosure, &Truth { loss: poison, gradients }).0, 2);
    }
}
