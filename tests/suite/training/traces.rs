//! What a trace records.

use super::{GO_ON, attempt, config, digits};
use gdstar::kernel::Kernel;
use gdstar::method::{METHODS, Method};
use gdstar::oracle::{CheckOptions, Verdict, check};
use gdstar::paper::gradient_norm::{accumulate_squares, frobenius_norm, sum_of_squares};
use gdstar::paper::reading::{LastBatch, MaskedGradient};
use gdstar::paper::selection::select_weights;
use gdstar::tensor_file::TensorFile;
use gdstar::trace::MaskForm;
use gdstar::train::{Config, Outputs, Run, TraceSize};

/// What a trace records of an epoch follows, equation by equation, from what it records of the epoch's inputs.
#[test]
fn a_trace_follows_from_its_own_gradients() {
    let dataset = digits();
    for masked_gradient in [MaskedGradient::Dense, MaskedGradient::Zero, MaskedGradient::Excluded] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(Method::Gdstar, 4);
        config.reading.masked_gradient = masked_gradient;
        config.hyper.chunks = 3;
        assert!(attempt(folder.path(), &config, &dataset, None).unwrap());
        let trace = TensorFile::open(&folder.path().join("trace.safetensors")).unwrap();
        let header: serde_json::Value = serde_json::from_str(trace.metadata("gdstar").unwrap()).unwrap();
        assert_eq!(header["format"], "gdstar-trace/1");
        assert_eq!(header["reading"]["masked_gradient"], masked_gradient.name());
        let params: Vec<&str> = header["params"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
        assert_eq!(params, ["fc1.weight", "fc2.weight", "fc3.weight"]);
        for k in 0..4 {
            check_epoch(&trace, &params, k, &config);
        }
    }
}

fn check_epoch(trace: &TensorFile, params: &[&str], k: usize, config: &Config) {
    let flat = |quantity: &str| -> Vec<f32> {
        let one = |p: &&str| trace.read::<f32>(&format!("epoch/{k}/{quantity}/{p}"), None).unwrap().into_iter();
        params.iter().flat_map(one).collect()
    };
    let bits = |quantity: &str| -> Vec<bool> {
        let one = |p: &&str| trace.read::<u8>(&format!("epoch/{k}/{quantity}/{p}"), None).unwrap().into_iter();
        params.iter().flat_map(one).map(|bit| bit == 1).collect()
    };
    let scalar = |quantity: &str| trace.read::<f32>(&format!("epoch/{k}/{quantity}"), Some(&[1])).unwrap()[[0]];
    let integer = |quantity: &str| trace.read::<i64>(&format!("epoch/{k}/{quantity}"), Some(&[1])).unwrap()[[0]];
    let (alive_before, alive) = (bits("mask_before"), bits("mask"));
    let dense = config.reading.masked_gradient == MaskedGradient::Dense;
    let mut g = vec![0.0f32; alive.len()];
    let mut batch = 0;
    while trace.describe(&format!("epoch/{k}/batch/{batch}/indices")).is_some() {
        let mut gradient = flat(&format!("batch/{batch}/grad"));
        gradient.iter_mut().zip(&alive_before).filter(|(_, alive)| !dense && !**alive).for_each(|(g, _)| *g = 0.0);
        accumulate_squares(Kernel::Literal, &mut g, &gradient).unwrap();
        batch += 1;
    }
    assert_eq!(batch, 1442usize.div_ceil(128));
    assert_eq!(flat("G"), g, "Eq. 2 of epoch {k}");
    assert_eq!(scalar("S_sq"), sum_of_squares(&g), "Eq. 3 of epoch {k}");
    assert_eq!(scalar("S_F"), frobenius_norm(scalar("S_sq")).unwrap(), "Eq. 4 of epoch {k}");
    let alpha = trace.read::<f64>(&format!("epoch/{k}/alpha"), Some(&[1])).unwrap()[[0]];
    let selection = select_weights(&g, &alive_before, alpha, 3, &config.reading).unwrap();
    assert_eq!(scalar("tau"), selection.tau, "Eq. 7 of epoch {k}");
    assert_eq!(bits("selected"), selection.selected, "Eq. 5 of epoch {k}");
    assert_eq!(integer("t"), k as i64 - integer("k_star"), "Alg. 6 of epoch {k}");
    let moved = scalar("S_F") < scalar("min_before");
    assert_eq!(integer("k_star") == k as i64, moved, "Alg. 4 of epoch {k}");
    let (before, after, rewind) = (flat("weights_before"), flat("weights_after"), flat("rewind"));
    assert!(!moved || rewind == before, "W_k* of epoch {k} is the weights before pruning");
    for j in 0..after.len() {
        // lambda = 1/2, so that the power is exact.
        let decayed = rewind[j] * (-(integer("t") as f32)).exp2();
        let expected = match (alive_before[j], selection.selected[j]) {
            (false, _) => 0.0,
            (true, false) => before[j],
            (true, true) if f64::from(decayed.abs()) >= config.hyper.eps => decayed,
            (true, true) => 0.0,
        };
        assert_eq!(after[j], expected, "Eq. 9 of epoch {k}, weight {j}");
        assert_eq!(alive[j], alive_before[j] && (!selection.selected[j] || expected != 0.0));
    }
}

