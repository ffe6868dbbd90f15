//! The extension module `gdstar._gdstar`: the library for Python, over NumPy's own memory.
//!
//! Nothing is computed here. Arrays are read and written where they lie ([`arrays`]), the interpreter's lock is released
//! while the library works, and every [`gdstar::Error`] becomes the exception `gdstar.Error` with its one line ([`error`]).

mod arrays;
mod error;
mod oracle;
mod paper;

use pyo3::prelude::*;

#[pymodule]
mod _gdstar {
    #[pymodule_export]
    use crate::oracle::{check_bytes, check_file, replay_bytes, replay_file};
    #[pymodule_export]
    use crate::paper::decay::{decay_factor, decay_step, decayed_weight, rewind_decay};
    #[pymodule_export]
    use crate::paper::gradient_norm::{
        accumulate_squares, accumulated_squares, frobenius_norm, mask_gradient, sum_of_l1_norms, sum_of_squared_norms,
        sum_of_squares,
    };
    #[pymodule_export]
    use crate::paper::rewind::RewindPoint;
    #[pymodule_export]
    use crate::paper::schedule::{computation_saving, equations, memory_saving, prune_rate};
    #[pymodule_export]
    use crate::paper::selection::{
        Selection, below_threshold, chunk_quantiles, chunk_sizes, mean_of_quantiles, quantile, select_structured,
        select_weights,
    };

    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
