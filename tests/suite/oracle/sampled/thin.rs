//! A trace thinned to a sample, and its masks to bits: written from `docs/trace.md` alone, nothing of `gdstar::trace` in it.

use gdstar::tensor_file::Tensor;
use safetensors::tensor::Dtype;
use serde_json::{Value, json};

/// How a trace is thinned.
#[derive(Debug, Clone, Copy)]
pub struct Thinning {
    /// `None`: all weights.
    pub share: Option<f64>,
    pub least: usize,
    pub whole_masks: bool,
    pub packed: bool,
}

const MASKS: [&str; 3] = ["mask_before", "selected", "mask"];

/// The page's hash.
pub fn coordinates(name: &str, n: usize, share: f64, least: usize) -> Vec<usize> {
    let mut h: u64 = 0xcbf29ce484222325;
    for byte in name.as_bytes() {
        h = (h ^ *byte as u64).wrapping_mul(0x100000001b3);
    }
    let threshold = share.max(least as f64 / n as f64);
    let is_in = |j: &usize| {
        let mut z = h.wrapping_add((*j as u64 + 1).wrapping_mul(0x9e3779b97f4a7c15));
        z = (z ^ z >> 30).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d049bb133111eb);
        z ^= z >> 31;
        (z >> 11) as f64 * f64::powi(2.0, -53) < threshold
    };
    (0..n).filter(is_in).collect()
}

/// Eight flags a byte, the first in the lowest bit.
fn bits(flags: &[u8]) -> Vec<u8> {
    flags.chunks(8).map(|eight| eight.iter().enumerate().map(|(i, flag)| flag << i).sum()).collect()
}

/// The parameter of a tensor, and the quantity.
fn of_parameter<'a>(name: &'a str, parameters: &'a [String]) -> Option<(&'a str, &'a str)> {
    let found = parameters.iter().find_map(|parameter| {
        let before = name.strip_suffix(parameter.as_str())?.strip_suffix('/')?;
        Some((before.rsplit('/').next()?, parameter.as_str()))
    })?;
    let known = ["init", "grad", "weights", "weights_before", "weights_after", "rewind", "G"];
    (known.contains(&found.0) || MASKS.contains(&found.0)).then_some(found)
}

/// The entries at these places.
fn taken(tensor: &Tensor, places: &[usize]) -> Tensor {
    let size = tensor.bytes.len() / tensor.shape.iter().product::<usize>().max(1);
    let bytes = places.iter().flat_map(|&j| tensor.bytes[j * size..(j + 1) * size].to_vec()).collect();
    Tensor { dtype: tensor.dtype, shape: vec![places.len()], bytes }
}

/// Header and tensors of a trace, thinned.
pub fn thin(
    header: &Value,
    tensors: &[(String, Tensor)],
    parameters: &[String],
    thinning: Thinning,
) -> (Value, Vec<(String, Tensor)>) {
    let Thinning { share, least, whole_masks, packed } = thinning;
    let (mut header, mut all) = (header.clone(), Vec::new());
    let mut shapes = serde_json::Map::new();
    for (name, tensor) in tensors {
        let Some((quantity, parameter)) = of_parameter(name, parameters) else {
            all.push((name.clone(), tensor.clone()));
            continue;
        };
        let (is_mask, len) = (MASKS.contains(&quantity), tensor.shape.iter().product());
        let mut tensor = tensor.clone();
        if let Some(share) = share {
            let kept = coordinates(parameter, len, share, least);
            if shapes.insert(parameter.to_string(), json!(tensor.shape)).is_none() {
                let list: Vec<i64> = kept.iter().map(|&j| j as i64).collect();
                all.push((format!("sample/{parameter}"), Tensor::from_slice(&[list.len()], &list)));
            }
            if !(is_mask && whole_masks) {
                tensor = taken(&tensor, &kept);
            }
        }
        if is_mask && packed {
            assert_eq!(tensor.dtype, Dtype::U8);
            tensor = Tensor::from_slice(&[tensor.bytes.len().div_ceil(8)], &bits(&tensor.bytes));
            shapes.entry(parameter).or_insert(json!([len]));
        }
        all.push((name.clone(), tensor));
    }
    if packed {
        header["masks"] = json!("packed");
    }
    if let Some(share) = share {
        let masks = if whole_masks { "whole" } else { "sampled" };
        header["sample"] = json!({ "share": share, "least": least, "masks": masks });
        header["shapes"] = Value::Object(shapes);
    }
    (header, all)
}
