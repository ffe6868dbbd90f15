//! [`gdstar::oracle::golden::condition`] for cases from files, of which nothing can fail.

use gdstar::op::Evaluation;
use gdstar::ops::{Care, cases::OpCase};
use gdstar::oracle::golden::condition;
use gdstar::scalar::DoubleDouble;

pub use gdstar::oracle::golden::condition::{error, longest_sum};

pub fn truth(case: &OpCase) -> Evaluation<DoubleDouble> {
    condition::truth(case).unwrap()
}

pub fn magnitude(case: &OpCase) -> Evaluation<f64> {
    condition::magnitude(case, Care::Ours).unwrap()
}

pub fn pytorch_magnitude(case: &OpCase) -> Evaluation<f64> {
    condition::magnitude(case, Care::PyTorch).unwrap()
}
