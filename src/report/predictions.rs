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
        let rows = predictions.iter().enumerate();
        match self {
            Self::Csv => {
                let mut csv = csv::Writer::from_writer(&mut *to);
                csv.write_record(["sample", "label", "predicted", "label_name", "predicted_name"])?;
                for (sample, Prediction { label, predicted }) in rows {
                    let class = predicted.map_or(String::new(), |class| class.to_string());
                    let names = [name(*label), predicted.map_or("", name)];
                    csv.write_record([&sample.to_string(), &label.to_string(), &class, names[0], names[1]])?;
                }
                csv.flush()?;
            }
            Self::JsonLines => {
                for (sample, Prediction { label, predicted }) in rows {
                    let line = json!({
                        "sample": sample, "label": label, "predicted": predicted,
                        "label_name": name(*label), "predicted_name": predicted.map(name),
                    });
                    writeln!(to, "{line}")?;
                }
            }
        }
        to.flush()
    }
}
