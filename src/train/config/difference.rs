//! [`Difference`]: one setting in which two configurations differ, as a file and as the command line call it.

use super::Config;
use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// One setting that two configurations have different values of.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The key in `config.toml`, below its table: `optimizer.learning_rate`.
    pub key: String,
    /// Its value in the one configuration; `None` where the setting is not made.
    pub here: Option<Value>,
    /// Its value in the other.
    pub there: Option<Value>,
}

impl Difference {
    /// The key without its table; the learning rate is `lr`, as its option is, and not the reading's key.
    pub fn name(&self) -> &str {
        match self.key.as_str() {
            "optimizer.learning_rate" => "lr",
            key => key.rsplit_once('.').map_or(key, |(_, name)| name),
        }
    }

    /// The option of `gdstar train` that sets it: `--lr`.
    pub fn option(&self) -> String {
        match self.key.as_str() {
            "augment" => "--no-augmentation".to_string(),
            _ => format!("--{}", self.name().replace('_', "-").to_lowercase()),
        }
    }

    /// [`here`](Self::here) as a reader writes it, where the setting is made.
    pub fn value(&self) -> Option<String> {
        self.here.as_ref().map(text)
    }

    /// [`here`](Self::here) and [`there`](Self::there) as the option takes them.
    pub fn values(&self) -> [String; 2] {
        [&self.here, &self.there].map(|value| match value {
            None => "none".to_string(),
            Some(Value::Bool(augment)) if self.key == "augment" => (!augment).to_string(),
            Some(value) => text(value),
        })
    }
}

/// A value as a reader writes it: names without quotes.
fn text(value: &Value) -> String {
    match value {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    }
}

impl Config {
    /// Every setting of which `self` and `other` have different values, by key. Where the data lie and what a run
    /// leaves beside its configuration, metrics and checkpoint ([`Outputs`](super::super::Outputs)) change no result
    /// and are not compared.
    ///
    /// # Errors
    /// [`Error::Domain`] if a path is no text.
    pub fn differences(&self, other: &Self) -> Result<Vec<Difference>> {
        let mut found = Vec::new();
        compare("", &self.settings()?, &other.settings()?, &mut found);
        Ok(found)
    }

    /// The settings that decide the run's results. As files have them: a key that is added to the configuration is
    /// compared from then on.
    fn settings(&self) -> Result<Map<String, Value>> {
        let value =
            serde_json::to_value(self).map_err(|e| Error::domain("configuration", "values that JSON can hold", e))?;
        let mut settings = match value {
            Value::Object(settings) => settings,
            _ => Map::new(),
        };
        settings.remove("data_dir");
        settings.remove("outputs");
        if let Some(start) = &self.start {
            settings.insert("start".to_string(), Value::String(start.to_string()));
        }
        if let Some(init) = &self.init {
            settings.insert("init".to_string(), Value::String(init.sha256.to_string()));
        }
        Ok(settings)
    }
}

/// Appends what differs; `table` is the prefix of the keys.
fn compare(table: &str, here: &Map<String, Value>, there: &Map<String, Value>, found: &mut Vec<Difference>) {
    let more = there.keys().filter(|key| !here.contains_key(*key));
    for key in here.keys().chain(more) {
        match (here.get(key), there.get(key)) {
            (Some(Value::Object(here)), Some(Value::Object(there))) => {
                compare(&format!("{table}{key}."), here, there, found)
            }
            (here, there) if here == there => {}
            // A table that is left out is one without keys.
            (Some(Value::Object(here)), None) => compare(&format!("{table}{key}."), here, &Map::new(), found),
            (None, Some(Value::Object(there))) => compare(&format!("{table}{key}."), &Map::new(), there, found),
            (here, there) => {
                found.push(Difference { key: format!("{table}{key}"), here: here.cloned(), there: there.cloned() })
            }
        }
    }
}
