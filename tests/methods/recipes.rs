//! The settings of methods' authors.

use super::common::{config, digits, train};
use gdstar::data::Source;
use gdstar::error::Result;
use gdstar::method::Method;
use gdstar::train::{Config, EpochEvent, Observer, RateSchedule, Recipe};

/// The table, and what it has no row for.
#[test]
fn a_recipe_is_its_authors() {
    let of = |method, data| {
        let mut config = Config::new("lenet300", data, method);
        Recipe::Source.apply(&mut config).map(|()| config)
    };
    let rigl = of(Method::Rigl, Source::Cifar10).unwrap();
    let sgd = rigl.optimizer;
    assert_eq!((sgd.learning_rate, sgd.momentum, sgd.weight_decay, sgd.batch_size), (0.1, 0.9, 5e-4, 100));
    assert_eq!((rigl.hyper.epochs, rigl.schedule.to_string().as_str()), (160, "0.1 at 50%,75%"));
    assert!(sgd.nesterov && rigl.label_smoothing == 0.0);
    let sdgp = of(Method::Sdgp, Source::Cifar10).unwrap();
    let sgd = sdgp.optimizer;
    assert_eq!((sgd.learning_rate, sgd.momentum, sgd.weight_decay, sgd.batch_size), (0.5, 0.9, 5e-4, 512));
    assert_eq!((sdgp.hyper.epochs, sdgp.schedule.to_string().as_str()), (150, "linear up to 5ep"));
    assert!(!sgd.nesterov && sdgp.label_smoothing == 0.1);
    let snip = of(Method::Snip, Source::Mnist).unwrap();
    assert_eq!((snip.optimizer.momentum, snip.schedule.clone()), (0.0, RateSchedule::Constant));
    assert!(!snip.optimizer.nesterov);
    for method in [Method::Set, Method::Sdgp] {
        let told = of(method, Source::Mnist).unwrap_err().to_string();
        assert!(told.contains("--recipe source") && told.contains(&format!("{method} on mnist")), "{told}");
    }
    let mut paper = Config::new("lenet300", Source::Mnist, Method::Rigl);
    Recipe::Paper.apply(&mut paper).unwrap();
    assert_eq!(paper, Config::new("lenet300", Source::Mnist, Method::Rigl));
}

/// A configuration is the same when it is read again, and one without a schedule has the cosine.
#[test]
fn schedules_are_kept_as_they_are_written() {
    for text in [
        "cosine",
        "constant",
        "0.5 every 25ep",
        "0.2 every 30000",
        "0.1 at 50%,75%",
        "0.5 at 3,4ep",
        "linear up to 5ep",
        "linear up to 10%",
        "linear up to 0",
    ] {
        let mut config = config(Method::Rigl, 2);
        config.schedule = text.parse().unwrap();
        let toml = config.to_toml().unwrap();
        assert_eq!(Config::parse("config.toml".as_ref(), &toml).unwrap(), config, "{text}");
        assert_eq!(toml.contains("\nschedule = "), text != "cosine");
        assert_eq!(config.schedule.to_string(), text);
    }
    let wrong = ["linear", "linear up to", "linear up to -1", "linear up to 3x"];
    for text in
        ["", "0.5", "2 every 3", "0.5 every", "0.5 every 3x", "0.5 at 50%,,75%", "NaN every 3"].into_iter().chain(wrong)
    {
        assert!(text.parse::<RateSchedule>().unwrap_err().to_string().contains("--schedule"), "{text}");
    }
}

struct Rates(Vec<f64>);

impl Observer<f32> for Rates {
    fn on_epoch(&mut self, event: &EpochEvent<f32>) -> Result<()> {
        self.0.push(event.record.learning_rate);
        Ok(())
    }
}

/// The rate of a run's last step in each epoch.
#[test]
fn a_run_follows_its_schedule() {
    let mut config = config(Method::Dense, 4);
    (config.optimizer.learning_rate, config.schedule) = (0.5, "0.5 at 50%,3ep".parse().unwrap());
    let mut rates = Rates(Vec::new());
    train::<f32>(&config, &digits(), &mut rates);
    assert_eq!(rates.0, [0.5, 0.5, 0.25, 0.125]);
    // Up from 0 in the 12 steps of the first epoch, down in the other 36: of each epoch's last step.
    config.schedule = "linear up to 1ep".parse().unwrap();
    let mut rates = Rates(Vec::new());
    train::<f32>(&config, &digits(), &mut rates);
    assert_eq!(rates.0, [11.0 / 12.0, 25.0 / 36.0, 13.0 / 36.0, 1.0 / 36.0].map(|factor| 0.5 * factor));
}
