//! [`Recipe`]: by whose settings of the optimizer a method is trained.

use super::{Config, RateSchedule};
use crate::choice::choice;
use crate::data::Source;
use crate::error::{Error, Result};
use crate::method::Method;

choice! {
    /// By whose settings of the optimizer a method is trained.
    Recipe, "recipe":
    /// The paper's section 4, whatever the method: methods then compare at one budget.
    Paper = "paper",
    /// Those of the method's authors.
    Source = "source",
}

/// What the authors of a method trained it by on a data set; `epochs` where the source says.
struct Settings {
    learning_rate: f64,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    label_smoothing: f64,
    batch_size: usize,
    epochs: Option<usize>,
    schedule: &'static str,
}

/// Ten thousand steps of 100 of 60,000 images, in whole epochs; 150,000 of 128 of 50,000.
const SNIP_EPOCHS: (usize, usize) = (17, 384);

const THREE_QUARTERS: &str = "0.1 at 50%,75%";

/// A row of the table.
fn settings(method: Method, data: Source) -> Option<Settings> {
    let of = |learning_rate, momentum, weight_decay, batch_size, epochs, schedule| Settings {
        learning_rate,
        momentum,
        nesterov: false,
        weight_decay,
        label_smoothing: 0.0,
        batch_size,
        epochs,
        schedule,
    };
    let settings = match (method, data) {
        (Method::DropBack, Source::Mnist) => of(0.4, 0.0, 0.0, 100, None, "0.5 every 25ep"),
        (Method::DropBack, Source::Cifar10) => of(0.4, 0.0, 5e-4, 64, Some(500), "0.8 every 30ep"),
        (Method::Snip, Source::Mnist) => of(0.1, 0.0, 5e-4, 100, Some(SNIP_EPOCHS.0), "constant"),
        (Method::Snip, Source::Cifar10) => of(0.1, 0.9, 5e-4, 128, Some(SNIP_EPOCHS.1), "0.2 every 30000"),
        (Method::Grasp, _) => of(0.1, 0.9, 1e-4, 128, Some(160), THREE_QUARTERS),
        (Method::Set, Source::Cifar10) => of(0.01, 0.9, 0.0, 100, Some(1000), "constant"),
        (Method::Granet | Method::Gmp | Method::Rigl, _) => {
            Settings { nesterov: true, ..of(0.1, 0.9, 5e-4, 100, Some(160), THREE_QUARTERS) }
        }
        (Method::Sdgp, Source::Cifar10) => {
            Settings { label_smoothing: 0.1, ..of(0.5, 0.9, 5e-4, 512, Some(150), "linear up to 5ep") }
        }
        _ => return None,
    };
    Some(settings)
}

impl Recipe {
    /// Gives a configuration the recipe's settings.
    ///
    /// # Errors
    /// [`Error::Domain`] where a method's authors have none for the data set.
    pub fn apply(self, config: &mut Config) -> Result<()> {
        if self == Self::Paper {
            return Ok(());
        }
        let Some(settings) = settings(config.method, config.data) else {
            let expected = "dropback or snip on mnist or cifar10, set or sdgp on cifar10, grasp, gmp, rigl or granet";
            let found = format!("{} on {}", config.method, config.data);
            return Err(Error::domain("--recipe source", expected, found));
        };
        let optimizer = &mut config.optimizer;
        optimizer.learning_rate = settings.learning_rate;
        optimizer.momentum = settings.momentum;
        optimizer.nesterov = settings.nesterov;
        optimizer.weight_decay = settings.weight_decay;
        optimizer.batch_size = settings.batch_size;
        config.hyper.epochs = settings.epochs.unwrap_or(config.hyper.epochs);
        config.label_smoothing = settings.label_smoothing;
        config.schedule = settings.schedule.parse::<RateSchedule>()?;
        Ok(())
    }
}
