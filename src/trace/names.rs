//! The names of a trace's tensors, put together in one place.

use super::TracedParameter;

/// `epoch/<k>/<quantity>/<p>`.
pub fn of_parameter(k: usize, quantity: &str, parameter: &TracedParameter) -> String {
    format!("epoch/{k}/{quantity}/{}", parameter.name)
}

/// The gradient of batch `i`.
pub fn gradient(k: usize, i: usize, parameter: &TracedParameter) -> String {
    format!("epoch/{k}/batch/{i}/grad/{}", parameter.name)
}

/// The weights that the gradient of batch `i` was taken at.
pub fn within(k: usize, i: usize, parameter: &TracedParameter) -> String {
    format!("epoch/{k}/batch/{i}/weights/{}", parameter.name)
}
