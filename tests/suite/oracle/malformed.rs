//! Files that are no traces: each a clear error that names the file and the place in it, exit code 2; never a panic,
//! and nothing allocated on a header's word.

use super::checked::write;
use super::port::{Config, Fault, Precision, header, run, serialize};
use super::variants::standard;
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use gdstar::tensor_file::Tensor;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A directory with a small correct trace, in parts.
struct Sound {
    directory: tempfile::TempDir,
    header: Value,
    tensors: Vec<(String, Tensor)>,
}

fn small() -> Config {
    let mut config = standard(31, Precision::F32);
    config.parameters.truncate(2);
    config.parameters[0].shape = vec![3, 2];
    config.parameters[1].shape = vec![2];
    config.trained = 2;
    config.batches = 2;
    config
}

fn sound() -> Sound {
    let config = small();
    let tensors = serialize(&config, &run(&config, Fault::None));
    Sound { directory: tempfile::tempdir().unwrap(), header: header(&config), tensors }
}

impl Sound {
    fn path(&self) -> PathBuf {
        self.directory.path().join("port.safetensors")
    }

    fn check(&self) -> gdstar::Result<Report> {
        write(&self.path(), &self.header, &self.tensors);
        check(&self.path(), &CheckOptions::default())
    }

    fn bytes(&self) -> Vec<u8> {
        write(&self.path(), &self.header, &self.tensors);
        std::fs::read(self.path()).unwrap()
    }

    fn tensor(&mut self, name: &str) -> &mut Tensor {
        let found = self.tensors.iter_mut().find(|(own, _)| own == name);
        &mut found.unwrap_or_else(|| panic!("the trace has no {name}")).1
    }
}

fn check_bytes(path: &Path, bytes: &[u8]) -> gdstar::Result<Report> {
    std::fs::write(path, bytes).unwrap();
    check(path, &CheckOptions::default())
}

/// An error of one line with exit code 2 that names the file and `place`.
fn assert_error(outcome: gdstar::Result<Report>, place: &str, what: &str) {
    let error = match outcome {
        Ok(report) => panic!("{what} is checked: {:?}", report.verdict),
        Err(error) => error,
    };
    let told = error.to_string();
    assert_eq!(error.exit_code(), 2, "{what}: {told}");
    assert_eq!(told.lines().count(), 1, "{what}: {told}");
    assert!(told.contains("port.safetensors"), "{what}: no file in: {told}");
    assert!(told.contains(place), "{what}: no `{place}` in: {told}");
}

fn assert_bad_header(change: impl FnOnce(&mut Value), place: &str) {
    let mut sound = sound();
    change(&mut sound.header);
    assert_error(sound.check(), place, place);
}

fn assert_bad_tensor(name: &str, change: impl FnOnce(&mut Tensor), what: &str) {
    let mut sound = sound();
    change(sound.tensor(name));
    assert_error(sound.check(), name, what);
}

#[test]
fn the_sound_trace_passes() {
    let report = sound().check().unwrap();
    assert_eq!((report.verdict, report.warnings.len()), (Verdict::Pass, 0), "{:?}", report.warnings);
}

#[test]
fn headers_are_required_and_of_a_known_version() {
    let sound = sound();
    gdstar::tensor_file::write(&sound.path(), Default::default(), &sound.tensors).unwrap();
    assert_error(check(&sound.path(), &CheckOptions::default()), "gdstar", "no header");
    for bad in ["gdstar-trace/2", "gdstar-trace", ""] {
        assert_bad_header(|h| h["format"] = json!(bad), "format");
    }
    for key in ["format", "dtype", "hyper", "params"] {
        assert_bad_header(|h| drop(h.as_object_mut().unwrap().remove(key)), key);
    }
    assert_bad_header(|h| h["dtype"] = json!("f16"), "dtype");
    assert_bad_header(|h| *h = json!([1, 2]), "gdstar");
    assert_bad_header(|h| *h = json!("{"), "gdstar");
}

