//! The reference implementation of GDSTAR: gradient-based dynamic sparse training with adaptive rewinding.
//!
//! # The paper, found again
//!
//! | in the paper | function | chapter |
//! |---|---|---|
//! | section 3.1, Eq. 1 to 4: the size of an epoch's gradients | [`paper::gradient_norm`] | `docs/equations/eq01.md` to `eq04.md` |
//! | section 3.1, Alg. 4: the rewind point | [`paper::rewind::RewindPoint`] | `docs/equations/alg4.md` |
//! | section 3.2, Eq. 5, Alg. 5: which weights are selected | [`paper::selection`] | `docs/equations/eq05.md`, `alg5.md` |
//! | section 3.2, Eq. 6, 7: exact and chunked quantiles | [`paper::quantile`] | `docs/equations/eq06.md`, `eq07.md` |
//! | section 3.2, Eq. 8: the prune rate | [`paper::schedule::prune_rate`] | `docs/equations/eq08.md` |
//! | section 3.2, last paragraph: blocks, channels, n:m patterns | [`paper::structured`] | `docs/equations/alg5.md` |
//! | section 3.3, Eq. 9, Alg. 6: rewinding, decay, elimination | [`paper::decay`] | `docs/equations/eq09.md`, `alg6.md` |
//! | section 3.3: eliminated weights "do not participate in any computations" | [`train::Execution`], [`kernel::Pattern`], [`ops::Sparse`] | `docs/sparse.md` |
//! | section A.4, Eq. 10, 11: what chunks save | [`paper::cost`] | `docs/equations/eq10.md`, `eq11.md` |
//! | section 4: hyper-parameters | [`paper::Hyperparameters`], [`train::SgdSettings`] | |
//! | what it leaves open | [`paper::reading::Reading`] | `docs/open-points.md` |
//! | Alg. 1: training | [`train::Run`], [`train::Sgd`] | |
//! | any port of it | [`oracle`] | `docs/porting.md`, `docs/oracle.md` |
//! | Table 2's columns, section A.7 | [`sparsify`] | `docs/results.md` |
//! | the paper's networks | [`nn::models`] | `docs/models.md` |
//! | weights to and from PyTorch, pruned networks for others | [`nn::state_dict`], [`export`] | `docs/exchange.md` |
//!
//! [`paper`] has the list equation by equation.
//!
//! # The house
//!
//! Dependencies point one way: [`scalar`] (number systems) <- [`kernel`] (literal and fast arithmetic) <- [`paper`] and
//! [`op`], [`tape`] (differentiation) <- [`ops`] (the operations) <- [`nn`] (networks) <- [`sparsify`], [`train`] <-
//! [`oracle`], [`export`], [`report`], [`cli`]. [`data`] and [`random`] feed the training loop, [`tensor_file`] reads and writes what lasts; [`input`] opens every file
//! that is read.
//!
//! # One step, by hand
//!
//! ```
//! use gdstar::kernel::Kernel;
//! use gdstar::ops::{CrossEntropy, Linear};
//! use gdstar::tape::Tape;
//! use ndarray::array;
//!
//! // Two inputs, two classes, no bias; the logits are equal, so each class has probability 1/2.
//! let mut tape = Tape::<f64>::new(Kernel::Literal);
//! let x = tape.leaf(array![[1.0, 2.0]].into_dyn(), false);
//! let w = tape.leaf(array![[1.0, 1.0], [1.0, 1.0]].into_dyn(), true);
//! let logits = tape.apply_one(Linear, &[x, w])?;
//! let loss = tape.apply_one(CrossEntropy { labels: vec![0] }, &[logits])?;
//! let gradient = tape.backward(loss)?.take(w).unwrap();
//! // (p - y) x: -1/2 and 1/2 times (1, 2)
//! assert_eq!(gradient, array![[-0.5, -1.0], [0.5, 1.0]].into_dyn());
//! # Ok::<(), gdstar::Error>(())
//! ```

pub mod choice;
pub mod cli;
pub mod data;
pub mod error;
pub mod export;
pub mod input;
pub mod json;
// What the kernels gain by `unsafe` is their whole purpose; the crate's lints deny it everywhere else.
#[allow(unsafe_code)]
pub mod kernel;
pub mod nn;
pub mod op;
pub mod ops;
pub mod oracle;
pub mod paper;
pub mod random;
pub mod report;
pub mod scalar;
pub mod sparsify;
pub mod tape;
pub mod tensor_file;
pub mod train;

pub use error::{Error, Result};
