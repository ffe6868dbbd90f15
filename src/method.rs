//! The sparse training methods: what is done to weights, masks and momentum while a network trains.
//!
//! A method is one file and one line of [`METHODS`]. It declares its name, source, options and quantities as data
//! ([`Entry`]), and what it does in the hooks of [`Sparsifier`]; the loop, the configuration, the command line, checkpoints,
//! metrics, progress, traces, tables and plots walk what is declared, and know no method.

mod choices;
pub mod fields;
mod gradual;
mod hooks;
mod keys;
mod measures;
mod one_shot;
pub mod options;
pub mod quantity;
pub mod record;
mod rewired;
mod rewiring;
mod selection;
mod sparse_start;
pub mod story;
mod tally;
mod timing;
mod tracking;

pub use choices::Choices;
pub use fields::{Field, Fields};
pub use hooks::{At, Gradients, HeldOut, Lab, Needs, Scribe, Sparsifier, Squares, StepNeeds};
pub use measures::{Histogram, Measured, Measures, Parts, Record};
pub use options::{Length, MethodOption, Options, Value};
pub use quantity::{Numbers, Quantity};
pub use story::{Story, Told};

use crate::error::Result;
use crate::nn::Network;
use crate::paper::Hyperparameters;
use crate::paper::reading::Reading;
use crate::paper::structured::{GroupScore, Structure};
use crate::scalar::Scalar;
use crate::weights::Weights;

/// What is known of a method before it runs.
#[derive(Debug)]
pub struct Entry {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Where it is defined.
    pub source: &'static str,
    /// The five that it is made of.
    pub choices: Choices,
    /// The settings of the paper's method that it heeds: keys of `config.toml`.
    pub heeds: &'static [&'static str],
    /// The options that are its own.
    pub options: &'static [MethodOption],
    /// The labels of a step in its traces, in the order in which it takes them; of a method whose traces have epochs, none.
    pub labels: &'static [&'static str],
    /// What it tells of an epoch, in the order in which it is shown.
    pub quantities: &'static [&'static Quantity],
    /// Whether its runs are traced by epochs, in the words of GDSTAR's format.
    pub is_traced: bool,
    /// Whether its runs are traced by steps, under its labels.
    pub records_steps: bool,
    /// Whether a step of its traces holds what it tells and nothing else, since it moves no weights in one.
    pub tells_itself: bool,
    /// The weights whose layers its traces are of, by their positions among the parameters; of traces of all of W, none.
    pub layers: fn(&Network) -> Result<Vec<usize>>,
    /// The values that options without a default have in a run, where they are not given: what a trace's header says.
    pub of_run: fn(&Setup) -> Result<OfRun>,
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
            choices: Choices::UNSAID,
            heeds: &["prunable"],
            options: &[],
            labels: &[],
            quantities: &[],
            is_traced: false,
            records_steps: false,
            tells_itself: false,
            layers: |_| Ok(Vec::new()),
            of_run: |_| Ok(Vec::new()),
            rewinds_at_first: false,
            check: |_, _| Ok(()),
        }
    }

    /// The option that says how sparse its networks become; `None` of a method that has no say in it.
    pub fn sparsity_option(&self) -> Option<&'static MethodOption> {
        let keys = [gdstar::TARGET_SPARSITY.key, "sparsity", "final_sparsity", "forward_sparsity"];
        self.options.iter().find(|option| keys.contains(&option.key))
    }

    /// Whether it acts once, before training: its traces have no steps of the optimizer.
    pub fn acts_once(&self) -> bool {
        self.records_steps && !self.tells_itself && !self.labels.contains(&"momentum")
    }
}

/// Values that follow from a run's length, by their keys.
pub type OfRun = Vec<(&'static str, Value)>;

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
    /// The optimizer's.
    pub momentum: f64,
    pub weight_decay: f64,
    pub nesterov: bool,
    /// How long the run is.
    pub length: Length,
    pub seed: u64,
    pub measures: Measures,
}

/// The list: a type's name for each method's file, and the file itself.
macro_rules! methods {
    ($($Variant:ident = $module:ident),+; $($of_several_runs:ident),+) => {
        $(pub mod $module;)+
        $(pub mod $of_several_runs;)+

        /// Every method that trains.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum Method {
            #[default]
            $(#[doc = concat!("See [`", stringify!($module), "`].")] $Variant),+
        }

        /// Every method that trains, in the order of listings; the first is the default.
        pub const METHODS: &[Method] = &[$(Method::$Variant),+];

        /// Every method that has rules, also those of which a run alone is none.
        pub const DECLARED: &[&Entry] = &[$(&$module::ENTRY,)+ $(&$of_several_runs::ENTRY),+];

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

methods! {
    Gdstar = gdstar,
    Dense = dense,
    Reset = reset,
    RandomRewind = random_rewind,
    FixedRewind = fixed_rewind,
    DropBack = dropback,
    LayerDrop = layerdrop,
    Sdgp = sdgp,
    Amc = amc,
    Procrustes = procrustes,
    Snip = snip,
    Grasp = grasp,
    Gmp = gmp,
    Set = set,
    Rigl = rigl,
    Granet = granet,
    Acdc = acdc,
    Topkast = topkast;
    // Of several runs.
    lth,
    lmc
}

/// The method of this name.
pub fn declared(name: &str) -> Option<&'static Entry> {
    DECLARED.iter().copied().find(|entry| entry.name == name)
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
