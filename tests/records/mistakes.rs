//! The fault dictionary: what a port did wrong is named, by what it did and to which operand.

use crate::judged::{aten, calls, measured};
use gdstar::kernel::{Kernel, Window, conv2d_with_bias};
use gdstar::oracle::record::{Arg, Call, Grade, Place, Value, explain, judge};
use ndarray::{Array1, Array4, ArrayD, Axis, Dimension, IxDyn, Slice, s};

/// The first call of an overload in a number system.
fn call(name: &str) -> Call<Value> {
    calls().into_iter().find(|call| call.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn operand(call: &Call<Value>, i: usize) -> ArrayD<f64> {
    aten(&mut call.clone()).args[i].tensor().unwrap().array.clone()
}

fn result(call: &Call<Value>, i: usize) -> ArrayD<f64> {
    aten(&mut call.clone()).results[i].as_ref().unwrap().array.clone()
}

/// What is said of a result that is another.
fn said(call: &Call<Value>, i: usize, array: ArrayD<f64>) -> String {
    let mut faulty = call.clone();
    let value = aten(&mut faulty).results[i].as_mut().unwrap();
    assert_eq!(value.array.len(), array.len());
    value.array = array.into_shape_with_order(value.array.raw_dim()).unwrap();
    assert!(measured(&faulty).iter().any(|measured| !measured.passes()), "{}: the fault is none", call.name);
    explain(&faulty, &Place::Result(i)).unwrap().unwrap_or_else(|| "nothing".to_string())
}

fn images(x: &ArrayD<f64>) -> Array4<f64> {
    x.clone().into_dimensionality().unwrap()
}

/// A convolution as a port in f32 computes it.
fn convolution(window: Window, x: &Array4<f64>, w: &Array4<f64>, bias: Option<&Array1<f64>>) -> ArrayD<f64> {
    let narrow = |x: &Array4<f64>| x.mapv(|x| x as f32);
    let bias = bias.map(|bias| bias.mapv(|b| b as f32));
    let y =
        conv2d_with_bias(Kernel::Literal, window, narrow(x).view(), narrow(w).view(), bias.as_ref().map(|b| b.view()));
    y.mapv(f64::from).into_dyn()
}

#[test]
fn mistakes_of_convolutions_are_named() {
    let call = call("F32/aten.convolution.default/0");
    let (x, w) = (images(&operand(&call, 0)), images(&operand(&call, 1)));
    let bias: Array1<f64> = operand(&call, 2).into_dimensionality().unwrap();
    let window = Window { padding: [1, 1], ..Window::PLAIN };
    let with = |x: &Array4<f64>, w: &Array4<f64>| convolution(window, x, w, Some(&bias));
    let contiguous = |x: ndarray::ArrayView4<f64>, like: &Array4<f64>| {
        Array4::from_shape_vec(like.raw_dim(), x.iter().copied().collect()).unwrap()
    };
    let nhwc = contiguous(x.view().permuted_axes([0, 2, 3, 1]), &x);
    let flipped = contiguous(w.slice(s![.., .., ..;-1, ..;-1]), &w);
    let hw = contiguous(w.view().permuted_axes([0, 1, 3, 2]), &w);
    let mut cut = x.clone();
    cut.slice_mut(s![.., 3, .., ..]).fill(0.0);
    for (y, words) in [
        (with(&nhwc, &w), "operand `input` is laid out as NHWC"),
        (with(&x, &flipped), "operand `weight` is turned by 180 degrees"),
        (with(&x, &hw), "operand `weight` has height and width swapped"),
        (with(&cut, &w), "operand `input` is used without its last index along axis 1"),
        (convolution(window, &x, &w, None), "operand `bias` is left out"),
        (with(&x, &w.mapv(|w| -w)), "operand"),
        (with(&x, &w) * 0.25, "0.2500000 times"),
    ] {
        let said = said(&call, 0, y);
        assert!(said.contains(words) || words == "operand", "{words}: {said}");
    }
    let y = result(&call, 0);
    let mut permuted = y.clone();
    permuted.invert_axis(Axis(1));
    assert!(said(&call, 0, permuted.as_standard_layout().into_owned()).contains("axis 1"));
    let mut torn = y.clone();
    torn.slice_axis_mut(Axis(2), Slice::from(4..)).fill(0.0);
    assert!(said(&call, 0, torn).contains("the last 2 of 6 along axis 2 are 0"));
    let largest = y.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
    assert!(said(&call, 0, y.mapv(|y| y.clamp(-largest / 2.0, largest / 2.0))).contains("clipped"));
    assert!(
        said(&call, 0, y.mapv(|y| f64::from(f32::from_bits((y as f32).to_bits() & 0xffff_0000)))).contains("8 digits")
    );
}

#[test]
fn groups_that_are_ignored_are_named() {
    let call = call("F32/aten.convolution.default/2");
    let (x, w) = (images(&operand(&call, 0)), images(&operand(&call, 1)));
    let bias: Array1<f64> = operand(&call, 2).into_dimensionality().unwrap();
    let first = x.slice(s![.., 0..2, .., ..]).to_owned();
    let y = convolution(Window { padding: [1, 1], ..Window::PLAIN }, &first, &w, Some(&bias));
    assert!(said(&call, 0, y).contains("groups are ignored"));
}

/// In f64 a product that is left out of one sum is found, and which it was.
#[test]
fn a_product_left_out_or_counted_twice_is_named() {
    let call = call("F64/aten.mm.default/0");
    let (a, b, y) = (operand(&call, 0), operand(&call, 1), result(&call, 0));
    for (way, words) in [(-1.0, "is left out"), (1.0, "is counted twice")] {
        let mut y = y.clone();
        y[[2, 1]] += way * a[[2, 4]] * b[[4, 1]];
        let said = said(&call, 0, y);
        assert!(said.contains(words) && said.contains("number 4 of the sum at [2, 1]"), "{said}");
    }
}

/// Batch norm's statistics of each channel: mean, biased variance, and how many values.
fn statistics(x: &ArrayD<f64>) -> (Vec<f64>, Vec<f64>, f64) {
    let channels = x.axis_iter(Axis(1)).map(|channel| {
        let mean = channel.sum() / channel.len() as f64;
        (mean, channel.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / channel.len() as f64)
    });
    let (means, variances) = channels.unzip();
    (means, variances, (x.len() / x.shape()[1]) as f64)
}

#[test]
fn mistakes_of_batch_norm_are_named() {
    let call = call("F32/aten.native_batch_norm.default/0");
    let [x, weight, shift, mean, variance] = [0, 1, 2, 3, 4].map(|i| operand(&call, i));
    let (means, variances, m) = statistics(&x);
    let normalised = |factor: &dyn Fn(usize) -> f64, mean: &dyn Fn(usize) -> f64| {
        let mut y = x.clone();
        for (index, y) in y.indexed_iter_mut() {
            let c = index[1];
            *y = f64::from(((*y - mean(c)) * factor(c) * weight[[c]] + shift[[c]]) as f32);
        }
        y
    };
    let (own, eps) = (|c: usize| means[c], 1e-5);
    for (y, words) in [
        (normalised(&|c| 1.0 / (variances[c] * m / (m - 1.0) + eps).sqrt(), &own), "divisor m - 1"),
        (normalised(&|c| 1.0 / (variances[c].sqrt() + eps), &own), "eps is added to the root"),
        (normalised(&|c| 1.0 / variances[c].sqrt(), &own), "eps is left out"),
        (normalised(&|c| 1.0 / (variances[c] + 0.001).sqrt(), &own), "eps is 1e-3, and not 1e-5"),
        (normalised(&|c| 1.0 / (variances[c] + eps).sqrt() / weight[[c]], &own), "the weight is left out"),
        (normalised(&|c| 1.0 / (variance[[c]] + eps).sqrt(), &|c| mean[[c]]), "the running statistics normalise"),
        (
            normalised(&|c| 1.0 / (variances[c] + eps).sqrt(), &own)
                - &shift.clone().into_shape_with_order((4, 1, 1)).unwrap(),
            "operand `bias` is left out",
        ),
    ] {
        let said = said(&call, 0, y);
        assert!(said.contains(words), "{words}: {said}");
    }
    let written = |at: usize, array: Vec<f64>| {
        let mut faulty = call.clone();
        let (changed, value) = aten(&mut faulty).writes.iter_mut().nth(at).unwrap();
        value.array =
            ArrayD::from_shape_vec(IxDyn(&[4]), array.iter().map(|&x| f64::from(x as f32)).collect()).unwrap();
        let place = Place::Written(changed.clone());
        let judged = judge(&faulty).unwrap().unwrap();
        assert!(judged.iter().any(|judged| judged.place == place), "{place:?}");
        explain(&faulty, &place).unwrap().unwrap_or_default()
    };
    let channels = || 0..4;
    let swapped = channels().map(|c| 0.1 * mean[[c]] + 0.9 * means[c]).collect();
    assert!(written(0, swapped).contains("momentum is swapped"));
    let biased = channels().map(|c| 0.9 * variance[[c]] + 0.1 * variances[c]).collect();
    assert!(written(1, biased).contains("biased variance"));
}

#[test]
fn mistakes_of_what_chooses_are_named() {
    let gate = call("F32/aten.threshold_backward.default/0");
    let (dy, x) = (operand(&gate, 0), operand(&gate, 1));
    assert!(said(&gate, 0, dy.clone()).contains("operand `grad_output` unchanged"));
    let closed = ndarray::Zip::from(&dy).and(&x).map_collect(|&dy, &x| if x >= 0.0 { dy } else { 0.0 });
    assert!(said(&gate, 0, closed).contains("on the kink"));
    let pool = call("F32/aten.max_pool2d_with_indices_backward.default/0");
    let (dy, x) = (operand(&pool, 0), operand(&pool, 1));
    let mut to_all = ArrayD::zeros(x.raw_dim());
    for (index, dy) in dy.indexed_iter() {
        let [n, c, y0, x0] = [index[0], index[1], 2 * index[2], 2 * index[3]];
        let window = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, z)| [n, c, y0 + y, x0 + z]);
        let most = window.iter().fold(f64::NEG_INFINITY, |m, &i| m.max(x[i]));
        window.iter().filter(|&&i| x[i] == most).for_each(|&i| to_all[i] += *dy);
    }
    assert!(said(&pool, 0, to_all).contains("goes to all of them"));
    let dropout = call("F32/aten.native_dropout.default/0");
    let kept = operand(&dropout, 0) * result(&dropout, 1);
    assert!(said(&dropout, 0, kept).contains("not divided by 1 - p"));
}

