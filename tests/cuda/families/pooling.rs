//! Pooling: ties, NaN, padding, windows that overlap and that leave pixels out.

use super::draw::{ALL, Numbers, Trial};
use gdstar::kernel::{self, Kernel, Pooling, cuda};
use gdstar::scalar::Scalar;

pub fn try_all<S: Scalar>(trial: &mut Trial) {
    let cases = [
        (Pooling { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }, [2, 3, 6, 8]),
        (Pooling { kernel: [3, 2], stride: [1, 2], padding: [1, 1] }, [2, 2, 5, 7]),
        (Pooling { kernel: [2, 3], stride: [3, 4], padding: [0, 1] }, [1, 2, 9, 10]),
        (Pooling { kernel: [1, 1], stride: [1, 1], padding: [0, 0] }, [0, 2, 2, 2]),
        (Pooling { kernel: [2, 2], stride: [1, 1], padding: [1, 1] }, [1, 2, 18, 18]),
    ];
    for numbers in ALL.into_iter().chain([Numbers::Subnormal]) {
        for (pooling, shape) in cases {
            let x = trial.array::<S>(numbers, &shape);
            let (of, device, on_x) = (Kernel::Literal, trial.device, trial.on_device(&x));
            let what = |name: &str| format!("{name} of {shape:?}, {pooling:?}");
            let (y, positions) = kernel::max_pool2d(of, pooling, &x.view());
            let (made, on_positions) = cuda::max_pool2d(device, pooling, &on_x).unwrap();
            trial.same(&what("max_pool2d"), &y.view(), &made);
            let dy = trial.array::<S>(numbers, y.shape());
            let on_dy = trial.on_device(&dy);
            let dx = kernel::max_pool2d_gradient(of, pooling, &positions, &dy.view(), &shape);
            let made = cuda::max_pool2d_gradient(device, pooling, &on_positions, &on_dy, &shape).unwrap();
            trial.same(&what("max_pool2d_gradient"), &dx.view(), &made);
            for count_padding in [true, false] {
                let y = kernel::avg_pool2d(of, pooling, count_padding, &x.view());
                let made = cuda::avg_pool2d(device, pooling, count_padding, &on_x).unwrap();
                trial.same(&what("avg_pool2d"), &y.view(), &made);
                let dx = kernel::avg_pool2d_gradient(of, pooling, count_padding, &dy.view(), &shape);
                let made = cuda::avg_pool2d_gradient(device, pooling, count_padding, &on_dy, &shape).unwrap();
                trial.same(&what("avg_pool2d_gradient"), &dx.view(), &made);
            }
        }
        for shape in [[3, 4, 2, 5], [0, 2, 3, 3], [20, 30, 2, 1]] {
            let (x, dy) = (trial.array::<S>(numbers, &shape), trial.array::<S>(numbers, &shape[..2]));
            let y = kernel::plane_means(Kernel::Literal, &x.view(), &shape[..2]);
            let made = cuda::plane_means(trial.device, &trial.on_device(&x), &shape[..2]).unwrap();
            trial.same("plane_means", &y.view(), &made);
            let dx = kernel::plane_means_gradient(Kernel::Literal, &shape, &dy.view());
            let made = cuda::plane_means_gradient(trial.device, &shape, &trial.on_device(&dy)).unwrap();
            trial.same("plane_means_gradient", &dx.view(), &made);
        }
    }
}
