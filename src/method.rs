//! The sparse training methods: what is done to weights, masks and momentum while a network trains.
//!
//! A method is one file and one line of [`METHODS`]. It declares its name, source, options and quantities as data
//! ([`Entry`]), and what it does in the hooks of [`Sparsifier`]; the loop, the configuration, the command line, checkpoints,
//! metrics, progress, traces, tables and plots walk what is declared, and know no method.

pub mod acdc;
pub mod amc;
pub mod choices;
pub mod dense;
pub mod dropback;
pub mod fields;
pub mod fixed_rewind;
pub mod gdstar;
pub mod gmp;
pub mod granet;
pub mod grasp;
mod keys;
pub mod layerdrop;
pub mod lmc;
pub mod lth;
pub mod options;
pub mod procrustes;
pub mod quantity;
pub mod random_rewind;
pub mod reset;
pub mod rigl;
pub mod sdgp;
pub mod set;
pub mod snip;
pub mod story;
pub mod topkast;

pub use fields::{Field, Fields};
pub use options::{Length, MethodOption, Options};
pub use quantity::{Numbers, Quantity};
pub use story::{Story, Told};

use crate::error::Result;
use crate::nn::{Changes, Network, Parameter, Parameters};
use crate::paper::Hyperparameters;
use crate::paper::reading::Reading;
use crate::paper::structured::{GroupScore, Structure};
use crate::scalar::Scalar;
use crate::weights::Weights;
use ndarray::{ArrayD, CowArray, IxDyn};

/// What is known of a method before it runs.
#[derive(Debug)]
pub struct Entry {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// The settings of the paper's method that it heeds: keys of `config.toml`.
    pub heeds: &'static [&'static str],
    /// The options that are its own.
    pub options: &'static [MethodOption],
    /// The labels of a step in its traces, in the order in which it takes them; of a method whose traces have epochs, none.
    pub labels: &'static [&'static str],
    /// What it tells of an epoch, in the order in which it is shown.
    pub quantities: &'static [&'static Quantity],
    /// Whether the trace format has words for it.
    pub is_traced: bool,
    /// Whether its first epoch always is a rewind point.
    pub rewinds_at_first: bool,
    /// Whether it can work with these settings on a W of parameters of these shapes.
    pub check: fn(&Setup, &[&[usize]]) -> Result<()>,
}

impl Entry {
    /// A method that heeds nothing of the paper's but which parameters are W, and says nothing more of itself yet.
    const fn new(name: &'static str, summary: &'static str, source: &'static str) -> Self {
        Self {
            name,
            summary,
            source,
            heeds: &["prunable"],
            options: &[],
            labels: &[],
            quantities: &[],
            is_traced: false,
            rewinds_at_first: false,
            check: |_, _| Ok(()),
        }
    }
}

/// What a method is set up with.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    pub hyper: &'a Hyperparameters,
    pub reading: &'a Reading,
    /// Selection by groups, where the configuration asks for it.
    pub structure: Option<(Structure, GroupScore)>,
    /// The method's own options.
    pub options: &'a Options,
    pub network: &'a Network,
    /// How long the run is.
    pub length: Length,
    pub seed: u64,
}

/// Where training is.
#[derive(Debug, Clone, Copy)]
pub struct At {
    /// k, counted from the reading's epoch origin.
    pub epoch: usize,
    /// Optimizer steps completed since the run began.
    pub steps: usize,
    /// Of the step under way, or of the last one.
    pub learning_rate: f64,
    /// Whether someone records the method's quantities in full.
    pub recorded: bool,
}

/// What a method needs of the steps of an epoch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Needs {
    /// G of Eq. 2: to what the optimizer's pass adds the square of every gradient.
    pub squares: Option<Squares>,
    /// Whether eliminated weights' gradients are needed.
    pub dead_gradients: bool,
    /// Whether the momentum of an eliminated weight goes on; if not, it is held at 0 as the weight is.
    pub dead_momentum: bool,
    /// Whether [`Sparsifier::before_step`] is to be called.
    pub changes: bool,
    /// Whether [`Sparsifier::after_step`] is to be called: all weights then lie in their own shapes after every step.
    pub after_step: bool,
}

/// Where squared gradients are summed.
#[derive(Debug, Clone, Copy)]
pub struct Squares {
    /// The [slot](crate::weights::Slot).
    pub slot: &'static str,
    /// Whether weight decay is part of the gradient.
    pub with_decay: bool,
}

/// The gradients of a batch's loss, before weight decay.
#[derive(Debug, Clone, Copy)]
pub struct Gradients<'a, S: Scalar> {
    pub parameters: &'a Parameters<S>,
    /// In the order of the parameters, as they are stored; `None` for buffers.
    pub stored: &'a [Option<ArrayD<S>>],
}

