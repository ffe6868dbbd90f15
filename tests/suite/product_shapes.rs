//! Bad operands of `matmul`, `linear` and `conv2d` are typed errors that name what is off, before any work.

use gdstar::Error;
use gdstar::kernel::{Kernel, Window};
use gdstar::op::{Op, evaluate};
use gdstar::ops::{Attributes, Catalogued, Conv2d, Linear, Matmul};
use ndarray::ArrayD;
use serde_json::json;

/// The one-line message of the [`Error::Shape`] that these shapes must give.
fn refused(op: &impl Op, inputs: &[&[usize]]) -> String {
    match op.out_shapes(inputs) {
        Err(error @ Error::Shape { .. }) => error.to_string(),
        other => panic!("{op:?} of {inputs:?} gave {other:?}"),
    }
}

fn conv(window: Window) -> Conv2d {
    Conv2d { window }
}

const HUGE: usize = usize::MAX;

#[test]
fn matmul_refuses_shapes_that_do_not_fit() {
    assert_eq!(refused(&Matmul, &[&[2, 3]]), "matmul: inputs: expected 2 (a, b), found 1 inputs");
    assert_eq!(refused(&Matmul, &[&[2, 3, 1], &[3, 2]]), "matmul: a: expected shape [m, k], found shape [2, 3, 1]");
    assert_eq!(refused(&Matmul, &[&[2, 3], &[2, 3]]), "matmul: b: expected rows k = 3, found 2");
    assert!(refused(&Matmul, &[&[HUGE, 0], &[0, HUGE]]).starts_with("matmul: y: expected at most"));
    assert_eq!(Matmul.out_shapes(&[&[2, 0], &[0, 3]]).unwrap()[0][..], [2, 3]);
}

#[test]
fn linear_refuses_shapes_that_do_not_fit() {
    assert!(refused(&Linear, &[&[2, 3]]).starts_with("linear: inputs: expected 2 or 3"));
    assert_eq!(refused(&Linear, &[&[3], &[4, 3]]), "linear: x: expected shape [n, in], found shape [3]");
    assert_eq!(refused(&Linear, &[&[2, 3], &[4, 5]]), "linear: w: expected columns in = 3, found 5");
    assert_eq!(refused(&Linear, &[&[2, 3], &[4, 3], &[3]]), "linear: b: expected shape [4], found shape [3]");
    assert!(refused(&Linear, &[&[HUGE, 0], &[HUGE, 0]]).starts_with("linear: y: expected at most"));
}

#[test]
fn conv2d_refuses_shapes_that_do_not_fit() {
    let plain = conv(Window::PLAIN);
    let x: &[usize] = &[2, 4, 5, 6];
    assert_eq!(
        refused(&plain, &[&[4, 5, 6], &[8, 4, 3, 3]]),
        "conv2d: x: expected shape [n, c, h, w], found shape [4, 5, 6]"
    );
    assert!(refused(&plain, &[x, &[8, 3, 3, 3]]).starts_with("conv2d: w: expected channels per group c/groups = 4"));
    assert_eq!(refused(&plain, &[x, &[8, 4, 3, 3], &[4]]), "conv2d: b: expected shape [8], found shape [4]");
    assert_eq!(
        refused(&plain, &[x, &[8, 4, 6, 3]]),
        "conv2d: w, kernel height: expected at least 1 tap, dilated within the padded input of 5 + 2 * 0, \
         found 6 taps at dilation 1"
    );
    assert!(refused(&plain, &[x, &[8, 4, 3, 0]]).starts_with("conv2d: w, kernel width:"));
    let grouped = conv(Window { groups: 3, ..Window::PLAIN });
    assert_eq!(refused(&grouped, &[x, &[6, 1, 3, 3]]), "conv2d: x: expected channels divisible by groups = 3, found 4");
    assert!(refused(&grouped, &[&[2, 6, 5, 5], &[4, 2, 3, 3]]).starts_with("conv2d: w: expected channels divisible"));
}

#[test]
fn conv2d_refuses_absurd_attributes_without_overflow() {
    let shapes: [&[usize]; 2] = [&[0, 4, 5, 6], &[8, 4, 3, 3]];
    for (window, place) in [
        (Window { stride: [0, 1], ..Window::PLAIN }, "attribute `stride`"),
        (Window { dilation: [1, 0], ..Window::PLAIN }, "attribute `dilation`"),
        (Window { groups: 0, ..Window::PLAIN }, "attribute `groups`"),
        (Window { dilation: [HUGE, 1], ..Window::PLAIN }, "w, kernel height"),
        (Window { padding: [0, HUGE], ..Window::PLAIN }, "w, kernel width"),
        (Window { padding: [HUGE / 2, 0], ..Window::PLAIN }, "w, kernel height"),
        (Window { padding: [HUGE / 8, HUGE / 8], ..Window::PLAIN }, "y"),
    ] {
        let message = refused(&conv(window), &shapes);
        assert!(message.starts_with(&format!("conv2d: {place}")), "{window:?}: {message}");
    }
}

/// A stride past the end is no error: there is one output, and every gradient reaches just its window.
#[test]
fn conv2d_takes_a_stride_past_the_end() {
    let far = conv(Window { stride: [HUGE, HUGE], ..Window::PLAIN });
    let (x, w) = (ArrayD::<f32>::ones(vec![1, 4, 5, 6]), ArrayD::ones(vec![8, 4, 3, 3]));
    let dy = ArrayD::ones(vec![1, 8, 1, 1]);
    for kernel in [Kernel::Literal, Kernel::Fast] {
        let result = evaluate(&far, kernel, &[x.view(), w.view()], &[Some(dy.view())], &[true, true]).unwrap();
        assert_eq!(result.outputs[0], ArrayD::from_elem(vec![1, 8, 1, 1], 36.0)); // 4 channels, 3 x 3
        let [dx, dw] = [0, 1].map(|i| result.gradients[i].clone().unwrap());
        assert_eq!((dx.sum(), dx[[0, 3, 2, 2]], dx[[0, 3, 3, 2]]), (8.0 * 36.0, 8.0, 0.0));
        assert_eq!(dw, w);
    }
}

#[test]
fn conv2d_attributes_default_as_in_pytorch() {
    assert_eq!(Conv2d::from_attributes(&mut Attributes::default()).unwrap(), conv(Window::PLAIN));
    let read = |values: serde_json::Value| {
        let mut attributes = Attributes { values: values.as_object().unwrap().clone(), ..Attributes::default() };
        let op = Conv2d::from_attributes(&mut attributes);
        assert!(attributes.values.is_empty() || op.is_err(), "every attribute is taken");
        op
    };
    let window = Window { stride: [2, 1], padding: [0, 3], dilation: [1, 2], groups: 4 };
    let given = json!({"stride": [2, 1], "padding": [0, 3], "dilation": [1, 2], "groups": 4});
    assert_eq!(read(given).unwrap(), conv(window));
    assert!(read(json!({"stride": [0, 1]})).is_err());
    assert!(read(json!({"stride": 2})).is_err());
}
