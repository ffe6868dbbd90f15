//! What a network says of each sample, as a file: CSV with a header, or a JSON object a line.

use crate::choice::choice;
use crate::error::{Error, Result};
use crate::train::Prediction;
use serde_json::json;
use std::io::{self, Write};
use std::path::Path;

choice! {
    /// How predictions are written; a file's name ends in a dot and its name.
    PredictionFormat, "predictions":
    /// Comma-separated values (RFC 4180), the first line naming the columns.
    Csv = "csv",
    /// A JSON object in each line.
    JsonLines = "jsonl",
}

impl PredictionFormat {
    /// The one that the name of `path`, the value of `option`, ends in.
    ///
    /// # Errors
    /// [`Error::Domain`] if it ends in no known one.
    pub fn of(option: &str, path: &Path) -> Result<Self> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ending.parse().map_err(|_| Error::domain(option, "a file named *.csv or *.jsonl", path.display()))
    }

    /// Writes the predictions in their order: the sample's index in its part of the data, from 0, its label, the class
    /// it is taken for (nothing where a logit is NaN), and what `classes` calls the two.
    ///
    /// # Errors
    /// The writer's.
    pub fn write(self, to: &mut impl Write, predictions: &[Prediction], classes: &[String]) -> io::Result<()> {
        let name = |class: usize| classes.get(class).map_or("", String::as_str);
        if self == Self::Csv {
            writeln!(to, "sample,label,predicted,label_name,predicted_name")?;
        }
        for (sample, Prediction { label, predicted }) in predictions.iter().enumerate() {
            let (label_name, predicted_name) = (name(*label), predicted.map(name));
            match self {
                Self::Csv => {
                    let class = predicted.map_or(String::new(), |class| class.to_string());
                    let names = [field(label_name), field(predicted_name.unwrap_or_default())].join(",");
                    writeln!(to, "{sample},{label},{class},{names}")?;
                }
                Self::JsonLines => {
                    let line = json!({
                        "sample": sample, "label": label, "predicted": predicted,
                        "label_name": label_name, "predicted_name": predicted_name,
                    });
                    writeln!(to, "{line}")?;
                }
            }
        }
        to.flush()
    }
}

/// A text as a field of CSV: between quotes where it has to be.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}