#[test]
fn mistakes_of_losses_and_scales_are_named() {
    let loss = call("F32/aten.nll_loss_forward.default/1");
    let total = result(&loss, 1).sum();
    assert!(said(&loss, 0, result(&loss, 0) * total).contains("instead of the sum"));
    let product = call("F32/aten.mm.default/0");
    assert!(said(&product, 0, result(&product, 0) / 8.0).contains("1/8"));
    assert!(said(&product, 0, -result(&product, 0)).contains("sign is turned"));
    let linear = call("F32/aten.linear.default/0");
    let bias = operand(&linear, 2);
    assert!(said(&linear, 0, result(&linear, 0) + &bias).contains("operand `bias` is taken twice"));
}

#[test]
fn mistakes_of_further_activations_and_losses_are_named() {
    let narrow = |x: f64| f64::from(x as f32);
    let bent = call("F32/aten.tanh_backward.default/0");
    let (dy, y) = (operand(&bent, 0), operand(&bent, 1));
    assert!(said(&bent, 0, (&dy * &y.mapv(|y| 1.0 - y)).mapv(narrow)).contains("the square is left out"));
    let [exact, by_tanh] = [0, 1].map(|i| call(&format!("F32/aten.gelu.default/{i}")));
    assert!(said(&exact, 0, result(&by_tanh, 0)).contains("the other form"));
    let squares = call("F32/aten.mse_loss_backward.default/1");
    assert!(said(&squares, 0, result(&squares, 0) / 2.0).contains("the factor 2 is left out"));
    let total = operand(&squares, 1).len() as f64;
    assert!(said(&squares, 0, (result(&squares, 0) * total).mapv(narrow)).contains("instead of the sum"));
}

