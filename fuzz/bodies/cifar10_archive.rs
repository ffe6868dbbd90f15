//! CIFAR-10's archive: what is accepted as a file is bytes of a member, whatever headers claim.

use super::input::changed;
use super::{PATH, accepted, assert_refusal};
use flate2::Compression;
use flate2::write::GzEncoder;
use gdstar::data::cifar10::Batch;
use gdstar::data::cifar10::archive::unpack;
use std::io::Write;
use std::path::Path;

/// A header and a record of 3,073 bytes, padded to the next block.
const MEMBER: usize = BLOCK + 7 * BLOCK;
const BLOCK: usize = 512;
const RECORD: usize = 3073;
const NAMES: [&str; 6] = ["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"];

/// Reads `data` as an archive; then as changes ([`changed`]) to a good one, after which, if the first byte is even, the
/// headers' checksums are made right again. Returns whether the changed one was accepted.
pub fn run(data: &[u8]) -> bool {
    if let Err(error) = unpack(Path::new(PATH), data) {
        assert_refusal(&error);
    }
    let (&kind, changes) = data.split_first().unwrap_or((&0, &[]));
    let mut archive = changed(&good(), changes);
    if kind % 2 == 0 {
        archive.chunks_exact_mut(MEMBER).for_each(|member| restore_checksum(&mut member[..BLOCK]));
    }
    accepted(unpack(Path::new(PATH), &stored(&archive)[..]), |files| {
        files.iter().for_each(|file| assert_is_in(&archive, file));
    })
}

fn assert_is_in(archive: &[u8], Batch { images, .. }: &Batch) {
    assert!(!images.is_empty() && images.labels.iter().all(|&label| label < 10));
    let label = |i: usize| u8::try_from(images.labels[i]).expect("below 10");
    let content: Vec<u8> =
        (0..images.len()).flat_map(|i| std::iter::once(label(i)).chain(images.image(i).iter().copied())).collect();
    assert_eq!(content.len(), RECORD * images.len());
    let blocks = (0..archive.len()).step_by(BLOCK);
    assert!(blocks.into_iter().any(|block| archive[block..].starts_with(&content)), "bytes from nowhere");
}

/// Six members of one record each, and the end of the archive.
fn good() -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, label) in NAMES.into_iter().zip(0..) {
        let mut member = [0; MEMBER];
        let mut put = |at: usize, text: &str| member[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, &format!("cifar-10-batches-bin/{name}.bin"));
        put(124, &format!("{RECORD:011o}"));
        put(156, "0");
        put(257, "ustar\x0000");
        restore_checksum(&mut member[..BLOCK]);
        member[BLOCK..BLOCK + RECORD].fill(40 * label + 7);
        member[BLOCK] = label;
        archive.extend(member);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// Writes the sum of a header's bytes, in which it counts itself as spaces.
fn restore_checksum(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

/// As gzip, without being compressed.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}