#[test]
fn hyperparameters_out_of_range_are_errors() {
    let bad: [(&str, &[Value]); 6] = [
        ("epochs", &[json!(0), json!(-1), json!(1.5), json!("x")]),
        ("chunks", &[json!(0), json!(-1), json!(0.5)]),
        ("alpha_0", &[json!(1.5), json!(-0.1), json!("nan"), json!("inf"), json!("0x1.8p+1"), json!(null)]),
        ("alpha_K", &[json!(1.01), json!(-1), json!("0.5")]),
        ("lambda", &[json!(0), json!(1.5), json!(-0.5), json!("0x0p+0"), json!([0.5])]),
        ("eps", &[json!(-1e-9), json!("-0x1p-10"), json!("NaN")]),
    ];
    for (key, values) in bad {
        for value in values.iter().filter(|value| **value != json!("0.5")) {
            assert_bad_header(|h| h["hyper"][key] = value.clone(), key);
        }
        assert_bad_header(|h| drop(h["hyper"].as_object_mut().unwrap().remove(key)), key);
    }
}

/// The methods whose traces have other quantities have other names, and are told apart from a name that nobody has.
#[test]
fn unknown_methods_are_errors() {
    for bad in [json!("rigel"), json!("GDSTAR"), json!(""), json!("dense"), json!(7), json!(["reset"]), json!(null)] {
        assert_bad_header(|h| h["method"] = bad, "method");
    }
    for bad in [json!(-0.1), json!(1.5), json!("nan"), json!("x"), json!([0.1])] {
        assert_bad_header(
            |h| {
                h["method"] = json!("random-rewind");
                h["hyper"]["rewind_probability"] = bad;
            },
            "rewind_probability",
        );
    }
    for method in ["gdstar", "reset"] {
        let mut sound = sound();
        sound.header["method"] = json!(method);
        sound.header["hyper"]["rewind_probability"] = json!(0.1);
        let told = sound.check().unwrap().warnings;
        assert!(told.iter().any(|warning| warning.contains("hyper.rewind_probability")), "{method}: {told:?}");
    }
    for draw in [Tensor::scalar(1_i64), Tensor::from_slice(&[2], &[0.5_f32; 2])] {
        let mut sound = sound();
        sound.header["method"] = json!("random-rewind");
        sound.tensors.push(("epoch/0/draw".to_string(), draw));
        assert_error(sound.check(), "epoch/0/draw", "a draw that is no float");
    }
    assert_bad_header(|h| h["replayed"] = json!("yes"), "replayed");
}

#[test]
fn unknown_readings_are_errors() {
    assert_bad_header(|h| h["reading"]["quantille"] = json!("linear"), "quantille");
    let bad =
        [("quantile", json!("cubic")), ("epoch_origin", json!(2)), ("chunking", json!(true)), ("threshold", json!(""))];
    for (key, value) in bad {
        assert_bad_header(|h| h["reading"][key] = value, key);
    }
}

#[test]
fn parameters_without_tensors_are_errors() {
    assert_bad_header(|h| h["params"].as_array_mut().unwrap().push(json!("ghost.weight")), "ghost.weight");
    assert_bad_header(
        |h| {
            let first = h["params"][0].clone();
            h["params"].as_array_mut().unwrap().push(first);
        },
        "block.0/conv.weight",
    );
}

