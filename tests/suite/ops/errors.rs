//! Bad shapes and attributes are typed errors that name the op and the place, before any work.

use crate::goldens::case_files;
use gdstar::Error;
use gdstar::kernel::{Kernel, Window};
use gdstar::op::list;
use gdstar::ops::*;
use ndarray::{ArrayD, array};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// What is wrong: the op, the shapes of its inputs, and what the message must hold.
fn refused() -> Vec<(AnyOp, Vec<Vec<usize>>, &'static str)> {
    const IMAGE: [usize; 4] = [2, 4, 3, 5];
    let image = || vec![IMAGE.to_vec()];
    let norm = BatchNorm { training: true, eps: 1e-5, momentum: 0.1 };
    let norm_inputs = |x: &[usize]| [vec![x.to_vec()], vec![vec![4]; 4]].concat();
    let max = MaxPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    let avg = AvgPool2d { kernel: [2, 2], stride: [2, 2], padding: [0, 0], count_include_pad: true };
    let window = Window { stride: [1, 1], padding: [0, 0], dilation: [1, 1], groups: 1 };
    let conv = |window: Window| AnyOp::from(Conv2d { window });
    let smoothed = |label_smoothing| CrossEntropy { label_smoothing, ..CrossEntropy::new(vec![0]) };
    let huge = usize::MAX;
    let mut cases: Vec<(AnyOp, Vec<Vec<usize>>, &'static str)> = vec![
        // Ranks.
        (GlobalMean.into(), vec![vec![2, 3]], "x"),
        (AdaptiveAvgPool2d.into(), vec![vec![2, 3, 4]], "x"),
        (max.into(), vec![vec![2, 3, 4]], "x"),
        (avg.into(), vec![vec![3]], "x"),
        (StridedSlice { step: 1 }.into(), vec![vec![3]], "x"),
        (ChannelShuffle { groups: 1 }.into(), vec![vec![3]], "x"),
        (norm.into(), norm_inputs(&[3, 4, 5]), "x"),
        (CrossEntropy::new(vec![0]).into(), vec![vec![1]], "x"),
        (Flatten { start_dim: 0 }.into(), vec![vec![]], "start_dim"),
        // Nothing to average over.
        (GlobalMean.into(), vec![vec![2, 3, 0, 4]], "pixel"),
        (AdaptiveAvgPool2d.into(), vec![vec![2, 3, 4, 0]], "pixel"),
        (max.into(), vec![vec![2, 3, 0, 4]], "pixel"),
        (CrossEntropy::new(vec![]).into(), vec![vec![0, 3]], "at least one row"),
        (CrossEntropy::new(vec![0]).into(), vec![vec![1, 0]], "at least one row"),
        // batch_norm.
        (norm.into(), norm_inputs(&[1, 4]), "at least 2 values per channel"),
        (norm.into(), norm_inputs(&[1, 4, 1, 1]), "at least 2 values per channel"),
        (BatchNorm { training: false, ..norm }.into(), norm_inputs(&[0, 4]), "at least 1 values per channel"),
        (norm.into(), norm_inputs(&[3, 5]), "weight"),
        (norm.into(), [norm_inputs(&[3, 4])[..4].to_vec(), vec![vec![5]]].concat(), "running_var"),
        (BatchNorm { eps: 0.0, ..norm }.into(), norm_inputs(&[3, 4]), "eps"),
        (BatchNorm { eps: f64::NAN, ..norm }.into(), norm_inputs(&[3, 4]), "eps"),
        (BatchNorm { eps: f64::INFINITY, ..norm }.into(), norm_inputs(&[3, 4]), "eps"),
        (BatchNorm { momentum: 1.5, ..norm }.into(), norm_inputs(&[3, 4]), "momentum"),
        (BatchNorm { momentum: f64::NAN, ..norm }.into(), norm_inputs(&[3, 4]), "momentum"),
        // Labels and masks.
        (CrossEntropy::new(vec![0, 3]).into(), vec![vec![2, 3]], "labels[1]"),
        (CrossEntropy::new(vec![0]).into(), vec![vec![2, 3]], "labels"),
        (smoothed(1.5).into(), vec![vec![1, 3]], "`label_smoothing`"),
        (smoothed(-0.1).into(), vec![vec![1, 3]], "`label_smoothing`"),
        (smoothed(f64::NAN).into(), vec![vec![1, 3]], "`label_smoothing`"),
        (Dropout { p: 0.5, mask: ArrayD::from_elem(vec![3], true) }.into(), vec![vec![2]], "mask"),
        (Dropout { p: 1.0, mask: ArrayD::from_elem(vec![2], true) }.into(), vec![vec![2]], "`p`"),
        (Dropout { p: -0.1, mask: ArrayD::from_elem(vec![2], true) }.into(), vec![vec![2]], "`p`"),
        (Dropout { p: f64::NAN, mask: ArrayD::from_elem(vec![2], true) }.into(), vec![vec![2]], "`p`"),
        // Axes, sizes, groups, steps.
        (Concat { axis: 2 }.into(), vec![vec![2, 3]], "axis"),
        (Concat { axis: 0 }.into(), vec![vec![2, 3], vec![2, 4]], "x1"),
        (Concat { axis: 0 }.into(), vec![vec![2, 3], vec![2]], "x1"),
        (Concat { axis: 1 }.into(), vec![vec![2, 3], vec![2, 3], vec![2]], "x2"),
        (Concat { axis: 0 }.into(), vec![vec![huge], vec![2]], "elements"),
        (Split { axis: 1, sizes: list![2] }.into(), vec![vec![2]], "axis"),
        (Split { axis: 0, sizes: list![1, 2] }.into(), vec![vec![2]], "sizes"),
        (Split { axis: 0, sizes: list![huge, 3] }.into(), vec![vec![2]], "sizes"),
        (Split { axis: 0, sizes: list![] }.into(), vec![vec![0]], "sizes"),
        (ChannelShuffle { groups: 3 }.into(), image(), "groups"),
        (ChannelShuffle { groups: 0 }.into(), image(), "groups"),
        (ChannelShuffle { groups: 2 }.into(), vec![vec![1, 0, 1, 1]], "groups"),
        (StridedSlice { step: 0 }.into(), image(), "step"),
        (Flatten { start_dim: 4 }.into(), image(), "start_dim"),
        // Padding.
        (Pad { pads: list![[0, 0]], value: 0.0 }.into(), image(), "pads"),
        (Pad { pads: list![[huge, 1]], value: 0.0 }.into(), vec![vec![1]], "pads"),
        (Pad { pads: list![[1 << 40, 0]], value: 0.0 }.into(), vec![vec![1]], "elements"),
        (Pad { pads: list![[huge / 2, 0]; 2], value: 0.0 }.into(), vec![vec![1, 1]], "elements"),
        (Pad { pads: list![[huge - 1, 0]; 3], value: 0.0 }.into(), vec![vec![0, 1, 1]], "elements"),
        // Broadcasting.
        (Add.into(), vec![vec![2], vec![3]], "b"),
        (Mul.into(), vec![vec![2, 3], vec![2]], "b"),
        (Mul.into(), vec![vec![1 << 20, 1], vec![1 << 20]], "elements"),
        // Products.
        (Matmul.into(), vec![vec![2, 3], vec![4, 2]], "b"),
        (Linear.into(), vec![vec![2, 3], vec![4, 2]], "w"),
        (Linear.into(), vec![vec![2, 3], vec![4, 3], vec![3]], "b"),
        (conv(window), vec![IMAGE.to_vec(), vec![2, 3, 1, 1]], "w"),
        (conv(window), vec![IMAGE.to_vec(), vec![2, 4, 4, 1]], "w"),
        (conv(Window { groups: 3, ..window }), vec![IMAGE.to_vec(), vec![3, 1, 1, 1]], "groups"),
        (conv(Window { stride: [0, 1], ..window }), vec![IMAGE.to_vec(), vec![2, 4, 1, 1]], "stride"),
        (conv(Window { padding: [huge, 0], ..window }), vec![IMAGE.to_vec(), vec![2, 4, 1, 1]], ""),
        (conv(Window { dilation: [huge, 1], ..window }), vec![IMAGE.to_vec(), vec![2, 4, 2, 1]], ""),
    ];
    // Pooling windows, in both poolings.
    for (kernel, stride, padding, place) in [
        ([0, 1], [1, 1], [0, 0], "kernel"),
        ([4, 1], [1, 1], [0, 0], "kernel"),
        ([1, 6], [1, 1], [0, 0], "kernel"),
        ([1, 1], [1, 0], [0, 0], "stride"),
        ([2, 2], [1, 1], [2, 0], "padding"),
        ([1, 1], [1, 1], [0, 1], "padding"),
        ([huge, 1], [1, 1], [huge / 2, 0], "kernel"),
    ] {
        cases.push((MaxPool2d { kernel, stride, padding }.into(), image(), place));
        cases.push((AvgPool2d { kernel, stride, padding, count_include_pad: true }.into(), image(), place));
    }
    cases
}

