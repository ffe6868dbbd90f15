//! Weights files: what is accepted as a network's `state_dict` has its every tensor, finite.

use super::input::changed;
use super::{PATH, assert_refusal};
use gdstar::data::digits;
use gdstar::nn::{Network, models, state_dict};
use gdstar::tensor_file::{self, TensorFile};
use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

/// A network, and the file of its first weights.
fn fixture() -> &'static (Network, Vec<u8>) {
    static FIXTURE: OnceLock<(Network, Vec<u8>)> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let network = models::find("lenet300").and_then(|model| model.network(digits::SHAPE, 10)).expect("a network");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("weights.safetensors");
        let tensors = state_dict::tensors(&network.first_parameters::<f32>(0), 0);
        tensor_file::write(&path, HashMap::new(), &tensors).expect("weights are written");
        (network, std::fs::read(&path).expect("they were written"))
    })
}

/// Reads `data` as changes to a good file ([`changed`]); and as a file.
pub fn run(data: &[u8]) -> bool {
    let (network, good) = fixture();
    let read = |bytes: Vec<u8>| {
        TensorFile::parse(Path::new(PATH), bytes).and_then(|file| state_dict::read::<f32>(&file, network))
    };
    if let Err(error) = read(data.to_vec()) {
        assert_refusal(&error);
    }
    match read(changed(good, data)) {
        Ok(parameters) => {
            assert_eq!(parameters.trained_count(), 50_610);
            assert!(parameters.iter().all(|parameter| parameter.value.iter().all(|x| x.is_finite())));
            true
        }
        Err(error) => {
            assert_refusal(&error);
            false
        }
    }
}