#[test]
fn tensors_of_other_shapes_and_dtypes_are_errors() {
    let weight = "block.0/conv.weight";
    for kind in ["G", "selected", "mask", "weights_before", "rewind", "batch/1/grad"] {
        assert_bad_tensor(&format!("epoch/1/{kind}/{weight}"), |t| t.shape = vec![2, 3], "transposed");
    }
    for kind in ["tau", "S_F", "k_star", "t", "alpha"] {
        let double = |t: &mut Tensor| {
            t.shape = vec![2];
            t.bytes.extend(t.bytes.clone());
        };
        assert_bad_tensor(&format!("epoch/1/{kind}"), double, "two scalars");
    }
    let integers = [7i64; 6];
    assert_bad_tensor(&format!("epoch/0/G/{weight}"), |t| *t = Tensor::from_slice(&[3, 2], &integers), "integers");
    assert_bad_tensor(&format!("epoch/0/mask/{weight}"), |t| *t = Tensor::from_slice(&[3, 2], &[1f32; 6]), "f32");
    assert_bad_tensor(&format!("epoch/0/mask/{weight}"), |t| *t = Tensor::from_slice(&[3, 2], &integers), "i64");
    assert_bad_tensor("epoch/0/k_star", |t| *t = Tensor::scalar(0f32), "f32 for i64");
    assert_bad_tensor("epoch/0/tau", |t| *t = Tensor::scalar(0i64), "i64 for a float");
    assert_bad_tensor(&format!("epoch/0/selected/{weight}"), |t| t.bytes[4] = 2, "2 for a flag");
    assert_bad_tensor(&format!("epoch/0/mask_before/{weight}"), |t| t.bytes[0] = 255, "255 for a flag");
}

/// Narrower than the dtype only with `u_in` or `u_out` declared, and half precision for gradients alone.
#[test]
fn narrow_tensors_are_errors_unless_declared() {
    use safetensors::tensor::Dtype;
    let halve = |t: &mut Tensor| {
        let high = |x: &[u8]| [x[2], x[3]]; // bf16 is the upper half of an f32
        *t = Tensor { dtype: Dtype::BF16, shape: t.shape.clone(), bytes: t.bytes.chunks(4).flat_map(high).collect() };
    };
    assert_bad_tensor("epoch/0/batch/0/grad/block.0/conv.weight", halve, "bf16 gradients, undeclared");
    assert_bad_tensor("epoch/0/G/block.0/conv.weight", halve, "bf16 G");
    assert_bad_header(|h| h["dtype"] = json!("f64"), "tensor `"); // they are all f32
}

#[test]
fn unknown_tensors_are_warned_of() {
    let nameless = ["init/", "epoch/0/G/", "epoch/0/mask/", "epoch/0/batch/0/grad/"];
    for name in ["epoch/0/gradients", "extra", "epoch/01/tau", "epoch/0/batch/0/logits", "epoch/x/tau"]
        .into_iter()
        .chain(nameless)
    {
        let mut sound = sound();
        sound.tensors.push((name.to_string(), Tensor::scalar(1f32)));
        let report = sound.check().unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{name}");
        assert!(report.warnings.iter().any(|warning| warning.contains(name)), "{name}: {:?}", report.warnings);
    }
}

/// A file may have millions of them: the first are named, the others counted.
#[test]
fn of_many_unknown_tensors_the_first_are_named() {
    use gdstar::oracle::LISTED;
    let mut sound = sound();
    let names = (0..LISTED + 7).map(|i| format!("extra/{i:03}"));
    sound.tensors.extend(names.map(|name| (name, Tensor::scalar(1f32))));
    let report = sound.check().unwrap();
    assert_eq!((report.verdict, report.warnings.len()), (Verdict::Pass, LISTED + 1));
    assert_eq!(report.warnings[LISTED], "7 more tensors are not the format's");
}

/// A tensor of an epoch that K and the origin do not have: somebody counts otherwise.
#[test]
fn tensors_of_epochs_beyond_the_last_are_warned_of() {
    for (origin, k) in [(0, 8), (0, 9), (1, 0), (1, 9)] {
        let mut config = small();
        config.reading.set("epoch_origin", if origin == 1 { "1" } else { "0" });
        let mut sound = sound();
        (sound.header, sound.tensors) = (header(&config), serialize(&config, &run(&config, Fault::None)));
        let name = format!("epoch/{k}/tau");
        sound.tensors.push((name.clone(), Tensor::scalar(1f32)));
        let report = sound.check().unwrap();
        let told = report.warnings.iter().find(|warning| warning.contains(&name));
        let range = format!("from {origin} to {}", origin + 7);
        assert!(told.is_some_and(|told| told.contains(&range)), "{name}: {:?}", report.warnings);
    }
}

