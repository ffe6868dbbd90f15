//! The kernels agree: Literal and Fast with the truth within the a-priori bound, with integer arithmetic bit for bit,
//! and Fast with itself for any number of threads. The same checks reject kernels with planted faults.

mod bound;
mod candidate;
mod cases;
mod exact;
mod faults;
mod linear;
mod listed;
mod pool;
mod sparse;
mod threads;
mod toeplitz;
