//! Checkpoints: a file is restored only as the run it belongs to, and a damaged one is refused.

use super::input::changed;
use super::{PATH, accepted};
use gdstar::data::{self, Dataset, Source};
use gdstar::method::Method;
use gdstar::tensor_file::TensorFile;
use gdstar::train::{Checkpoint, Config, Run};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

static GO_ON: AtomicBool = AtomicBool::new(false);

/// A run of the embedded digits, few of them, and its first checkpoint.
pub struct Fixture {
    pub config: Config,
    pub dataset: Dataset,
    pub checkpoint: Vec<u8>,
}

pub fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let config = Config::new("lenet300", Source::Digits, Method::Gdstar);
        let mut dataset = data::load(Source::Digits, None).expect("the digits are embedded");
        dataset.train = dataset.train.select(&[0, 1, 2]);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("checkpoint.safetensors");
        let run = Run::new(&config, &dataset, &GO_ON).expect("the default run is valid");
        let state = run.start::<f32>().expect("the default run starts");
        Checkpoint::write(&path, &run, &state, None).expect("a checkpoint is written");
        let checkpoint = without_checksum(&std::fs::read(&path).expect("it was written"));
        Fixture { config, dataset, checkpoint }
    })
}

/// The checkpoint as the first ones were, so that a change reaches the checks behind the checksum.
fn without_checksum(checkpoint: &[u8]) -> Vec<u8> {
    const SIZE: usize = size_of::<u64>();
    let file = TensorFile::parse(Path::new(PATH), checkpoint.to_vec()).expect("it is whole");
    let checksum = Checkpoint::header(&file).expect("it is a checkpoint").sha256.expect("it has a checksum");
    let (size, rest) = checkpoint.split_first_chunk::<SIZE>().expect("a header's size");
    let (header, tensors) = rest.split_at(u64::from_le_bytes(*size) as usize);
    let field = format!("\\\"sha256\\\":\\\"{checksum}\\\",");
    let header = std::str::from_utf8(header).expect("JSON").replacen(&field, "", 1);
    let header = format!("{:width$}", header.trim_end(), width = header.trim_end().len().next_multiple_of(SIZE));
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), tensors].concat()
}

/// Reads `data` as changes to a good checkpoint ([`changed`]).
pub fn run(data: &[u8]) -> bool {
    let Fixture { config, dataset, checkpoint } = fixture();
    let bytes = changed(checkpoint, data);
    let run = Run::new(config, dataset, &GO_ON).expect("the default run is valid");
    let restored = TensorFile::parse(Path::new(PATH), bytes).and_then(|file| Checkpoint::restore::<f32>(&file, &run));
    accepted(restored, |(header, state)| {
        assert_eq!(header.config, *config);
        assert_eq!(state.weights.parameters.trained_count(), 50_610);
        assert!(state.epochs <= config.hyper.epochs);
    })
}
