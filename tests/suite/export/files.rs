//! The three files, in both formats.

use super::{bits, npz, pruned};
use gdstar::export::{Csr, Format, export};
use gdstar::tensor_file::{Element, TensorFile};
use gdstar::train::SavedNetwork;
use gdstar::{Error, nn::state_dict};
use ndarray::{ArrayD, Ix1};
use std::fs;
use std::path::Path;

/// An array of an exported file.
fn read<T: Element>(folder: &Path, stem: &str, format: Format, name: &str) -> ArrayD<T> {
    let path = folder.join(format!("{stem}.{format}"));
    match format {
        Format::Safetensors => TensorFile::open(&path).unwrap().read(name, None).unwrap(),
        Format::Npz => npz::read(&path, name),
    }
}

fn names(folder: &Path, stem: &str, format: Format) -> Vec<String> {
    let path = folder.join(format!("{stem}.{format}"));
    let mut names: Vec<String> = match format {
        Format::Safetensors => TensorFile::open(&path).unwrap().names().map(str::to_string).collect(),
        Format::Npz => npz::names(&path),
    };
    names.sort();
    names
}

/// Dense, masks and CSR hold the same pruned network, bit for bit, and every size that is told is the file's.
#[test]
fn all_three_files_hold_the_pruned_network() {
    let saved = pruned();
    for &format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("above").join("export");
        let exported = export(&saved, format, &out).unwrap();
        for segment in saved.weights.segments() {
            let parameter = &saved.parameters[segment.parameter];
            let name = parameter.name.as_str();
            let expected = bits(&parameter.value);
            assert_eq!(bits(&read::<f32>(&out, "dense", format, name)), expected, "{name}: dense");
            let mask = read::<u8>(&out, "masks", format, name);
            let alive: Vec<u8> = saved.alive[segment.range.clone()].iter().map(|&alive| alive.into()).collect();
            assert_eq!((mask.shape(), bits(&mask)), (parameter.value.shape(), alive), "{name}: mask");
            let part = |part: &str| format!("{name}.{part}");
            let flat = |array: ArrayD<i32>| array.into_dimensionality::<Ix1>().unwrap().to_vec();
            let shape: Vec<usize> =
                read::<i64>(&out, "csr", format, &part("shape")).iter().map(|&axis| axis as usize).collect();
            let indptr = flat(read(&out, "csr", format, &part("indptr")));
            let indices = flat(read(&out, "csr", format, &part("indices")));
            let values = read::<f32>(&out, "csr", format, &part("values")).iter().copied().collect();
            let csr = Csr::new(&shape, indptr, indices, values).unwrap();
            assert_eq!(csr.to_dense().shape(), parameter.value.shape(), "{name}: CSR");
            assert_eq!(bits(&csr.to_dense()), expected, "{name}: CSR");
        }
        for file in [&exported.dense, &exported.masks, &exported.csr] {
            assert_eq!(fs::metadata(out.join(&file.name)).unwrap().len(), file.bytes, "{}", file.name);
        }
        assert_eq!(fs::read_dir(&out).unwrap().count(), 3);
        assert_eq!(fs::read_dir(out.parent().unwrap()).unwrap().count(), 1, "no left-overs");
    }
}

/// The dense file has a `state_dict`'s names and nothing else; CSR replaces W's parameters and keeps the others.
#[test]
fn files_have_the_names_that_others_expect() {
    let saved = pruned();
    for &format in Format::ALL {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("export");
        export(&saved, format, &out).unwrap();
        let mut dense: Vec<String> =
            state_dict::tensors(&saved.parameters, 7).into_iter().map(|(name, _)| name).collect();
        dense.sort();
        assert_eq!(names(&out, "dense", format), dense);
        let weights = ["conv1.weight", "conv2.weight", "linear.weight"];
        assert_eq!(names(&out, "masks", format), weights);
        dense.retain(|name| !weights.contains(&name.as_str()));
        let part = |name: &str| ["indptr", "indices", "values", "shape"].map(|part| format!("{name}.{part}"));
        dense.extend(weights.iter().flat_map(|name| part(name)));
        dense.sort();
        assert_eq!(names(&out, "csr", format), dense);
        assert_eq!(read::<i64>(&out, "dense", format, "bn1.num_batches_tracked").into_raw_vec_and_offset().0, [7]);
        assert_eq!(read::<f32>(&out, "csr", format, "linear.bias"), read::<f32>(&out, "dense", format, "linear.bias"));
    }
}

/// The break-even sparsity is where the arrays of W and of its CSR are equally long: above it CSR is smaller.
#[test]
fn csr_is_smaller_above_the_break_even_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut saved = pruned();
    let n = saved.weights.len();
    let arrays = |saved: &SavedNetwork<f32>, out: &Path| -> [usize; 2] {
        let bytes = |stem: &str, is_wanted: &dyn Fn(&str) -> bool| {
            let file = TensorFile::open(&out.join(format!("{stem}.safetensors"))).unwrap();
            let size = |name: &str| file.describe(name).unwrap().1.iter().product::<usize>() * 4;
            file.names().filter(|name| is_wanted(name)).map(size).sum()
        };
        let of_w = |name: &str| saved.weights.segments().iter().any(|s| saved.parameters[s.parameter].name == name);
        let of_csr = |name: &str| name.ends_with(".indptr") || name.ends_with(".indices") || name.ends_with(".values");
        [bytes("dense", &of_w), bytes("csr", &of_csr)]
    };
    let break_even = export(&saved, Format::Safetensors, &folder.path().join("first")).unwrap().break_even;
    assert!(0.0 < break_even && break_even < 1.0, "{break_even}");
    // One weight more or less than the break-even's: L living weights, rounded to either side.
    let most_eliminated = (break_even * n as f64).floor() as usize;
    for (eliminated, is_smaller) in [(most_eliminated, false), (most_eliminated + 1, true)] {
        saved.alive = (0..n).map(|i| i >= eliminated).collect();
        let out = folder.path().join(eliminated.to_string());
        let exported = export(&saved, Format::Safetensors, &out).unwrap();
        let [dense, csr] = arrays(&saved, &out);
        assert_eq!(csr < dense, is_smaller, "{eliminated} of {n}: {csr} and {dense} bytes");
        assert_eq!(exported.sparsity > break_even, is_smaller);
    }
}

/// What is there is not touched: not a folder, not a file.
#[test]
fn an_existing_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("export");
    fs::write(&out, "mine").unwrap();
    let error = export(&pruned(), Format::Npz, &out).unwrap_err();
    assert!(matches!(error, Error::File { .. }) && error.exit_code() == 2, "{error}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no left-overs");
}
