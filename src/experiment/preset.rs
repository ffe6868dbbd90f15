//! [`PRESETS`]: by what the paper trained each network, every value with the sentence it is taken from.

use crate::data::Source;
use crate::error::{Error, Result};
use crate::method::Method;
use crate::nn::models;
use crate::train::Config;

/// A sentence of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub place: &'static str,
    pub text: &'static str,
}

const EPOCHS_AND_BATCH: Quote = Quote {
    place: "section 4",
    text: "All models are trained for 300 epochs with a batch size of 128 for training and 100 for testing on NVIDIA P100 GPUs.",
};
const DATA: Quote = Quote {
    place: "section 4",
    text: "We consider eleven DNNs (see Table 2) trained on two datasets: LeNet300 on MNIST and all other models on CIFAR-10.",
};
const OPTIMIZER: Quote = Quote {
    place: "section 4",
    text: "We use SGD with momentum 0.9 and weight decay 5×10^{-4}, with a base learning rate of 0.05 and standard cross-entropy \
           loss function.",
};
const COSINE: Quote =
    Quote { place: "section 4", text: "We employ a cosine annealing scheduler to decay the learning rate." };
const PRUNE_RATE: Quote = Quote {
    place: "section 4",
    text: "The pruning algorithm is configured with an initial prune rate of α_0 = 0.95, gradually decayed to a final value of \
           α_K = 0.25.",
};
const DECAY: Quote = Quote {
    place: "section 4",
    text: "The decay rate is λ = 0.75, and the pruning threshold is fixed at ε = 5.5×10^{-5}.",
};
const CHUNKS: Quote = Quote {
    place: "section 4",
    text: "The number of chunks is set to C = 1 for all evaluated models except VGG19BN, ResNet34, and ResNet50, which require \
           C = 2 due to their higher parameter counts.",
};
const TINY_IMAGENET: Quote = Quote {
    place: "section A.6",
    text: "We train the model with a batch size of 128 for 75 epochs, using quantile chunks C = 2 and the default pruning \
           hyperparameters.",
};
const FEWER: Quote = Quote {
    place: "section A.7",
    text: "For clarity, we note that this ablation study is run for fewer training epochs than Table 2, as its goal is to isolate \
           and compare the rewinding mechanisms rather than to reach full convergence.",
};

/// A value of the paper's, by its key in `config.toml`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    pub key: &'static str,
    /// As the sentence writes it; `None` where it leaves the value open, and a reading fills it in.
    pub written: Option<&'static str>,
    pub quote: Quote,
}

const fn setting(key: &'static str, written: &'static str, quote: Quote) -> Setting {
    Setting { key, written: Some(written), quote }
}

/// What holds for all networks.
const SHARED: &[Setting] = &[
    setting("optimizer.learning_rate", "0.05", OPTIMIZER),
    setting("optimizer.momentum", "0.9", OPTIMIZER),
    setting("optimizer.weight_decay", "5×10^{-4}", OPTIMIZER),
    setting("schedule", "cosine", COSINE),
    setting("hyper.alpha_0", "0.95", PRUNE_RATE),
    setting("hyper.alpha_K", "0.25", PRUNE_RATE),
    setting("hyper.lambda", "0.75", DECAY),
    setting("hyper.eps", "5.5×10^{-5}", DECAY),
];

/// By what the paper trained one network.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset {
    pub model: &'static str,
    pub data: Source,
    /// Its data set as the paper calls it.
    pub data_name: &'static str,
    /// K.
    pub epochs: usize,
    /// What it has of its own: data, K, batch size and C.
    own: &'static [Setting],
}

const fn on_cifar10(model: &'static str, own: &'static [Setting]) -> Preset {
    Preset { model, data: Source::Cifar10, data_name: "CIFAR-10", epochs: 300, own }
}

const ONE_CHUNK: &[Setting] = &[
    setting("data", "all other models on CIFAR-10", DATA),
    setting("hyper.epochs", "300", EPOCHS_AND_BATCH),
    setting("optimizer.batch_size", "128", EPOCHS_AND_BATCH),
    setting("hyper.chunks", "1", CHUNKS),
];
const TWO_CHUNKS: &[Setting] = &[
    setting("data", "all other models on CIFAR-10", DATA),
    setting("hyper.epochs", "300", EPOCHS_AND_BATCH),
    setting("optimizer.batch_size", "128", EPOCHS_AND_BATCH),
    setting("hyper.chunks", "2", CHUNKS),
];

/// Every network by the data of section 4, those of Table 2 first, in its order.
pub static PRESETS: &[Preset] = &[
    Preset {
        model: "lenet300",
        data: Source::Mnist,
        data_name: "MNIST",
        epochs: 300,
        own: &[
            setting("data", "LeNet300 on MNIST", DATA),
            setting("hyper.epochs", "300", EPOCHS_AND_BATCH),
            setting("optimizer.batch_size", "128", EPOCHS_AND_BATCH),
            setting("hyper.chunks", "1", CHUNKS),
        ],
    },
    on_cifar10("lenet", ONE_CHUNK),
    on_cifar10("vgg16", ONE_CHUNK),
    on_cifar10("vgg19bn", TWO_CHUNKS),
    on_cifar10("inceptionv3", ONE_CHUNK),
    on_cifar10("resnet18", ONE_CHUNK),
    on_cifar10("resnet34", TWO_CHUNKS),
    on_cifar10("shufflenetv2", ONE_CHUNK),
    on_cifar10("efficientnetb0", ONE_CHUNK),
    on_cifar10("mobilenetv2", ONE_CHUNK),
    on_cifar10("densenetc", ONE_CHUNK),
    on_cifar10("resnet20", ONE_CHUNK),
    on_cifar10("densenet121", ONE_CHUNK),
    on_cifar10("resnet50", TWO_CHUNKS),
];

/// ResNet50 on Tiny ImageNet (Table 3).
pub static RESNET50: Preset = Preset {
    model: "resnet50",
    data: Source::ImageFolder,
    data_name: "Tiny ImageNet",
    epochs: 75,
    own: &[
        setting("hyper.epochs", "75", TINY_IMAGENET),
        setting("optimizer.batch_size", "128", TINY_IMAGENET),
        setting("hyper.chunks", "2", TINY_IMAGENET),
    ],
};

/// K of Table 4, which is less than 300 and not said: here the only shorter length that the paper names, Table 3's.
pub const FEWER_EPOCHS: usize = 75;

/// What [`FEWER_EPOCHS`] is read into.
pub const FEWER_EPOCHS_OPEN: Setting = Setting { key: "hyper.epochs", written: None, quote: FEWER };

/// The preset of a network on the data of section 4.
///
/// # Errors
/// [`Error::Domain`] if there is no such network, or the paper trains it on other data alone.
pub fn find(model: &str) -> Result<&'static Preset> {
    models::find(model)?;
    PRESETS.iter().find(|preset| preset.model == model).ok_or_else(|| {
        Error::domain("--model", "a network that the paper trains on MNIST or CIFAR-10", format!("`{model}`"))
    })
}

impl Preset {
    /// The same with another K.
    #[must_use]
    pub const fn with_epochs(self, epochs: usize) -> Self {
        Self { epochs, ..self }
    }

    /// The run of this method by the paper's settings.
    pub fn config(&self, method: Method) -> Config {
        let mut config = Config::new(self.model, self.data, method);
        config.hyper.epochs = self.epochs;
        config
    }

    /// Every value with its sentence.
    pub fn settings(&self) -> impl Iterator<Item = &'static Setting> + use<> {
        self.own.iter().chain(SHARED)
    }
}
