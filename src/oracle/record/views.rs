//! Tensors of a record that are views of stored ones.

use super::case::{Placeless, extents};
use crate::error::{Error, Result};
use crate::tensor_file::{Layout, TensorFile};
use serde_json::Value as Json;

const EXPECTED: &str = "{\"tensor\": NAME, \"shape\": [..], \"strides\": [..], \"offset\": N}, the offset optional";

/// Lets the file have the tensors that the key `views` describes.
pub(super) fn add(file: &mut TensorFile, place: &str, views: Option<Json>) -> Result<()> {
    let views = match views {
        None | Some(Json::Null) => return Ok(()),
        Some(Json::Object(views)) => views,
        Some(other) => return Err(Error::file(file.path(), format!("{place}: views"), "an object", other)),
    };
    for (name, view) in &views {
        let added = read(view).and_then(|(of, layout)| file.add_view(name, of, &layout));
        let path = file.path().to_path_buf();
        added.map_err(|(expected, found)| Error::file(path, format!("{place}: views.{name}"), expected, found))?;
    }
    Ok(())
}

/// The stored tensor that is seen, and how.
fn read(view: &Json) -> Placeless<(&str, Layout)> {
    let refused = || (EXPECTED, view.to_string());
    let entries = view.as_object().ok_or_else(refused)?;
    if entries.keys().any(|key| !matches!(key.as_str(), "tensor" | "shape" | "strides" | "offset")) {
        return Err(refused());
    }
    let tensor = entries.get("tensor").and_then(Json::as_str).ok_or_else(refused)?;
    let list = |key: &str| entries.get(key).and_then(extents).ok_or_else(refused);
    let offset = match entries.get("offset") {
        None | Some(Json::Null) => Some(0),
        Some(offset) => offset.as_u64().and_then(|offset| usize::try_from(offset).ok()),
    };
    let layout = Layout { shape: list("shape")?, strides: list("strides")?, offset: offset.ok_or_else(refused)? };
    Ok((tensor, layout))
}
