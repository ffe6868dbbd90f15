//! Every command that takes `--kernel cuda`: what it writes has the bits of `--kernel literal`.

use crate::common::{done, gdstar, no_driver, repository, scratch, text};
use gdstar::tensor_file::{self, Tensor};
use std::collections::HashMap;
use std::path::Path;

/// A file's tensors: names, types, shapes and bytes.
fn tensors(file: &Path) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(file).unwrap();
    let parsed = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut tensors: Vec<_> =
        parsed.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec(), view.data().to_vec())).collect();
    tensors.sort();
    assert!(!tensors.is_empty());
    tensors
}

/// The same command with both kernels; `{}` among the arguments is the file that it writes.
#[track_caller]
fn assert_same_tensors(arguments: &str) {
    let folder = scratch();
    let of = |kernel: &str| {
        let out = folder.path().join(format!("{kernel}.safetensors"));
        let words: Vec<&str> =
            arguments.split(' ').map(|word| if word == "{}" { out.to_str().unwrap() } else { word }).collect();
        done(&[], &[&words[..], &["--kernel", kernel]].concat());
        tensors(&out)
    };
    let (host, device) = (of("literal"), of("cuda"));
    for (host, device) in host.iter().zip(&device) {
        assert_eq!(host, device, "{arguments}");
    }
    assert_eq!(host.len(), device.len());
}

/// Every golden file of single ops, in both precisions.
#[test]
fn op_files_are_evaluated_to_literals_bits() {
    for file in std::fs::read_dir(repository().join("golden/ops")).unwrap() {
        let file = file.unwrap().path();
        for precision in ["f32", "f64"] {
            assert_same_tensors(&format!("op {} --out {{}} --precision {precision}", file.display()));
        }
    }
}

/// Golden cases of every op, as records of what the GPU makes of them: `gdstar check` passes them, in both precisions, and fails
/// each whose last result is off by one part in a hundred.
#[test]
fn records_of_ops_pass_the_oracle_and_fail_it_with_one_number_changed() {
    let folder = scratch();
    let record = folder.path().join("record.safetensors");
    let record_name = record.to_str().unwrap();
    for file in std::fs::read_dir(repository().join("golden/ops")).unwrap() {
        let file = file.unwrap().path();
        let golden = file.to_str().unwrap();
        for precision in ["f32", "f64"] {
            let options = ["--record", "--precision", precision, "--kernel", "cuda"];
            done(&[], &[&["op", golden, "--out", record_name][..], &options].concat());
            let said = done(&[], &["check", record_name, "--level", "ops"]);
            assert!(said.contains("PASS"), "{golden} in {precision}: {said}");
            change_a_result(&record);
            let output = gdstar(no_driver().path(), &[], &["check", record_name]);
            let said = text(&output.stdout);
            assert!(output.status.code() == Some(1) && said.contains("FAIL"), "{golden} in {precision}: {said}");
        }
    }
}

/// Of the results in a record the largest number grows by a hundredth.
fn change_a_result(record: &Path) {
    let bytes = std::fs::read(record).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    let parsed = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensors: Vec<(String, Tensor)> = parsed
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            (name, Tensor { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() })
        })
        .collect();
    let numbers = |tensor: &Tensor| tensor.numbers().into_iter().map(f64::abs).enumerate().collect::<Vec<_>>();
    let results = tensors.iter().enumerate().filter(|(_, (name, _))| name.contains("/out/") || name.contains("/grad/"));
    let all = results.flat_map(|(of, (_, tensor))| numbers(tensor).into_iter().map(move |(at, x)| (of, at, x)));
    let finite = all.filter(|(_, _, x)| x.is_finite());
    let (of, at, _) = finite.max_by(|a, b| a.2.total_cmp(&b.2)).unwrap();
    let mut changed = tensors;
    let tensor = &mut changed[of].1;
    let mut numbers = tensor.numbers();
    numbers[at] *= 1.01;
    let shape = tensor.shape.clone();
    *tensor = match tensor.dtype {
        safetensors::Dtype::F32 => Tensor::from_slice(&shape, &numbers.iter().map(|&x| x as f32).collect::<Vec<_>>()),
        _ => Tensor::from_slice(&shape, &numbers),
    };
    let metadata = header.metadata().clone().unwrap_or_default();
    tensor_file::write(record, metadata.into_iter().collect(), &changed).unwrap();
}