#[test]
fn mistakes_of_layers_are_named() {
    let call = call("F32/aten.native_layer_norm.default/1");
    let [x, scale, offset] = [0, 2, 3].map(|i| operand(&call, i));
    let m = scale.len() as f64;
    let normalised = |factor: &dyn Fn(f64) -> f64| {
        let mut y = x.clone();
        for mut row in y.axis_iter_mut(Axis(0)) {
            let mean = row.sum() / m;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / m;
            row.mapv_inplace(|x| (x - mean) * factor(variance));
            let scaled = &row.to_owned().into_shape_with_order(scale.raw_dim()).unwrap() * &scale + &offset;
            row.iter_mut().zip(scaled.iter()).for_each(|(y, &scaled)| *y = f64::from(scaled as f32));
        }
        y
    };
    let unbiased = said(&call, 0, normalised(&|v| 1.0 / (v * m / (m - 1.0) + 1e-5).sqrt()));
    assert!(unbiased.contains("divisor m - 1"), "{unbiased}");
    let backward =
        crate::judged::calls().into_iter().find(|call| call.name == "F32/aten.native_layer_norm_backward.default/1");
    let backward = backward.unwrap();
    let [dy, reciprocal, weight] = [0, 4, 5].map(|i| operand(&backward, i));
    let constant = (&dy * &weight * &reciprocal).mapv(|x| f64::from(x as f32));
    assert!(said(&backward, 0, constant).contains("taken for constants"));
}

