//! Files of other formats: what they are and what to do is said, not what their bytes would be as a header.

use gdstar::tensor_file::TensorFile;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::write::{SimpleFileOptions, ZipWriter};

/// A zip archive that begins with a file of this name.
fn zip(first: &str) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(first, SimpleFileOptions::default()).unwrap();
    writer.write_all(&[7; 300]).unwrap();
    writer.finish().unwrap().into_inner()
}

fn told(bytes: &[u8]) -> String {
    let told = TensorFile::parse(Path::new("w.pth"), bytes.to_vec()).err().unwrap().to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    told
}

#[test]
fn files_of_other_formats_are_named_with_what_to_do() {
    let rest = [7; 100];
    let torch = "safetensors.torch.save_file(torch.load(FILE), NEW)";
    let arrays = "safetensors.numpy.save_file({NAME: ARRAY, ..}, NEW)";
    let cases = [
        (zip("weights/data.pkl"), torch, "a zip archive, as torch.save writes (.pth, .pt, .bin)"),
        (zip("fc1.weight.npy"), "safetensors.numpy.save_file(dict(numpy.load(FILE)), NEW)", "NumPy arrays (.npz)"),
        ([b"\x80\x02\x8a\nl\xfc\x9cF\xf9".as_slice(), &rest].concat(), torch, "a Python pickle"),
        ([b"\x80\x04\x95\x10\0\0\0\0".as_slice(), &rest].concat(), "", ""),
        ([b"\x93NUMPY\x01\0v\0".as_slice(), &rest].concat(), arrays, "a NumPy array (.npy)"),
        ([b"\x89HDF\r\n\x1a\n".as_slice(), &rest].concat(), arrays, "an HDF5 file (.h5)"),
        ([b"GGUF\x03\0\0\0\x10".as_slice(), &rest].concat(), "", ""),
        ([b"\x1f\x8b\x08\0\x1d\x2e\x3f\x66".as_slice(), &rest].concat(), "gunzip", "a file that gzip compressed (.gz)"),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "git lfs pull", "Git LFS's pointer"),
    ];
    for (bytes, remedy, name) in cases {
        let told = told(&bytes);
        let is_told = told.contains("w.pth: format: expected a safetensors file (") && told.contains(name);
        assert!(is_told && told.contains(remedy), "{told}");
    }
}

/// What has no name of its own is told by how it begins; a text by its first line.
#[test]
fn other_files_are_told_by_how_they_begin() {
    let cases: [(&[u8], &str); 8] = [
        (b"model = \"lenet300\"\ndata = \"digits\"\n", "a text, which begins with `model = \"lenet300\"`"),
        (b"{\"epoch\":0,\"loss\":1.5}", "a text, which begins with `{"),
        (b"\n\n<!DOCTYPE html>\n<html>", "a text, which begins with `<!DOCTYPE html>`"),
        ("W\u{e4}hrend der Nacht, und am Tage auch, w\u{e4}re".as_bytes(), "a text, which begins with `W\u{e4}hrend"),
        (&[b"a comment of 39 bytes, then two more  ".as_slice(), "\u{e4}".as_bytes()].concat(), "a text, which"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "a file of another kind, or damaged, which begins with the bytes 89 50 4e 47 0d 0a 1a 0a",
        ),
        (&[0xff; 100], "a file of another kind, or damaged, which begins with the bytes ff ff ff ff ff ff ff ff"),
        (
            b"text at first\0\x01",
            "a file of another kind, or damaged, which begins with the bytes 74 65 78 74 20 61 74 20",
        ),
    ];
    for (bytes, name) in cases {
        let told = told(bytes);
        assert!(told.contains(&format!("w.pth: format: expected a safetensors file, found {name}")), "{told}");
    }
}

/// A safetensors file that is cut short is one all the same, whatever its header's length looks like.
#[test]
fn a_truncated_file_is_told_as_one() {
    for length in [0x0280u64, 0x0580, 0x0404] {
        let told = told(&[length.to_le_bytes().as_slice(), b"{\"a\":"].concat());
        assert!(
            told.contains(&format!("a complete safetensors file, found 13 bytes: a header of {length} bytes")),
            "{told}"
        );
    }
}