#[test]
fn exemptions_are_a_list_of_other_parameters() {
    for bad in [json!("fc"), json!([1]), json!(["a", "a"]), json!(["block.0/conv.weight"])] {
        assert_bad_header(|h| h["not_prunable"] = bad, "not_prunable");
    }
    let mut sound = sound();
    sound.header["not_prunable"] = json!(["ghost.weight"]);
    let report = sound.check().unwrap();
    assert!(report.warnings.iter().any(|warning| warning.contains("ghost.weight")), "{:?}", report.warnings);
}

/// Keys told twice, in the file's header and in ours, at every depth.
#[test]
fn duplicate_keys_are_errors() {
    let sound = sound();
    let text = sound.header.to_string();
    let doubled = [
        ("dtype", text.replacen("{", "{\"dtype\":\"f32\",", 1)),
        ("eps", text.replacen("\"hyper\":{", "\"hyper\":{\"eps\":0.5,", 1)),
        ("quantile", text.replacen("\"reading\":{", "\"reading\":{\"quantile\":\"linear\",\"quantile\":\"linear\"", 1)),
    ];
    for (key, header) in doubled {
        let metadata = std::collections::HashMap::from([("gdstar".to_string(), header)]);
        gdstar::tensor_file::write(&sound.path(), metadata, &sound.tensors).unwrap();
        assert_error(check(&sound.path(), &CheckOptions::default()), key, "a key told twice");
    }
    let bytes = sound.bytes();
    let (start, header) = split(&bytes);
    let tau = header.find("\"epoch/0/tau\"").unwrap();
    let end = tau + header[tau..].find('}').unwrap() + 1;
    let entry = &header[tau..end];
    let twice = format!("{}{entry},{}", &header[..tau], &header[tau..]);
    assert_error(check_bytes(&sound.path(), &join(&twice, &bytes[start..])), "epoch/0/tau", "a tensor told twice");
}

/// A safetensors file's header, and where its data start.
fn split(bytes: &[u8]) -> (usize, String) {
    let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    (start, String::from_utf8(bytes[8..start].to_vec()).unwrap())
}

fn join(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// A file cut off anywhere is an error that names it.
#[test]
fn truncated_files_are_errors() {
    let sound = sound();
    let bytes = sound.bytes();
    for length in 0..bytes.len() {
        assert_error(check_bytes(&sound.path(), &bytes[..length]), "", "a file cut off");
    }
}

/// Sizes that no file has: errors, at once.
#[test]
fn huge_sizes_are_errors() {
    let sound = sound();
    let bytes = sound.bytes();
    let (start, header) = split(&bytes);
    for size in [u64::MAX, 1 << 62, 1 << 40, bytes.len() as u64] {
        assert_error(check_bytes(&sound.path(), &[&size.to_le_bytes(), &bytes[8..]].concat()), "", "a huge header");
    }
    for shape in ["[4611686018427387904,4]", "[1099511627776]", "[18446744073709551615,18446744073709551615]"] {
        let huge = header.replacen("\"shape\":[1]", &format!("\"shape\":{shape}"), 1);
        assert_ne!(huge, header);
        assert_error(check_bytes(&sound.path(), &join(&huge, &bytes[start..])), "", "a huge tensor");
    }
    for (key, place) in [("epochs", "hyper"), ("chunks", "hyper"), ("batch_size", "hyper")] {
        let mut sound = self::sound();
        sound.header[place][key] = json!(u64::MAX);
        let _ = sound.check(); // an error or findings, but neither a panic nor an allocation of that size
    }
}

/// No bit of a trace, flipped, makes the checker panic.
#[test]
fn flipped_bits_never_panic() {
    let sound = sound();
    let bytes = sound.bytes();
    for at in (0..8 * bytes.len()).step_by(13) {
        let mut bytes = bytes.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        let _ = check_bytes(&sound.path(), &bytes);
    }
}
