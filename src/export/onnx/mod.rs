//! [`onnx`]: a network as an ONNX model, for the runtimes that read them.
//!
//! A model is a protocol buffer, of whose messages these fields are written (number: name):
//!
//! | message | fields |
//! |---|---|
//! | ModelProto | 1: ir_version, 2: producer_name, 7: graph, 8: opset_import, 14: metadata_props |
//! | OperatorSetIdProto | 2: version |
//! | StringStringEntryProto | 1: key, 2: value |
//! | GraphProto | 1: node, 2: name, 5: initializer, 11: input, 12: output |
//! | NodeProto | 1: input, 2: output, 3: name, 4: op_type, 5: attribute |
//! | AttributeProto | 1: name, 2: f, 3: i, 8: ints, 20: type |
//! | TensorProto | 1: dims, 2: data_type, 8: name, 9: raw_data |
//! | ValueInfoProto | 1: name, 2: type (TypeProto 1: tensor_type, of elem_type 1 and shape 2) |
//! | TensorShapeProto | 1: dim, of dim_value 1 or dim_param 2 |
//!
//! It computes what evaluation does: batch norm by its running statistics, nothing dropped. Values are F32, those of an F64 network
//! rounded. Eliminated weights are zeros: the format has no sparse weights that runtimes compute with.

mod graph;

use super::StoredFile;
use super::files::Folder;
use crate::data::ENCODING_KEY;
use crate::error::{Error, Result};
use crate::export::protobuf::Message;
use crate::nn::{Description, NETWORK_KEY};
use crate::scalar::Scalar;
use crate::train::SavedNetwork;
use graph::Graph;
use std::path::Path;

/// The format's version, and that of the set of operators: runtimes from 2021 on know both.
const IR_VERSION: i64 = 7;
const OPERATORS: i64 = 13;

/// The file's name.
const NAME: &str = "network.onnx";

/// Writes `network.onnx`, with input `input` `[n,c,h,w]` (normalised, as `encoding.json` beside it says) and output `logits`
/// `[n,classes]`, into the new folder `out`, which is there when it is complete and not before.
///
/// # Errors
/// [`Error::File`] if `out` is there already; [`Error::Io`].
pub fn onnx<S: Scalar>(saved: &SavedNetwork<S>, out: &Path) -> Result<StoredFile> {
    if out.exists() {
        return Err(Error::file(out, "export folder", "a folder that is not there yet", "one that is"));
    }
    let graph = Graph::of(&saved.network, &saved.parameters)?;
    let mut model = Message::default()
        .int(1, IR_VERSION)
        .text(2, concat!("gdstar ", env!("CARGO_PKG_VERSION")))
        .message(7, &graph)
        .message(8, &Message::default().int(2, OPERATORS));
    let mut folder = Folder::new(out)?;
    if let Some(encoding) = &saved.encoding {
        let json = serde_json::to_string(encoding).map_err(|e| Error::file(out, "encoding", "JSON", e))?;
        model = model.message(14, &Message::default().text(1, ENCODING_KEY).text(2, &json));
        folder.describe(ENCODING_KEY, encoding)?;
    }
    if let Some(description) = Description::of(&saved.network) {
        folder.describe(NETWORK_KEY, &description)?;
    }
    let file = folder.write_bytes(NAME, &model.bytes())?;
    folder.complete()?;
    Ok(file)
}
