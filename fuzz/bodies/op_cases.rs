//! Op-case files: an accepted case evaluates, in every number system, to the shapes that were promised.

use super::{PATH, accepted};
use gdstar::kernel::Kernel;
use gdstar::ops::cases::CaseFile;
use gdstar::tensor_file::TensorFile;
use std::path::Path;

/// Outputs above this many elements are left alone: an attribute may ask for more than a fuzzer has time for.
const SMALL: usize = 1 << 12;

/// Reads `data` as an op-case file.
pub fn run(data: &[u8]) -> bool {
    accepted(TensorFile::parse(Path::new(PATH), data.to_vec()).and_then(CaseFile::new), |file| {
        for case in &file.cases {
            let shapes: Vec<&[usize]> = case.inputs.iter().map(|(_, array)| array.shape()).collect();
            let outputs = case.op.out_shapes(&shapes).expect("an accepted case fits its op");
            if outputs.iter().all(|shape| shape.iter().product::<usize>() <= SMALL) {
                let evaluated = case.evaluate::<f32>(Kernel::Fast).expect("an accepted case evaluates");
                assert!(evaluated.outputs.iter().zip(&outputs).all(|(y, shape)| y.shape() == shape.as_slice()));
            }
        }
    })
}
