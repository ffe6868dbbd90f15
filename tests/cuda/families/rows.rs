//! Cross entropy, whose rows are softmaxes: of one class, of equals, of logits far apart and of infinite ones.

use super::draw::{ALL, Numbers, Trial};
use gdstar::kernel::{self, Kernel, Targets, cuda};
use gdstar::scalar::Scalar;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    for numbers in ALL {
        for [n, classes] in [[1, 1], [1, 2], [7, 10], [3, 33], [600, 2]] {
            let mut x = trial.array::<S>(numbers, &[n, classes]);
            if numbers == Numbers::Ordinary {
                // Exponentials of all sizes.
                x.mapv_inplace(|x| x * S::from_f64(40.0));
            }
            let labels: Vec<usize> = (0..n).map(|i| i * 7 % classes).collect();
            let on_x = trial.on_device(&x);
            for smoothing in [0.0, 0.1] {
                let targets = Targets { labels: &labels, smoothing };
                let what = format!("cross_entropy of {n} x {classes}, {smoothing}");
                let (loss, softmax) = kernel::cross_entropy(Kernel::Literal, &x.view(), targets);
                let (made, on_softmax) = cuda::cross_entropy(trial.device, &on_x, targets).unwrap();
                trial.same(&what, &loss.view(), &made);
                let dy = trial.array::<S>(numbers, &[]);
                let of_loss = dy.first().unwrap().widen();
                let dx = kernel::cross_entropy_gradient(Kernel::Literal, &softmax, targets, of_loss, x.shape());
                let made = cuda::cross_entropy_gradient(trial.device, &on_softmax, &trial.on_device(&dy)).unwrap();
                trial.same(&format!("gradient of {what}"), &dx.view(), &made);
            }
        }
    }
    let x = trial.array::<S>(Numbers::Ordinary, &[2, 3]);
    let refused = |labels: &[usize]| {
        cuda::cross_entropy(trial.device, &trial.on_device(&x), Targets { labels, smoothing: 0.0 }).is_err()
    };
    assert!(refused(&[0, 3]) && refused(&[1]));
}
