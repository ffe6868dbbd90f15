//! NumPy's format, read here by its own description (`numpy.lib.format`).

use super::pruned;
use gdstar::export::{Format, export};
use gdstar::tensor_file::Element;
use ndarray::ArrayD;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

fn open(path: &Path) -> ZipArchive<File> {
    ZipArchive::new(File::open(path).unwrap()).unwrap()
}

/// The names of an archive's arrays.
pub(super) fn names(path: &Path) -> Vec<String> {
    open(path).file_names().map(|name| name.strip_suffix(".npy").unwrap().to_string()).collect()
}

/// The dictionary of an array's file, and the bytes of its numbers.
fn parts(path: &Path, name: &str) -> (String, Vec<u8>) {
    let (mut archive, mut content) = (open(path), Vec::new());
    let mut file = archive.by_name(&format!("{name}.npy")).unwrap();
    assert_eq!(file.compression(), CompressionMethod::Stored, "{name}");
    file.read_to_end(&mut content).unwrap();
    let numbers = content.split_off(10 + usize::from(u16::from_le_bytes([content[8], content[9]])));
    assert_eq!((&content[..8], content.len() % 64), (&b"\x93NUMPY\x01\x00"[..], 0), "{name}");
    (String::from_utf8(content.split_off(10)).unwrap(), numbers)
}

/// An array of an archive; its type must be `T`.
pub(super) fn read<T: Element>(path: &Path, name: &str) -> ArrayD<T> {
    let (dictionary, numbers) = parts(path, name);
    let descr = format!("'{}{}{}'", ["|", "<"][usize::from(T::SIZE > 1)], kind::<T>(), T::SIZE);
    assert!(dictionary.contains(&format!("'descr': {descr}, 'fortran_order': False")), "{name}: {dictionary}");
    let (_, shape) = dictionary.split_once('(').unwrap();
    let axes = shape.split_once(')').unwrap().0.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape: Vec<usize> = axes.map(|axis| axis.parse().unwrap()).collect();
    ArrayD::from_shape_vec(shape, numbers.chunks_exact(T::SIZE).map(T::get).collect()).unwrap()
}

/// NumPy's letter for a type.
fn kind<T: Element>() -> char {
    match format!("{:?}", T::DTYPE).as_bytes()[0] {
        b'F' => 'f',
        b'I' => 'i',
        _ => 'u',
    }
}

/// The dictionary to the letter, of one axis and of several: what readers other than NumPy's may go by. The line feed
/// ends it, and the numbers are aligned.
#[test]
fn an_array_begins_as_numpy_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("export");
    export(&pruned(), Format::Npz, &out).unwrap();
    for (stem, name, descr, shape) in [
        ("dense", "linear.bias", "<f4", "(2,)"),
        ("dense", "conv1.weight", "<f4", "(3, 1, 3, 3)"),
        ("dense", "bn1.num_batches_tracked", "<i8", "()"),
        ("masks", "linear.weight", "|u1", "(2, 3)"),
        ("csr", "linear.weight.shape", "<i8", "(2,)"),
    ] {
        let (dictionary, _) = parts(&out.join(format!("{stem}.npz")), name);
        let expected = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}");
        assert_eq!(dictionary.trim_end(), expected, "{name}");
        assert!(dictionary.ends_with(" \n"), "{name}: {dictionary:?}");
    }
}
