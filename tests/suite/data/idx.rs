//! IDX: exact arrays, every way a file can be wrong, no allocation on a header's word.

use super::fixtures::{self, gzip, message};
use gdstar::data::file::{MAX_BYTES, read_at_most};
use gdstar::data::idx::{Axis, Idx, parse};
use proptest::prelude::*;
use std::path::Path;

const AXES: [Axis; 3] = [
    Axis { name: "number of images", size: None },
    Axis { name: "rows", size: None },
    Axis { name: "columns", size: Some(2) },
];

fn read(file: &[u8]) -> gdstar::Result<Idx> {
    parse(Path::new("f"), file, &AXES)
}

/// Two images of three rows and two columns.
fn good() -> Vec<u8> {
    fixtures::idx(&[2, 3, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255])
}

#[test]
fn the_array_is_exact_plain_and_gzip() {
    let expected = Idx { shape: vec![2, 3, 2], bytes: vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255] };
    assert_eq!(read(&good()).unwrap(), expected);
    assert_eq!(read(&gzip(&good())).unwrap(), expected);
    // RFC 1952, section 2.2: a gzip file is a series of members, unpacked one after the other.
    let good = good();
    let (front, back) = good.split_at(7);
    assert_eq!(read(&[gzip(front), gzip(back)].concat()).unwrap(), expected);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        images in 1_u32..6, rows in 1_u32..6, seed: u8, packed: bool
    ) {
        let bytes: Vec<u8> = (0..images * rows * 2).map(|i| (i as u8).wrapping_mul(37) ^ seed).collect();
        let file = fixtures::idx(&[images, rows, 2], &bytes);
        let file = if packed { gzip(&file) } else { file };
        prop_assert_eq!(read(&file).unwrap(), Idx { shape: vec![images as usize, rows as usize, 2], bytes });
    }
}

#[test]
fn each_fault_is_named_with_its_place() {
    let with = |at: usize, byte: u8| {
        let mut file = good();
        file[at] = byte;
        file
    };
    let cases: &[(Vec<u8>, &str)] = &[
        (vec![], "f: byte 0, magic number: expected 4 bytes, found 0"),
        (with(1, 1), "f: byte 0, magic number: expected 0x00000803, found 0x00010803"),
        (b"\x89PNG....".to_vec(), "f: byte 0, magic number: expected 0x00000803, found 0x89504e47"),
        (with(2, 0x0d), "f: byte 2, type: expected 0x08 (unsigned bytes), found 0x0d"),
        (with(3, 1), "f: byte 3, number of dimensions: expected 3, found 1"),
        (with(7, 0), "f: byte 4, number of images: expected at least 1, found 0"),
        (with(11, 0), "f: byte 8, rows: expected at least 1, found 0"),
        (with(15, 3), "f: byte 12, columns: expected 2, found 3"),
        (with(7, 3), "f: byte 28, end of data: expected 18 bytes after the header (3 x 3 x 2), found 12"),
        (with(7, 1), "f: byte 22: expected the end after 1 x 3 x 2 bytes, found more"),
        (good()[..13].to_vec(), "f: byte 12, columns: expected 4 bytes, found 1"),
        (good()[..27].to_vec(), "f: byte 27, end of data: expected 12 bytes after the header (2 x 3 x 2), found 11"),
        ([good(), vec![0]].concat(), "f: byte 28: expected the end after 2 x 3 x 2 bytes, found more"),
        (gzip(&good()[..27]), "f: byte 27, end of data: expected 12 bytes after the header (2 x 3 x 2), found 11"),
        (gzip(&[good(), vec![0]].concat()), "f: byte 28: expected the end after 2 x 3 x 2 bytes, found more"),
        (vec![0x1f, 0x8b], "f: unpacked byte 0: expected an intact gzip stream, found its end"),
        (gzip(&good())[..10].to_vec(), "f: unpacked byte 0: expected an intact gzip stream, found its end"),
    ];
    for (file, expected) in cases {
        assert_eq!(&message(read(file), expected), expected);
    }
}

