//! What goes wrong with a GPU is one line and an exit code, and nothing is half-written.

use crate::common::{assert_fails, gdstar, no_driver, repository, scratch, stand_in, text};
use std::path::Path;

/// `gdstar op` on the GPU, and where its results would be.
fn op(driver: &Path, settings: &[(&str, &str)], out: &Path) -> std::process::Output {
    let input = repository().join("golden/ops/linear.safetensors");
    let (input, out) = (input.to_str().unwrap(), out.to_str().unwrap());
    gdstar(driver, settings, &["op", input, "--out", out, "--precision", "f32", "--kernel", "cuda"])
}

/// The op fails with this exit code and line, and leaves no file.
#[track_caller]
fn assert_op_fails(driver: &Path, settings: &[(&str, &str)], code: i32, parts: &[&str]) {
    let folder = scratch();
    let output = op(driver, settings, &folder.path().join("out.safetensors"));
    assert_fails(&output, code, parts);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "something is written");
}

#[test]
fn without_a_driver_the_line_says_what_to_install() {
    assert_op_fails(no_driver().path(), &[], 2, &["CUDA", "libcuda.so.1", "found none"]);
}

#[test]
fn without_a_gpu_the_line_says_so() {
    assert_op_fails(stand_in(), &[("STANDIN_DEVICES", "0")], 2, &["CUDA", "expected a GPU", "found none"]);
}

#[test]
fn of_a_driver_that_is_too_old_both_versions_are_told() {
    assert_op_fails(stand_in(), &[("STANDIN_DRIVER", "11080")], 2, &["CUDA", "12.0", "11.8", "update"]);
}

#[test]
fn of_a_gpu_that_is_too_old_both_capabilities_are_told() {
    assert_op_fails(stand_in(), &[("STANDIN_CAPABILITY", "61")], 2, &["CUDA", "7.0", "6.1"]);
}

#[test]
fn memory_that_does_not_suffice_fails_the_run() {
    assert_op_fails(stand_in(), &[("STANDIN_MEMORY", "1024")], 1, &["CUDA", "bytes of the GPU's memory"]);
}

/// Whichever launch it is, and whichever allocation, copy or wait.
#[test]
fn whatever_fails_first_is_told_and_nothing_is_written() {
    for launch in ["launch:1:719", "launch:2:700", "launch:4:716"] {
        assert_op_fails(stand_in(), &[("STANDIN_FAIL", launch)], 1, &["CUDA"]);
    }
    for call in ["cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuStreamSynchronize", "cuLaunchKernel"] {
        for nth in 1..=3 {
            let failing = format!("{call}:{nth}:999");
            assert_op_fails(stand_in(), &[("STANDIN_FAIL", &failing)], 1, &["CUDA"]);
        }
    }
}

#[test]
fn a_kernel_that_cannot_be_loaded_is_told() {
    assert_op_fails(stand_in(), &[("STANDIN_FAIL", "cuModuleLoadData:1:222")], 1, &["CUDA"]);
}

/// Numbers that no GPU has are refused, not computed elsewhere.
#[test]
fn thirty_one_digits_are_refused() {
    let folder = scratch();
    let (input, out) = (repository().join("golden/ops/linear.safetensors"), folder.path().join("out.safetensors"));
    let (input, out) = (input.to_str().unwrap(), out.to_str().unwrap());
    let output = gdstar(stand_in(), &[], &["op", input, "--out", out, "--precision", "dd", "--kernel", "cuda"]);
    assert_fails(&output, 2, &["--precision with --kernel cuda", "f64 | f32", "dd"]);
}

/// `gdstar train` in this folder.
fn train(settings: &[(&str, &str)], out: &Path, more: &[&str]) -> std::process::Output {
    let run =
        "train --model lenet300 --data digits --epochs 2 --subset 48 --batch-size 16 --kernel cuda --every 0 --out";
    let mut arguments: Vec<&str> = run.split(' ').collect();
    arguments.push(out.to_str().unwrap());
    arguments.extend(more);
    gdstar(stand_in(), settings, &arguments)
}

/// A run without a GPU begins no folder.
#[test]
fn a_run_without_a_gpu_leaves_nothing() {
    let folder = scratch();
    let out = folder.path().join("run");
    assert_fails(&train(&[("STANDIN_DEVICES", "0")], &out, &[]), 2, &["CUDA", "expected a GPU"]);
    assert!(!out.exists());
}

/// A GPU that fails in the middle of an epoch ends the run as Ctrl-C does: the checkpoint before is whole, and --resume goes on
/// from it to the same bits.
#[test]
fn a_run_whose_gpu_fails_is_resumed_to_the_same_bits() {
    let folder = scratch();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    let output = train(&[], &whole, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let read = |run: &Path, file: &str| std::fs::read(run.join(file)).unwrap();
    // Within the second epoch.
    let output = train(&[("STANDIN_FAIL", "cuMemcpyDtoHAsync_v2:200:999")], &broken, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let told = text(&output.stderr);
    assert!(told.lines().last().unwrap().starts_with("gdstar: CUDA: "), "{told}");
    let output = train(&[], &broken, &["--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(read(&broken, "checkpoint.safetensors"), read(&whole, "checkpoint.safetensors"));
}