/// The size that is told before a run begins is that of the trace's tensors, and its header fits into what is kept for it,
/// whatever the numbers of epochs and batches have of digits.
#[test]
fn the_size_is_told_beforehand() {
    let dataset = digits();
    let cases = METHODS.iter().filter(|method| method.entry().is_traced).map(|&method| (method, LastBatch::Keep));
    for (method, last_batch) in cases.chain([(Method::Gdstar, LastBatch::Drop)]) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(method, 12);
        config.hyper.chunks = 3;
        config.reading.last_batch = last_batch;
        let run = Run::new(&config, &dataset, &GO_ON).unwrap();
        let expected = TraceSize::of::<f32>(&run, &run.start().unwrap()).unwrap();
        assert!(attempt(folder.path(), &config, &dataset, None).unwrap());
        let file = std::fs::read(folder.path().join("trace.safetensors")).unwrap();
        let header = u64::from_le_bytes(file[..8].try_into().unwrap());
        assert_eq!(expected.tensors, file.len() as u64 - 8 - header, "{method}, {last_batch}");
        // All of the room, of which spaces are left over: nothing was copied.
        assert_eq!(header, expected.header.next_multiple_of(8), "{method}, {last_batch}");
        let used = file[8..][..header as usize].trim_ascii_end().len() as u64;
        assert!(used < expected.header && 5 * used > 4 * expected.header, "{method}, {last_batch}: {used} of {header}");
    }
}

/// A run's sample has the size that was told, holds what the whole trace has at its coordinates, bit by bit, and is judged.
#[test]
fn a_sample_is_part_of_the_whole() {
    let dataset = digits();
    let mut config = config(Method::Gdstar, 6);
    let written = |config: &Config| {
        let folder = tempfile::tempdir().unwrap();
        assert!(attempt(folder.path(), config, &dataset, None).unwrap());
        let path = folder.path().join("trace.safetensors");
        let report = check(&path, &CheckOptions::default()).unwrap();
        assert_eq!(report.verdict, Verdict::Pass, "{report}");
        (std::fs::read(&path).unwrap(), TensorFile::open(&path).unwrap(), report, folder)
    };
    let (_, whole, report, _kept) = written(&config);
    assert_eq!(report.sample, None);
    config.outputs = Outputs {
        trace_sample: Some(0.05),
        trace_masks: MaskForm::Packed,
        trace_gradient_epochs: vec![0, 3],
        ..config.outputs
    };
    let run = Run::new(&config, &dataset, &GO_ON).unwrap();
    let expected = TraceSize::of::<f32>(&run, &run.start().unwrap()).unwrap();
    let (bytes, sample, report, _kept) = written(&config);
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    assert_eq!(expected.tensors, bytes.len() as u64 - 8 - header);
    assert_eq!(header, expected.header.next_multiple_of(8));
    assert!(report.sample.is_some() && report.checked.contains(&"alg1"), "{report}");
    let all: Vec<&str> = sample.names().filter(|name| !name.starts_with("sample/")).collect();
    let left_out = whole.names().filter(|name| !all.contains(name)).filter(|name| !name.contains("/batch/"));
    assert_eq!(left_out.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(all.iter().all(|name| !name.contains("/batch/") || ["/0/", "/3/"].iter().any(|k| name[5..8] == **k)));
    for (parameter, n) in [("fc1.weight", 300 * 64), ("fc2.weight", 100 * 300), ("fc3.bias", 10)] {
        let list = sample.read::<i64>(&format!("sample/{parameter}"), None).unwrap();
        // A bias of ten is kept whole, a large weight in part, of at least about 1024.
        assert_eq!(list.len() == n, n < 1024, "{parameter}: {}", list.len());
        for name in
            all.iter().filter(|name| name.ends_with(parameter) && !name.contains("mask") && !name.contains("selected"))
        {
            let (part, of) = (sample.read_floats(name, None).unwrap(), whole.read_floats(name, None).unwrap());
            let of = of.into_raw_vec_and_offset().0;
            assert!(part.iter().zip(&list).all(|(x, &j)| x.to_bits() == of[j as usize].to_bits()), "{name}");
        }
    }
    let [bits, flags] = [&sample, &whole].map(|file| file.read::<u8>("epoch/2/mask/fc2.weight", None).unwrap());
    assert!(flags.iter().enumerate().all(|(j, flag)| bits[[j / 8]] >> (j % 8) & 1 == *flag));
}

/// A header beyond the format's limit is told before the run: nothing will read its trace.
#[test]
fn a_trace_that_nothing_will_read_is_told() {
    let dataset = digits();
    let excess = |epochs: usize, gradients: bool| {
        let mut config = config(Method::Gdstar, epochs);
        config.outputs.trace_gradients = gradients;
        let run = Run::new(&config, &dataset, &GO_ON).unwrap();
        TraceSize::of::<f32>(&run, &run.start().unwrap()).unwrap().excess()
    };
    assert_eq!((excess(5_000, true), excess(20_000, false)), (None, None));
    let told = excess(20_000, true).unwrap();
    assert!(told.contains("of which the format allows 100000000: nothing will read it"), "{told}");
}
