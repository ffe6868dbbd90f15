//! What readers asked of the paper and it does not answer. Where no network is asked for it is LeNet300, on MNIST.

pub(super) mod cost;
pub(super) mod k_star;
pub(super) mod layer_collapse;
pub(super) mod matched;
pub(super) mod methods;
pub(super) mod open_points;
pub(super) mod readings;
pub(super) mod rewind_choice;
pub(super) mod sensitivity;
pub(super) mod spread;
pub(super) mod structured;

/// The network on which a question is asked where none is named.
const NETWORK: &[&str] = &["lenet300"];

/// As a target's source.
const READERS: &str = "asked by readers";