#[test]
fn bad_shapes_and_attributes_are_refused() {
    for (op, shapes, place) in refused() {
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        match op.out_shapes(&shapes) {
            Err(error @ Error::Shape { .. }) => {
                let message = error.to_string();
                assert!(message.starts_with(op.name()), "{message}");
                assert!(message.contains(place), "{op:?} on {shapes:?}: `{message}` does not name {place}");
                assert!(!message.contains('\n'), "{message}");
                assert_eq!(error.exit_code(), 2);
            }
            other => panic!("{op:?} on {shapes:?}: {other:?}"),
        }
    }
}

/// Every op refuses another number of inputs than it names, and takes as many as it names.
#[test]
fn the_number_of_inputs_is_checked() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for entry in OPS {
        let case = (entry.sample)(&mut rng, 3);
        let shapes: Vec<&[usize]> = case.inputs.iter().map(|x| x.shape()).collect();
        assert!(entry.inputs.fit(shapes.len()), "{}", entry.name);
        case.op.out_shapes(&shapes).unwrap();
        let most = entry.inputs.of(usize::from(u8::MAX)).len();
        for count in (0..=most.min(6) + 1).filter(|&count| !entry.inputs.fit(count)) {
            let shapes: Vec<&[usize]> = shapes.iter().copied().cycle().take(count).collect();
            let message = case.op.out_shapes(&shapes).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{}: inputs: expected ", entry.name)), "{message}");
            assert!(message.ends_with(&format!("found {count} inputs")), "{message}");
        }
    }
}

