//! [`DenseLayers`]: layers that are left out of W, whatever the method does to it.

use crate::error::{Error, Result};
use crate::nn::{Network, Spec};
use crate::paper::reading::Prunable;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Layers that are left out of W: `first`, `last`, or by their names (`fc1`) or their parameters' (`fc1.weight`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct DenseLayers(Vec<String>);

const NONE: &str = "none";

impl DenseLayers {
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the parameters that this leaves out.
    ///
    /// # Errors
    /// [`Error::Domain`] for a name that is no layer with weights in W, or if nothing is left of W.
    pub fn parameters(&self, network: &Network, prunable: Prunable) -> Result<Vec<String>> {
        let specs = network.specs().into_iter().filter(|spec| spec.role.is_prunable(prunable));
        let of_w: Vec<String> = specs.map(|Spec { name, .. }| name).collect();
        let mut dense: Vec<String> = Vec::new();
        for name in &self.0 {
            let wanted = match name.as_str() {
                "first" => of_w.first().map_or("", |name| layer(name)),
                "last" => of_w.last().map_or("", |name| layer(name)),
                name => name,
            };
            let found: Vec<&String> = of_w.iter().filter(|name| *name == wanted || layer(name) == wanted).collect();
            if found.is_empty() {
                let layers = of_w.iter().map(|name| layer(name)).collect::<Vec<_>>().join(", ");
                return Err(Error::domain("--dense-layers", format!("first, last, none or some of {layers}"), name));
            }
            dense.extend(found.into_iter().cloned());
        }
        if dense.len() >= of_w.len() && !self.is_none() {
            return Err(Error::domain("--dense-layers", "fewer than all layers, so that some are left in W", self));
        }
        Ok(dense)
    }
}

/// A parameter's layer.
fn layer(parameter: &str) -> &str {
    parameter.rsplit_once('.').map_or(parameter, |(layer, _)| layer)
}

impl fmt::Display for DenseLayers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&if self.is_none() { NONE.to_string() } else { self.0.join(",") })
    }
}

impl FromStr for DenseLayers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_string()).collect();
        match text {
            NONE => Ok(Self::default()),
            _ if names.iter().any(String::is_empty) => {
                Err(Error::domain("--dense-layers", "first, last, none or names with commas", format!("`{text}`")))
            }
            _ => Ok(Self(names)),
        }
    }
}

impl From<DenseLayers> for String {
    fn from(layers: DenseLayers) -> Self {
        layers.to_string()
    }
}

impl TryFrom<String> for DenseLayers {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}