/// Few elements that are off are no coarser arithmetic, however small the difference is.
#[test]
fn a_single_wrong_element_is_not_taken_for_a_coarser_arithmetic() {
    for name in ["F32/aten.mm.default/0", "F32/aten.convolution.default/0", "F32/aten.native_batch_norm.default/0"] {
        let call = call(name);
        let mut y = result(&call, 0);
        let largest = y.iter().fold(0.0, |m: f64, y| m.max(y.abs()));
        let element = y.iter_mut().find(|y| y.abs() == largest).unwrap();
        *element *= 1.001;
        let said = said(&call, 0, y);
        assert!(["TF32", "bfloat16", "half precision"].iter().all(|coarse| !said.contains(coarse)), "{name}: {said}");
    }
}

#[test]
fn a_term_left_out_of_other_sums_is_named() {
    let sum = call("F64/aten.sum.dim_IntList/0");
    let (x, mut y) = (operand(&sum, 0), result(&sum, 0));
    y[[0, 1, 0, 2]] -= x[[1, 1, 3, 2]];
    assert!(said(&sum, 0, y).contains("one term of 18 is left out, number 9 of the sum at [0, 1, 0, 2]"));
    let mean = call("F64/aten.mean.dim/0");
    let (x, mut y) = (operand(&mean, 0), result(&mean, 0));
    y[[2, 3]] -= x[[2, 3, 0, 5]] / 36.0;
    assert!(said(&mean, 0, y).contains("one term of 36 is left out, number 5 of the sum at [2, 3]"));
    let norm = call("F64/aten.native_batch_norm_backward.default/0");
    let [dy, x, means, scales] = [0, 1, 5, 6].map(|i| operand(&norm, i));
    let mut dw = result(&norm, 1);
    dw[[2]] -= dy[[1, 2, 0, 4]] * (x[[1, 2, 0, 4]] - means[[2]]) * scales[[2]];
    assert!(said(&norm, 1, dw).contains("one product of 108 is left out, number 40 of the sum at [2]"));
    let mut db = result(&norm, 2);
    db[[1]] += dy[[0, 1, 0, 0]];
    assert!(said(&norm, 2, db).contains("one product of 108 is counted twice, number 0 of the sum at [1]"));
    let pool = call("F64/aten.avg_pool2d.default/0");
    let (x, mut y) = (operand(&pool, 0), result(&pool, 0));
    y[[0, 1, 2, 0]] -= x[[0, 1, 4, 1]] / 4.0;
    assert!(said(&pool, 0, y).contains("one term of 4 is left out, number 1 of the sum at [0, 1, 2, 0]"));
}

