//! The reference implementation of GDSTAR: gradient-based dynamic sparse training with adaptive rewinding.
//!
//! # A run
//!
//! The main job in a few lines: LeNet-300-100 on the handwritten digits that are part of the crate, trained with GDSTAR.
//! Every setting is the paper's unless it is changed; every choice that the paper leaves open is a field of
//! [`Reading`](paper::reading::Reading).
//!
//! ```
//! use gdstar::data::{self, Source};
//! use gdstar::method::Method;
//! use gdstar::train::{Config, Session};
//!
//! let digits = data::load(Source::Digits, None)?;
//! let mut config = Config::new("lenet300", Source::Digits, Method::Gdstar);
//! config.hyper.epochs = 2; // the paper: 300
//! let epochs = Session::new(config)?.train(&digits)?;
//! for epoch in &epochs {
//!     let (s_f, k_star) = (epoch.numbers.real("frobenius"), epoch.numbers.count("k_star"));
//!     println!("k = {}: {:.2} %, S_F = {s_f:?}, k* = {k_star:?}", epoch.epoch, 100.0 * epoch.test_accuracy);
//! }
//! assert!(epochs[1].test_accuracy > 0.5);
//! # Ok::<(), gdstar::Error>(())
//! ```
//!
//! [`Session::kept_in`](train::Session::kept_in) leaves a folder with checkpoints, from which
//! [`Session::resume`](train::Session::resume) goes on as if nothing had happened; `config.outputs` asks for a trace;
//! [`Session::watched`](train::Session::watched) takes any [`Observer`](train::Observer).
//!
//! One step of the method, without any network:
//!
//! ```
//! use gdstar::paper::decay::{Decay, rewind_decay};
//! use gdstar::paper::reading::{Reading, Threshold};
//! use gdstar::paper::selection::select_weights;
//!
//! // G of four weights (Eq. 2), all alive: alpha = 1/2 puts tau (Eq. 7) at 2, and two weights below it (Eq. 5).
//! let mut alive = vec![true; 4];
//! let selection = select_weights(&[0.0, 1.0, 3.0, 4.0], &alive, 0.5, 1, &Reading::default())?;
//! assert_eq!((selection.tau, &selection.selected[..]), (2.0, &[true, true, false, false][..]));
//! // Eq. 9: those two become w* lambda^t; the second falls below eps, and is eliminated (Alg. 6).
//! let (mut w, w_star) = (vec![1.0, 1.0, 1.0, 1.0], vec![8.0, 2.0, 8.0, 8.0]);
//! let decay = Decay { lambda: 0.5, t: 1, eps: 1.5, threshold: Threshold::default() };
//! rewind_decay(&mut w, Some(&w_star), &selection.selected, &mut alive, &decay)?;
//! assert_eq!((w, alive), (vec![4.0, 0.0, 1.0, 1.0], vec![true, false, true, true]));
//! # Ok::<(), gdstar::Error>(())
//! ```
//!
//! # The paper, found again
//!
//! | in the paper | function | chapter |
//! |---|---|---|
//! | section 3.1, Eq. 1 to 4: the size of an epoch's gradients | [`paper::gradient_norm`] | [Eq. 1](paper::chapters::eq01), [2](paper::chapters::eq02), [3](paper::chapters::eq03), [4](paper::chapters::eq04) |
//! | section 3.1, Alg. 4: the rewind point | [`paper::rewind::RewindPoint`] | [Alg. 4](paper::chapters::alg4) |
//! | section 3.2, Eq. 5, Alg. 5: which weights are selected | [`paper::selection`] | [Eq. 5](paper::chapters::eq05), [Alg. 5](paper::chapters::alg5) |
//! | section 3.2, Eq. 6, 7: exact and chunked quantiles | [`paper::quantile`] | [Eq. 6](paper::chapters::eq06), [7](paper::chapters::eq07) |
//! | section 3.2, Eq. 8: the prune rate | [`paper::schedule::prune_rate`] | [Eq. 8](paper::chapters::eq08) |
//! | section 3.2, last paragraph: blocks, channels, n:m patterns | [`paper::structured`] | [Alg. 5](paper::chapters::alg5) |
//! | section 3.3, Eq. 9, Alg. 6: rewinding, decay, elimination | [`paper::decay`] | [Eq. 9](paper::chapters::eq09), [Alg. 6](paper::chapters::alg6) |
//! | section 3.3: eliminated weights "do not participate in any computations" | [`train::Execution`], [`kernel::Pattern`], [`ops::Sparse`] | `docs/sparse.md` |
//! | section A.4, Eq. 10, 11: what chunks save | [`paper::cost`] | [Eq. 10](paper::chapters::eq10), [11](paper::chapters::eq11) |
//! | section 4: hyper-parameters | [`paper::Hyperparameters`], [`train::SgdSettings`] | |
//! | what it leaves open | [`paper::reading::Reading`] | [open points](paper::chapters::open_points) |
//! | Alg. 1: training | [`train::Run`], [`train::Sgd`] | |
//! | any port of it | [`oracle`] | `docs/porting.md`, `docs/oracle.md` |
//! | what is compared in Table 2 and section A.7, and other methods | [`method`] | `docs/methods.md` |
//! | Tables 2 to 8, Figures 1 to 8 | [`experiment::reproduce`] | `docs/reproduce.md`, `docs/results.md` |
//! | the paper's networks | [`nn::models`] | `docs/models.md` |
//! | weights to and from PyTorch, pruned networks for others | [`nn::state_dict`], [`export`] | `docs/exchange.md` |
//!
//! [`paper`] has the list equation by equation.
//!
//! # The house
//!
//! A module uses modules of the rows above its own, and no others.
//!
//! | modules | |
//! |---|---|
//! | [`error`] | what can go wrong, in one line |
//! | [`choice`], [`random`], [`checksum`], [`json`], [`input`], [`console`] | closed sets by name; draws that are the same everywhere; every file that is read, every line that is printed |
//! | [`scalar`], [`output`] | number systems; every file that is written, whole or not there |
//! | [`kernel`], [`tensor_file`] | arithmetic on arrays, literal and fast; arrays in files |
//! | [`paper`], [`select`], [`op`] | GDSTAR's equations; what other methods select by; what an operation is |
//! | [`tape`] | differentiation |
//! | [`ops`] | the operations |
//! | [`nn`], [`data`] | networks; data sets |
//! | [`trace`], [`weights`] | what a run did, in a file; values, masks, momentum and what else is kept of every weight |
//! | [`method`] | what sparse training does to weights |
//! | [`train`] | the loop, and what watches it |
//! | [`experiment`] | more than one run: lottery tickets, linear mode connectivity, the paper's tables and figures |
//! | [`oracle`], [`export`] | whether another program does the same; networks for other programs |
//! | [`report`] | tables, figures, the story of a run, a page of all experiments |
//! | [`explain`] | the paper, explained by a run |
//! | [`cli`] | the command |
//!
//! The feature `cli`, which is on unless it is switched off, brings [`cli`], [`report`], [`export`], [`console`], downloads and images in folders. What remains asks the system for nothing but files, and compiles for `wasm32-unknown-unknown`.
//!
//! The feature `cuda` adds a form of the kernels that computes on a GPU (`docs/cuda.md`).
//!
//! # One step of the autodiff, by hand
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
//! let loss = tape.apply_one(CrossEntropy::new(vec![0]), &[logits])?;
//! let gradient = tape.backward(loss)?.take(w).unwrap();
//! // (p - y) x: -1/2 and 1/2 times (1, 2)
//! assert_eq!(gradient, array![[-0.5, -1.0], [0.5, 1.0]].into_dyn());
//! # Ok::<(), gdstar::Error>(())
//! ```

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod checksum;
pub mod choice;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod console;
pub mod data;
pub mod error;
pub mod experiment;
pub mod explain;
#[cfg(feature = "cli")]
pub mod export;
pub mod input;
pub mod json;
// What the kernels gain by `unsafe` is their whole purpose; the crate's lints deny it everywhere else.
#[allow(unsafe_code)]
pub mod kernel;
pub mod method;
pub mod nn;
pub mod op;
pub mod ops;
pub mod oracle;
pub mod output;
pub mod paper;
pub mod random;
#[cfg(feature = "cli")]
pub mod report;
pub mod scalar;
pub mod select;
pub mod tape;
pub mod tensor_file;
pub mod trace;
pub mod train;
pub mod weights;

pub use error::{Error, Result};