/// A run of this method on some digits, in a folder and with a trace.
fn run(folder: &Path, method: &str, kernel: &str, more: &str) -> (String, String) {
    let out = folder.join(format!("{method}-{kernel}"));
    let trace = folder.join(format!("{method}-{kernel}.safetensors"));
    let [out, trace] = [out, trace].map(|path| path.to_str().unwrap().to_string());
    let options = format!(
        "train --model lenet300 --data digits --method {method} --epochs 2 --subset 64 --batch-size 32 --every 0 --kernel \
         {kernel} --out {out} --trace {trace} {more}"
    );
    done(&[], &options.split_whitespace().collect::<Vec<_>>());
    (out, trace)
}

/// Two epochs of GDSTAR: the trace has the bits of `--kernel literal`, passes the oracle, and the run can be evaluated and
/// resumed.
#[test]
fn a_run_has_literals_bits_and_passes_the_oracle() {
    let folder = scratch();
    let (_, literal) = run(folder.path(), "gdstar", "literal", "--trace-gradients");
    let (out, trace) = run(folder.path(), "gdstar", "cuda", "--trace-gradients");
    assert_eq!(tensors(Path::new(&literal)), tensors(Path::new(&trace)));
    assert!(done(&[], &["check", &trace]).contains("PASS"));
    assert!(std::fs::read_to_string(Path::new(&out).join("config.toml")).unwrap().contains("kernel = \"cuda\""));
    // Evaluated as the run was made, and on the host.
    let evaluated = done(&[], &["evaluate", &out, "--json"]);
    assert_eq!(evaluated, done(&[], &["evaluate", &out, "--json", "--kernel", "literal"]));
}

/// Methods whose steps and updates go through other kernels.
#[test]
fn runs_of_other_methods_have_literals_bits() {
    let folder = scratch();
    let methods = [
        ("rigl", "--sparsity 0.8 --trace-steps all"),
        ("topkast", "--forward-sparsity 0.8 --backward-sparsity 0.6 --trace-steps all"),
        ("dropback", "--sparsity 0.8"),
    ];
    for (method, more) in methods {
        let (_, literal) = run(folder.path(), method, "literal", more);
        let (_, trace) = run(folder.path(), method, "cuda", more);
        assert_eq!(tensors(Path::new(&literal)), tensors(Path::new(&trace)), "{method}");
        assert!(done(&[], &["check", &trace]).contains("PASS"), "{method}");
    }
}

/// One forward and backward of a network from files.
#[test]
fn probe_has_literals_bits() {
    let folder = scratch();
    let [weights, batch] = ["weights", "batch"].map(|name| folder.path().join(name).to_str().unwrap().to_string());
    done(&[], &["weights", "--model", "lenet300", "--out", &weights]);
    let pixels = ndarray::Array4::from_shape_fn((3, 1, 28, 28), |(n, _, i, j)| (n + i * j) as f32 / 784.0).into_dyn();
    let labels = ndarray::arr1(&[3i64, 0, 9]).into_dyn();
    let tensors = [
        ("input".to_string(), Tensor::from_array(&pixels.view())),
        ("labels".to_string(), Tensor::from_array(&labels.view())),
    ];
    tensor_file::write(Path::new(&batch), HashMap::new(), &tensors).unwrap();
    for more in ["--precision f32", "--precision f64", "--precision f32 --eval"] {
        assert_same_tensors(&format!("probe --model lenet300 --weights {weights} --batch {batch} --out {{}} {more}"));
    }
}

/// What there is is listed, and that there is nothing is an answer, too.
#[test]
fn devices_are_listed() {
    let listed = done(&[], &["devices"]);
    assert!(listed.contains("GPU 0: ") && listed.contains("stand-in"), "{listed}");
    assert!(done(&[("STANDIN_DEVICES", "0")], &["devices"]).contains("no GPU: "));
    assert!(done(&[("STANDIN_DRIVER", "11080")], &["devices"]).contains("11.8"));
}
