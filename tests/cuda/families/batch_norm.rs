//! Batch norm in training and evaluation, with few values a channel and with many.

use super::draw::{ALL, Numbers, Trial};
use gdstar::kernel::{self, BatchNormSettings, Kernel, cuda};
use gdstar::scalar::Scalar;
use ndarray::ArrayD;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    let settings = BatchNormSettings { training: false, eps: 1e-3, momentum: 0.1 };
    one::<S>(trial, Numbers::Ordinary, &[1, 600], settings);
    for numbers in ALL {
        for shape in [&[5, 3][..], &[2, 4], &[257, 2], &[1, 2, 1, 2], &[3, 2, 4, 5], &[4, 18, 3, 9], &[3, 1, 10, 11]] {
            for training in [true, false] {
                one::<S>(trial, numbers, shape, BatchNormSettings { training, eps: 1e-3, momentum: 0.1 });
            }
        }
    }
}

fn one<S: Scalar>(trial: &mut Trial, numbers: Numbers, shape: &[usize], settings: BatchNormSettings) {
    let channels = &shape[1..2];
    let x = trial.array::<S>(numbers, shape);
    let [weight, bias, mean, variance] = [(); 4].map(|()| trial.array::<S>(numbers, channels));
    // A variance that is none has no root: nothing to compare.
    let variance = variance.mapv(|x| x.abs());
    let inputs = [x, weight, bias, mean, variance];
    let on_inputs = inputs.each_ref().map(|input| trial.on_device(input));
    let lent: Vec<_> = inputs.iter().map(|input| input.view().into()).collect();
    let (outputs, statistics) = kernel::batch_norm(Kernel::Literal, settings, &lent);
    let on_lent = on_inputs.each_ref();
    let (made, on_statistics) = cuda::batch_norm(trial.device, settings, &on_lent).unwrap();
    let what = format!("batch_norm of {shape:?}, {settings:?}");
    assert_eq!(outputs.len(), made.len(), "{what}");
    outputs.iter().zip(&made).for_each(|(literal, made)| trial.same(&what, &literal.view(), made));
    let upstream: Vec<ArrayD<S>> = outputs.iter().map(|y| trial.array(numbers, y.shape())).collect();
    let on_upstream: Vec<_> = upstream.iter().map(|dy| trial.on_device(dy)).collect();
    let views: Vec<_> = inputs.iter().map(|input| input.view()).collect();
    for wanted in [[true; 5], [false, true, false, true, false]] {
        let mut lent: Vec<_> = upstream.iter().map(|dy| dy.view().into()).collect();
        let literal = kernel::batch_norm_gradient(Kernel::Literal, settings, &views, &statistics, &mut lent, &wanted);
        let on_upstream: Vec<_> = on_upstream.iter().collect();
        let (x, weight) = (&on_inputs[0], &on_inputs[1]);
        let made =
            cuda::batch_norm_gradient(trial.device, settings, (x, weight), &on_statistics, &on_upstream, &wanted);
        for (literal, made) in literal.iter().zip(&made.unwrap()) {
            assert_eq!(literal.is_some(), made.is_some(), "{what}");
            let what = format!("gradient of {what}");
            literal.iter().zip(made).for_each(|(literal, made)| trial.same(&what, &literal.view(), made));
        }
    }
}