#[test]
fn labels_gates_and_terms_of_gradients_are_named() {
    let narrow = |x: f64| f64::from(x as f32);
    let loss = call("F32/aten.nll_loss_backward.default/1");
    let (dy, labels) = (operand(&loss, 0).sum(), operand(&loss, 2));
    let mut of_next = ArrayD::zeros(operand(&loss, 1).raw_dim());
    let counted: Vec<(usize, usize)> =
        labels.iter().enumerate().filter(|(_, y)| **y >= 0.0).map(|(n, y)| (n, (*y as usize + 1) % 10)).collect();
    counted.iter().for_each(|&(n, y)| of_next[[n, y]] = narrow(-dy / counted.len() as f64));
    assert!(said(&loss, 0, of_next).contains("labels are off by one"));
    let gate = call("F32/aten.threshold_backward.default/0");
    let (dy, x) = (operand(&gate, 0), operand(&gate, 1));
    let other = ndarray::Zip::from(&dy).and(&x).map_collect(|&dy, &x| if x < 0.0 { dy } else { 0.0 });
    assert!(said(&gate, 0, other).contains("another operand than `self`"));
    let norm = call("F32/aten.native_batch_norm_backward.default/0");
    let [dy, x, weight, means, scales] = [0, 1, 2, 5, 6].map(|i| operand(&norm, i));
    let m = 108.0;
    let mean = |of: &dyn Fn(&[usize]) -> f64, c: usize| {
        let places = dy.indexed_iter().filter(|(i, _)| i[1] == c);
        places.map(|(i, _)| of(i.slice())).sum::<f64>() / m
    };
    let gradient = |with_mean: f64, with_variance: f64| {
        let channels = |c: usize| {
            let slope = mean(&|i| dy[i] * (x[i] - means[[c]]), c) * scales[[c]] * scales[[c]];
            (with_mean * mean(&|i| dy[i], c), with_variance * slope)
        };
        let of_channel: Vec<(f64, f64)> = (0..4).map(channels).collect();
        let dx = |i: &[usize], dy: f64| {
            let (mean, slope) = of_channel[i[1]];
            narrow((dy - mean - (x[i] - means[[i[1]]]) * slope) * scales[[i[1]]] * weight[[i[1]]])
        };
        let elements = dy.indexed_iter().map(|(i, dy)| dx(i.slice(), *dy)).collect();
        ArrayD::from_shape_vec(dy.raw_dim(), elements).unwrap()
    };
    assert!(said(&norm, 0, gradient(0.0, 1.0)).contains("the term through the mean is left out"));
    assert!(said(&norm, 0, gradient(1.0, 0.0)).contains("the term through the variance is left out"));
    let pool = call("F32/aten.max_pool2d_with_indices.default/0");
    let x = operand(&pool, 0);
    let mean = ArrayD::from_shape_fn(result(&pool, 0).raw_dim(), |i| {
        let pixel = |y: usize, z: usize| x[[i[0], i[1], 2 * i[2] + y, 2 * i[3] + z]];
        (pixel(0, 0) + pixel(0, 1) + pixel(1, 0) + pixel(1, 1)) / 4.0
    });
    assert!(said(&pool, 0, mean).contains("the mean of each window"));
}

#[test]
fn mistakes_of_single_ops_are_named() {
    let narrow = |x: f64| f64::from(x as f32);
    let relu = call("F32/aten.relu.default/0");
    let x = operand(&relu, 0);
    assert!(said(&relu, 0, x.mapv(|x| if x < 0.0 { narrow(0.01 * x) } else { x })).contains("a leaky ReLU"));
    assert!(said(&relu, 0, x.mapv(f64::abs)).contains("the size of x"));
    let softmax = call("F32/aten._log_softmax.default/0");
    let x = operand(&softmax, 0);
    assert_eq!(x.ndim(), 2);
    assert!(said(&softmax, 0, result(&softmax, 0).mapv(|y| narrow(y.exp()))).contains("the logarithm is left out"));
    let mut along = x.clone();
    for mut column in along.axis_iter_mut(Axis(1)) {
        let sum = column.iter().map(|x| x.exp()).sum::<f64>().ln();
        column.mapv_inplace(|x| narrow(x - sum));
    }
    assert!(said(&softmax, 0, along).contains("along the other axis"));
    let norm = call("F32/aten.native_batch_norm_backward.default/0");
    assert!(said(&norm, 1, result(&norm, 2)).contains("it is what belongs into `results[2]`"));
    let product = call("F32/aten.mm.default/0");
    let mut y = result(&product, 0);
    y.swap([0, 1], [2, 0]);
    assert!(said(&product, 0, y).contains("elements [0, 1] and [2, 0] are exchanged"));
}

/// Indices of a faulty max pooling are no reason to judge nothing else of the record.
#[test]
fn a_gradient_at_indices_beyond_the_plane_is_told_as_not_judged() {
    let mut pool = call("F32/aten.max_pool2d_with_indices_backward.default/0");
    let Some(Arg::Tensor(indices)) = aten(&mut pool).args.last_mut() else { panic!("the indices") };
    indices.array[[0, 0, 0, 0]] = 1e4;
    let judged = judge(&pool).unwrap().unwrap();
    assert!(matches!(&judged[0].grade, Grade::NotJudged(why) if why.contains("`indices` has 10000")), "{judged:?}");
}
