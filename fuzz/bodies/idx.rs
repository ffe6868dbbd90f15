//! The IDX reader: an accepted file is exactly the header and the bytes that were read from it.

use super::{PATH, assert_refusal};
use flate2::read::MultiGzDecoder;
use gdstar::data::idx::{Axis, Idx, parse};
use std::io::Read;
use std::path::Path;

const ANY: Axis = Axis { name: "size", size: None };
const SIDE: Axis = Axis { name: "side", size: Some(28) };

/// Reads `data` as labels, as images of any size and as images of 28x28.
pub fn run(data: &[u8]) -> bool {
    let readings: [&[Axis]; 3] = [&[ANY], &[ANY, ANY, ANY], &[ANY, SIDE, SIDE]];
    let mut accepted = false;
    for axes in readings {
        match parse(Path::new(PATH), data, axes) {
            Ok(array) => {
                assert_faithful(data, axes, &array);
                accepted = true;
            }
            Err(error) => assert_refusal(&error),
        }
    }
    accepted
}

fn assert_faithful(data: &[u8], axes: &[Axis], array: &Idx) {
    assert_eq!(array.shape.iter().product::<usize>(), array.bytes.len());
    assert!(
        array
            .shape
            .iter()
            .zip(axes)
            .all(|(&size, axis)| size > 0 && axis.size.is_none_or(|fixed| size == fixed as usize))
    );
    // Growth is by doubling, from one smallest buffer of the standard library.
    assert!(array.bytes.capacity() <= 2 * array.bytes.len() + 32);
    let mut content = vec![0, 0, 8, array.shape.len() as u8];
    content.extend(array.shape.iter().flat_map(|&size| (size as u32).to_be_bytes()));
    content.extend(&array.bytes);
    assert_eq!(content, unpacked(data, content.len()));
}

/// The content of a plain or gzip file, up to one byte more than `expected`.
fn unpacked(data: &[u8], expected: usize) -> Vec<u8> {
    if !data.starts_with(&[0x1f, 0x8b]) {
        return data.to_vec();
    }
    let mut content = Vec::new();
    MultiGzDecoder::new(data).take(expected as u64 + 1).read_to_end(&mut content).expect("accepted as gzip");
    content
}