impl<'a, S: Scalar> Gradients<'a, S> {
    /// The gradient of the `i`-th parameter in the parameter's own shape; `None` for a buffer. It may be 0 where a weight
    /// is eliminated, unless someone needs it there.
    pub fn of(&self, i: usize) -> Option<CowArray<'a, S, IxDyn>> {
        let (gradient, parameter): (_, &Parameter<S>) = (self.stored.get(i)?.as_ref()?, &self.parameters[i]);
        Some(parameter.in_full(gradient))
    }
}

/// A method at work in a run. It owns no array over W but flags, and what lies between the hooks of one step: all others are
/// slots of the [`Weights`].
pub trait Sparsifier<S: Scalar>: Send {
    /// What it needs of the epoch's steps.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Before an epoch's first step.
    fn begin_epoch(&mut self, _at: At, _w: &mut Weights<S>) {}

    /// Before every step's forward pass of an epoch for which it is [needed](Needs::changes): what the step changes in the network.
    fn before_step(&mut self, _at: At, _changes: &mut Changes) {}

    /// After every batch's backward pass, before the optimizer's step.
    fn after_backward(&mut self, _at: At, _gradients: Gradients<S>, _w: &Weights<S>) {}

    /// After every step of an epoch for which it is [needed](Needs::after_step).
    ///
    /// # Errors
    /// [`Error::NonFinite`](crate::Error::NonFinite) or [`Error::Domain`](crate::Error::Domain) if a quantity of the method
    /// is not finite.
    fn after_step(&mut self, _at: At, _w: &mut Weights<S>) -> Result<()> {
        Ok(())
    }

    /// After an epoch's last step, told as a story.
    ///
    /// # Errors
    /// As [`after_step`](Self::after_step).
    fn end_of_epoch(&mut self, _at: At, _w: &mut Weights<S>, _story: &mut Story<S>) -> Result<()> {
        Ok(())
    }

    /// What checkpoints hold of it beside masks and slots.
    fn save(&self) -> Fields<S> {
        Fields::default()
    }

    /// Goes on from what [`save`](Self::save) left.
    ///
    /// # Errors
    /// [`Error::Domain`](crate::Error::Domain) if that is not of this method on this network.
    fn restore(&mut self, _fields: &Fields<S>) -> Result<()> {
        Ok(())
    }
}

/// The list: a type's name for each method's file.
macro_rules! methods {
    ($($Variant:ident = $module:ident),+ $(,)?) => {
        /// Every method.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum Method {
            #[default]
            $(#[doc = concat!("See [`", stringify!($module), "`].")] $Variant),+
        }

        /// Every method, in the order of listings; the first is the default.
        pub const METHODS: &[Method] = &[$(Method::$Variant),+];

        impl Method {
            /// What is known of it before it runs.
            pub fn entry(self) -> &'static Entry {
                match self { $(Self::$Variant => &$module::ENTRY),+ }
            }

            /// The method set up for these weights.
            ///
            /// # Errors
            /// As [`Entry::check`].
            pub fn start<S: Scalar>(self, setup: &Setup, w: &mut Weights<S>) -> Result<Box<dyn Sparsifier<S>>> {
                (self.entry().check)(setup, &w.shapes())?;
                match self { $(Self::$Variant => $module::start(setup, w)),+ }
            }
        }

        impl crate::choice::Choice for Method {
            const KEY: &'static str = "method";
            const NAMES: &'static [&'static str] = &[$($module::ENTRY.name),+];
        }
    };
}

/// Every method that has rules, whether or not a run of it alone trains: `lth` and `lmc` are made of several runs.
pub const DECLARED: &[&Entry] = &[
    &gdstar::ENTRY,
    &dense::ENTRY,
    &reset::ENTRY,
    &random_rewind::ENTRY,
    &fixed_rewind::ENTRY,
    &dropback::ENTRY,
    &procrustes::ENTRY,
    &lth::ENTRY,
    &lmc::ENTRY,
    &snip::ENTRY,
    &grasp::ENTRY,
    &gmp::ENTRY,
    &set::ENTRY,
    &rigl::ENTRY,
    &granet::ENTRY,
    &acdc::ENTRY,
    &topkast::ENTRY,
    &sdgp::ENTRY,
    &layerdrop::ENTRY,
    &amc::ENTRY,
];

/// The method of this name.
pub fn declared(name: &str) -> Option<&'static Entry> {
    DECLARED.iter().copied().find(|entry| entry.name == name)
}

methods! {
    Gdstar = gdstar,
    Dense = dense,
    Reset = reset,
    RandomRewind = random_rewind,
    DropBack = dropback,
    LayerDrop = layerdrop,
    Sdgp = sdgp,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.entry().name)
    }
}

impl std::str::FromStr for Method {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = <Self as crate::choice::Choice>::NAMES.join(" | ");
        let found = METHODS.iter().find(|method| method.entry().name == name);
        found.copied().ok_or_else(|| crate::Error::domain("method", names, format!("`{name}`")))
    }
}

impl serde::Serialize for Method {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.entry().name)
    }
}

impl<'de> serde::Deserialize<'de> for Method {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}
