//! [`Description`]: a registered network of other widths, as files have it.

use super::{Network, models};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The key in a file's `__metadata__`; also the stem of a file's name beside it.
pub const NETWORK_KEY: &str = "network";

/// A registered network, and the shapes of its parameters where layers are narrower than it has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The registered network.
    pub model: String,
    /// `[channels, height, width]`.
    pub input: [usize; 3],
    pub classes: usize,
    /// The shape of every parameter and buffer, by its name in the `state_dict`.
    pub shapes: BTreeMap<String, Vec<usize>>,
}

impl Description {
    /// Of a registered network whose layers are not as wide as it has them; `None` of any other.
    pub fn of(network: &Network) -> Option<Self> {
        let registered = models::find(network.name).ok()?.network(network.input, network.classes).ok()?;
        let specs = network.specs();
        let is_narrower = registered.specs() != specs;
        is_narrower.then(|| Self {
            model: network.name.to_string(),
            input: network.input,
            classes: network.classes,
            shapes: specs.into_iter().map(|spec| (spec.name, spec.shape)).collect(),
        })
    }

    /// What the text of a file says.
    ///
    /// # Errors
    /// [`Error::File`] if it is no description.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let bad = |e| Error::file(path, format!("metadata `{NETWORK_KEY}`"), "a network's description", e);
        serde_json::from_str(text).map_err(bad)
    }

    /// `network`, which is the one that is described in its registered widths, in those of the description.
    ///
    /// # Errors
    /// As [`Network::of_widths`].
    pub fn narrow(&self, network: &Network) -> Result<Network> {
        network.of_widths(&|name| self.shapes.get(name).cloned())
    }
}
