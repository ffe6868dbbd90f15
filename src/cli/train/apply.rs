//! What the options of `gdstar train` make of a configuration.

use super::TrainArgs;
use crate::choice::Choice;
use crate::error::{Error, Result};
use crate::method::METHODS;
use crate::method::options::Value;
use crate::paper::reading::InitialWeights;
use crate::train::{Config, FirstWeights};

impl TrainArgs {
    /// `config` with every option that was given.
    pub(super) fn apply(&self, config: &mut Config) -> Result<()> {
        self.apply_settings(config)?;
        if let Some(file) = &self.init {
            config.init = Some(FirstWeights::of(file)?);
        }
        self.own.apply(config)
    }

    /// `config` with every option that was given but those that single methods have.
    pub(super) fn apply_settings(&self, config: &mut Config) -> Result<()> {
        fn set<T: Clone>(value: &mut T, given: &Option<T>) {
            if let Some(given) = given {
                *value = given.clone();
            }
        }
        set(&mut config.model, &self.model);
        set(&mut config.data, &self.data);
        // Where `data fetch` leaves it, a data set need not be pointed to.
        let fetched = if config.data_dir.is_none() { config.data.fetched() } else { None };
        if let Some(directory) = self.data_dir.as_ref().or(fetched.as_ref()) {
            // A run folder must mean the same wherever it is resumed from.
            config.data_dir = Some(std::path::absolute(directory).map_err(Error::io(directory, "resolve"))?);
        }
        let options = [
            (&mut config.image_size, self.image_size),
            (&mut config.channels, self.channels),
            (&mut config.classes, self.classes),
            (&mut config.subset, self.subset),
        ];
        options.into_iter().for_each(|(value, given)| *value = given.or(*value));
        set(&mut config.method, &self.method);
        set(&mut config.seed, &self.seed);
        config.order_seed = self.order_seed.or(config.order_seed);
        set(&mut config.precision, &self.precision);
        set(&mut config.kernel, &self.kernel);
        set(&mut config.execution, &self.execution);
        if self.no_augmentation {
            config.augment = false;
        }
        if self.structure.is_some() {
            config.structure = self.structure;
        }
        set(&mut config.group_score, &self.group_score);
        set(&mut config.dense_layers, &self.dense_layers);
        set(&mut config.schedule, &self.schedule);
        set(&mut config.label_smoothing, &self.label_smoothing);
        set(&mut config.hyper.epochs, &self.epochs);
        set(&mut config.hyper.alpha_0, &self.alpha_0);
        set(&mut config.hyper.alpha_end, &self.alpha_k);
        set(&mut config.hyper.eps, &self.eps);
        set(&mut config.hyper.chunks, &self.chunks);
        set(&mut config.optimizer.learning_rate, &self.lr);
        set(&mut config.optimizer.momentum, &self.momentum);
        set(&mut config.optimizer.weight_decay, &self.weight_decay);
        set(&mut config.optimizer.nesterov, &self.nesterov);
        set(&mut config.optimizer.batch_size, &self.batch_size);
        self.reading.apply(config);
        self.apply_shared(config)
    }

    /// Options of the paper's that are a method's own where it has one of that name.
    fn apply_shared(&self, config: &mut Config) -> Result<()> {
        let own = |key| config.method.entry().options.iter().find(|option| option.key == key);
        match (self.lambda, own("lambda")) {
            (Some(lambda), Some(option)) => {
                config.options.set("lambda", option.domain.parse("--lambda", &lambda.to_string())?)
            }
            (Some(lambda), None) => config.hyper.lambda = lambda,
            (None, _) => {}
        }
        let own = config.method.entry().options.iter().find(|option| option.key == InitialWeights::KEY);
        match (&self.initial_weights, own) {
            (Some(name), Some(option)) if option.domain.holds(&Value::Name(name.clone())) => {
                config.options.set(option.key, Value::Name(name.clone()));
            }
            (Some(name), _) => config.reading.initial_weights = name.parse()?,
            (None, _) => {}
        }
        self.target_sparsity.map_or(Ok(()), |share| self.apply_target(share, config))
    }

    /// The sparsity in whatever option the method has for it.
    fn apply_target(&self, share: f64, config: &mut Config) -> Result<()> {
        const OPTION: &str = "--target-sparsity";
        let Some(option) = config.method.entry().sparsity_option() else {
            let able = METHODS.iter().filter(|method| method.entry().sparsity_option().is_some());
            let able: Vec<String> = able.map(ToString::to_string).collect();
            let expected = format!("--method {}", able.join(" | "));
            return Err(Error::domain(OPTION, expected, format!("--method {}", config.method)));
        };
        if self.own.gives(option.key) {
            let expected = format!("none beside {}, which it sets", option.option());
            return Err(Error::domain(OPTION, expected, share));
        }
        config.options.set(option.key, option.domain.parse(OPTION, &share.to_string())?);
        Ok(())
    }
}