#[test]
fn upstream_gradients_and_wanted_flags_must_fit() {
    let (x, wrong) = (array![1.0, 2.0].into_dyn(), array![1.0].into_dyn());
    let op = AnyOp::from(Relu);
    let evaluate = |upstream: &[Option<ndarray::ArrayViewD<f64>>], wanted: &[bool]| {
        op.evaluate(Kernel::Literal, &[x.view()], upstream, wanted).unwrap_err().to_string()
    };
    assert!(evaluate(&[Some(wrong.view())], &[true]).contains("upstream gradient 0"));
    assert!(evaluate(&[None, Some(x.view())], &[true]).contains("upstream gradient 1"));
    assert!(evaluate(&[], &[true, false]).contains("wanted"));
}

/// Attributes as `gdstar op` reads them: what each op makes of them, PyTorch's defaults included.
#[test]
fn attributes_are_read_by_name() {
    let cases = [
        (
            "conv2d",
            json!({"stride": [2, 1], "padding": [0, 1], "dilation": [1, 2], "groups": 2}),
            AnyOp::from(Conv2d { window: Window { stride: [2, 1], padding: [0, 1], dilation: [1, 2], groups: 2 } }),
        ),
        ("batch_norm", json!({"training": true}), BatchNorm { training: true, eps: 1e-5, momentum: 0.1 }.into()),
        ("max_pool2d", json!({"kernel": [3, 2]}), MaxPool2d { kernel: [3, 2], stride: [3, 2], padding: [0, 0] }.into()),
        (
            "avg_pool2d",
            json!({"kernel": [2, 2], "stride": [1, 1], "padding": [1, 0], "count_include_pad": false}),
            AvgPool2d { kernel: [2, 2], stride: [1, 1], padding: [1, 0], count_include_pad: false }.into(),
        ),
        ("cross_entropy", json!({}), CrossEntropy::new(vec![1, 0]).into()),
        (
            "cross_entropy",
            json!({"label_smoothing": 0.25}),
            CrossEntropy { label_smoothing: 0.25, ..CrossEntropy::new(vec![1, 0]) }.into(),
        ),
        ("concat", json!({"axis": 1}), Concat { axis: 1 }.into()),
        ("split", json!({"axis": 0, "sizes": [1, 2]}), Split { axis: 0, sizes: list![1, 2] }.into()),
        ("channel_shuffle", json!({"groups": 2}), ChannelShuffle { groups: 2 }.into()),
        ("flatten", json!({"start_dim": 1}), Flatten { start_dim: 1 }.into()),
        ("pad", json!({"pads": [[1, 0]], "value": -1.5}), Pad { pads: list![[1, 0]], value: -1.5 }.into()),
        ("strided_slice", json!({"step": 2}), StridedSlice { step: 2 }.into()),
        ("dropout", json!({"p": 0.25}), Dropout { p: 0.25, mask: array![true, false].into_dyn() }.into()),
    ];
    for (name, values, expected) in cases {
        let mut attributes = attributes(values);
        let found = (find(name).unwrap().from_attributes)(&mut attributes).unwrap();
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        assert!(attributes.values.is_empty(), "{name}: left {:?}", attributes.values);
    }
}