#[test]
fn a_damaged_checksum_is_found_at_the_end_of_the_data() {
    let mut file = gzip(&good());
    let checksum = file.len() - 8; // RFC 1952, section 2.3: CRC32, then the size, four bytes each
    file[checksum] ^= 1;
    let message = message(read(&file), "a wrong checksum");
    assert!(message.starts_with("f: unpacked byte 28: expected an intact gzip stream, found "), "{message}");
}

/// No proper prefix of a file is a file.
#[test]
fn a_file_cut_anywhere_is_an_error() {
    for file in [good(), gzip(&good())] {
        for length in 0..file.len() {
            let message = message(read(&file[..length]), &format!("{length} of {} bytes", file.len()));
            assert!(message.starts_with("f: ") && message.contains("byte"), "{message}");
        }
    }
}

/// gzip's checksum and the exact length leave no room for a changed byte: the file is refused, or the change was
/// in a field that says nothing about the content (a time stamp, say).
#[test]
fn a_changed_bit_in_a_gzip_file_never_changes_the_array() {
    let (file, expected) = (gzip(&good()), read(&good()).unwrap());
    let mut refused = 0;
    for bit in 0..8 * file.len() {
        let mut changed = file.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        match read(&changed) {
            Ok(array) => assert_eq!(array, expected, "bit {bit}"),
            Err(_) => refused += 1,
        }
    }
    // 18 bytes frame the stream (RFC 1952); of those only time stamp, extra flags and system (6 bytes) are free.
    assert!(refused > 8 * (file.len() - 18), "{refused} of {} refused", 8 * file.len());
}

/// 2^32-1 images of 2^16 x 2^16 pixels are 2^64 - 2^32 bytes: a reader that set them aside before reading would
/// abort the process (no machine has them), so that an error comes back proves it did not. The product still fits
/// 64 bits; one more doubling of a size does not, and has to be refused as well.
#[test]
fn a_header_is_not_believed() {
    let axes = AXES.map(|axis| Axis { size: None, ..axis });
    for (rows, product) in [(1 << 16, "4294967295 x 65536 x 65536"), (1 << 31, "4294967295 x 2147483648 x 65536")] {
        let file = fixtures::idx(&[u32::MAX, rows, 1 << 16], &[0; 3]);
        for file in [gzip(&file), file] {
            let expected = format!("f: byte 4, sizes: expected a product of at most {MAX_BYTES}, found {product}");
            assert_eq!(message(parse(Path::new("f"), &file, &axes), "a lying header"), expected);
        }
    }
}

/// Below the limit too, memory follows the bytes that are there: the buffer of a reader that ends early holds at
/// most twice what it gave (growth is by doubling) and one smallest buffer of the standard library (32 bytes).
#[test]
fn a_limit_allocates_nothing() {
    for present in [0_usize, 1, 31, 33, 1000, 100_000] {
        let mut content = Vec::new();
        read_at_most(vec![7; present].as_slice(), MAX_BYTES, &mut content).unwrap();
        assert_eq!(content, vec![7; present]);
        assert!(content.capacity() <= 2 * present + 32, "{} for {present}", content.capacity());
    }
    let file = fixtures::idx(&[1 << 14, 1 << 15, 2], &[1, 2, 3]); // claims 2^30 bytes: the limit itself
    let expected = "f: byte 19, end of data: expected 1073741824 bytes after the header (16384 x 32768 x 2), found 3";
    assert_eq!(message(read(&file), "a lying header"), expected);
}

/// A small gzip file of many zeros is unpacked no further than its header says.
#[test]
fn a_gzip_bomb_is_cut_off() {
    let bomb = gzip(&fixtures::idx(&[1, 3, 2], &vec![0; 20_000_000]));
    assert_eq!(message(read(&bomb), "a bomb"), "f: byte 22: expected the end after 1 x 3 x 2 bytes, found more");
}
