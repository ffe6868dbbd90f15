//! [`Settings`]: what a reader can change, by place in one list.

use gdstar::choice::Choice;
use gdstar::data::Source;
use gdstar::kernel::Kernel;
use gdstar::method::Method;
use gdstar::paper::Hyperparameters;
use gdstar::paper::reading::{
    Chunking, DecayStep, GradientOf, MaskedGradient, MomentumOnPrune, QuantileRule, Reading, RewindCopy, RewindUpdate,
    Threshold,
};
use gdstar::train::{Config, Execution};
use gdstar::{Error, Result};

/// K, the page's epochs: a fifth of the paper's 300, of which a browser trains several a second.
pub const EPOCHS: usize = 60;

/// The method's own symbols and the open points that a reader can change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub hyper: Hyperparameters,
    pub reading: Reading,
}

impl Default for Settings {
    /// The paper's, but for K.
    fn default() -> Self {
        Self { hyper: Hyperparameters { epochs: EPOCHS, ..Hyperparameters::default() }, reading: Reading::default() }
    }
}

/// A setting that is a number.
struct Number {
    name: &'static str,
    get: fn(&Hyperparameters) -> f64,
    set: fn(&mut Hyperparameters, f64),
}

/// A setting that is one of several names.
struct Named {
    name: &'static str,
    names: &'static [&'static str],
    get: fn(&Reading) -> &'static str,
    set: fn(&mut Reading, &str) -> Result<()>,
}

const NUMBERS: &[Number] = &[
    Number { name: "epochs", get: |h| h.epochs as f64, set: |h, x| h.epochs = x as usize },
    Number { name: "alpha_0", get: |h| h.alpha_0, set: |h, x| h.alpha_0 = x },
    Number { name: "alpha_K", get: |h| h.alpha_end, set: |h, x| h.alpha_end = x },
    Number { name: "lambda", get: |h| h.lambda, set: |h, x| h.lambda = x },
    Number { name: "eps", get: |h| h.eps, set: |h, x| h.eps = x },
    Number { name: "chunks", get: |h| h.chunks as f64, set: |h, x| h.chunks = x as usize },
];

/// A line of the list of open points.
macro_rules! named {
    ($Type:ident, $field:ident) => {
        Named {
            name: $Type::KEY,
            names: $Type::NAMES,
            get: |reading| reading.$field.name(),
            set: |reading, name| {
                reading.$field = name.parse()?;
                Ok(())
            },
        }
    };
}

const NAMED: &[Named] = &[
    named!(QuantileRule, quantile),
    named!(Chunking, chunking),
    named!(MaskedGradient, masked_gradient),
    named!(DecayStep, decay_step),
    named!(Threshold, threshold),
    named!(RewindUpdate, rewind_update),
    named!(RewindCopy, rewind_copy),
    named!(MomentumOnPrune, momentum_on_prune),
    named!(GradientOf, gradient),
];

impl Settings {
    /// A line each: name, value, and the names of a choice.
    pub fn listed(&self) -> String {
        let numbers = NUMBERS.iter().map(|n| format!("{} {}", n.name, (n.get)(&self.hyper)));
        let named = NAMED.iter().map(|n| format!("{} {} {}", n.name, (n.get)(&self.reading), n.names.join(" ")));
        numbers.chain(named).collect::<Vec<_>>().join("\n")
    }

    /// Changes the setting of this place in the list.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is none, if a choice has no such name, or if the number is out of its domain; nothing
    /// is changed then.
    pub fn set(&mut self, place: usize, value: f64) -> Result<()> {
        let mut changed = *self;
        let unknown = || Error::domain("setting", "a place in the list", place);
        if let Some(number) = NUMBERS.get(place) {
            (number.set)(&mut changed.hyper, value);
        } else {
            let named = place.checked_sub(NUMBERS.len()).and_then(|place| NAMED.get(place)).ok_or_else(unknown)?;
            let name = named.names.get(value as usize).ok_or_else(unknown)?;
            (named.set)(&mut changed.reading, name)?;
        }
        changed.hyper.validate()?;
        *self = changed;
        Ok(())
    }

    /// The run that has them: `gdstar train --model lenet300 --data digits --kernel literal --execution dense --epochs 60`.
    /// The kernel `literal` gives the same bits however it is executed, and is slow where it leaves weights out.
    pub fn config(&self) -> Config {
        let config = Config::new("lenet300", Source::Digits, Method::Gdstar);
        Config {
            kernel: Kernel::Literal,
            execution: Execution::Dense,
            hyper: self.hyper,
            reading: self.reading,
            ..config
        }
    }
}