fn attributes(values: serde_json::Value) -> Attributes {
    let mut attributes = Attributes { values: values.as_object().cloned().unwrap_or_default(), ..Default::default() };
    attributes.integers.insert("labels".into(), array![1, 0].into_dyn());
    attributes.integers.insert("mask".into(), array![1, 0].into_dyn());
    attributes
}

/// Every op can be read from the attributes that its golden cases have, and they are all that it takes: one that it
/// knows nothing of is left.
#[test]
fn every_op_takes_the_attributes_of_its_golden_cases() {
    for (name, file) in case_files("ops") {
        assert!(!file.cases.is_empty(), "{name}");
    }
    for entry in OPS {
        let mut attributes = attributes(json!({"no_such_attribute": 1}));
        _ = (entry.from_attributes)(&mut attributes);
        assert!(attributes.values.contains_key("no_such_attribute"), "{}", entry.name);
    }
}

#[test]
fn bad_attributes_are_refused_by_name() {
    for (op, values, place) in [
        ("batch_norm", json!({}), "`training`"),
        ("batch_norm", json!({"training": 1}), "`training`"),
        ("batch_norm", json!({"training": true, "eps": "small"}), "`eps`"),
        ("max_pool2d", json!({}), "`kernel`"),
        ("max_pool2d", json!({"kernel": [1]}), "`kernel`"),
        ("avg_pool2d", json!({"kernel": [2, 2], "stride": [-1, 1]}), "`stride`"),
        ("avg_pool2d", json!({"kernel": [2, 2], "count_include_pad": "yes"}), "`count_include_pad`"),
        ("concat", json!({"axis": -1}), "`axis`"),
        ("split", json!({"axis": 0, "sizes": [1, 0.5]}), "`sizes`"),
        ("pad", json!({"pads": [[1, 2, 3]]}), "`pads`"),
        ("flatten", json!({}), "`start_dim`"),
        ("strided_slice", json!({"step": 1e30}), "`step`"),
        ("channel_shuffle", json!({"groups": null}), "`groups`"),
        ("dropout", json!({"p": "half"}), "`p`"),
        ("cross_entropy", json!({"label_smoothing": "some"}), "`label_smoothing`"),
    ] {
        let message = (find(op).unwrap().from_attributes)(&mut attributes(values)).unwrap_err().to_string();
        assert!(message.contains(place), "{op}: {message}");
    }
    for (op, name, integers, found) in [
        ("cross_entropy", "labels", array![0, -1].into_dyn(), "labels[1]"),
        ("cross_entropy", "labels", array![[0]].into_dyn(), "labels"),
        ("dropout", "mask", array![0, 2].into_dyn(), "mask"),
    ] {
        let mut attributes = Attributes::default();
        let missing = (find(op).unwrap().from_attributes)(&mut attributes).unwrap_err().to_string();
        assert!(missing.contains(name), "{op}: {missing}");
        attributes.integers.insert(name.into(), integers);
        let message = (find(op).unwrap().from_attributes)(&mut attributes).unwrap_err().to_string();
        assert!(message.contains(found), "{op}: {message}");
    }
}
