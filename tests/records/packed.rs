//! What gzip compressed is judged as what is in it, and nothing is unpacked on a header's word.

use flate2::Compression;
use flate2::write::GzEncoder;
use gdstar::oracle::{CheckOptions, check};
use gdstar::tensor_file::TensorFile;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn trace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/exact/chunks.expected.safetensors")
}

/// The one line that a file of these bytes is refused with.
fn refusal(folder: &Path, bytes: &[u8]) -> String {
    let path = folder.join("refused.safetensors.gz");
    fs::write(&path, bytes).unwrap();
    let told = TensorFile::open_packed(&path).err().unwrap().to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

#[test]
fn a_compressed_trace_has_the_report_of_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let content = fs::read(trace()).unwrap();
    // Two members, one after the other, are one file.
    let (first, second) = content.split_at(1000);
    for bytes in [packed(&content), [packed(first), packed(second)].concat()] {
        let path = folder.path().join("port.safetensors.gz");
        fs::write(&path, bytes).unwrap();
        let found = check(&path, &CheckOptions::default()).unwrap();
        let mut expected = check(&trace(), &CheckOptions::default()).unwrap();
        expected.file = path.display().to_string();
        assert_eq!(found, expected);
    }
}

/// Wherever it is cut, and whichever byte of the compressed data is another.
#[test]
fn a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = packed(&fs::read(trace()).unwrap());
    for end in (2..whole.len()).step_by(whole.len() / 40).chain([whole.len() - 8, whole.len() - 1]) {
        let told = refusal(folder.path(), &whole[..end]);
        assert!(told.contains("content: expected a complete file that gzip compressed, found"), "{end}: {told}");
    }
    let mut checksum = whole.clone();
    let at = whole.len() - 6;
    checksum[at] ^= 1;
    assert!(refusal(folder.path(), &checksum).contains("content: expected a complete file that gzip compressed"));
}

/// A few kilobytes can be gigabytes of zeros: they are unpacked no further than the header says there is something.
#[test]
fn no_more_is_unpacked_than_the_header_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = |header: &str, data: &[u8]| {
        packed(&[&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat())
    };
    let one = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
    let told = refusal(folder.path(), &file(one, &vec![0; 1 << 24]));
    assert!(told.ends_with("tensors of 1 bytes, and 2 bytes of data"), "{told}");
    let claim = r#"{"a":{"dtype":"U8","shape":[1000000000000],"data_offsets":[0,1000000000000]}}"#;
    let told = refusal(folder.path(), &file(claim, &[0; 100]));
    assert!(told.ends_with("tensors of 1000000000000 bytes, and 100 bytes of data"), "{told}");
    let told = refusal(folder.path(), &file("no header", &vec![0; 1 << 24]));
    assert!(told.contains("header: expected a complete safetensors file, found"), "{told}");
    assert!(refusal(folder.path(), &packed(b"")).contains("found 0 bytes"));
    assert!(refusal(folder.path(), &packed(b"model = \"lenet300\"\n")).contains("a text, which begins with `model"));
}

/// Elsewhere a compressed file is no file of tensors, as ever.
#[test]
fn weights_are_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.safetensors.gz");
    fs::write(&path, packed(&fs::read(trace()).unwrap())).unwrap();
    assert!(TensorFile::open(&path).is_err());
}
