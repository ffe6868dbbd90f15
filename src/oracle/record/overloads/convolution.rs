//! `convolution` and its adjoints, of images and of rows; transposed ones are named, not judged.

use super::super::Algorithm;
use super::super::expected::{Answer, Claim, Expected};
use super::super::rounding::Rounding;
use super::algorithms::{self, Role};
use super::arguments::Arguments;
use super::slips::Slip;
use super::sums::Products;
use crate::error::{Error, Result};
use crate::kernel::{self, Window};
use crate::op::Op;
use crate::ops::Conv2d;
use ndarray::{ArrayD, ArrayView4, Axis, Ix4, IxDyn};

/// One convolution: images, or rows that are taken for images of one row.
pub(super) struct Convolution {
    pub window: Window,
    /// How many axes are pixels: 1 or 2.
    pixels: usize,
}

impl Convolution {
    /// From the arguments that start at `first`: stride, padding, dilation, transposed, output_padding, groups. A text
    /// says why it is not judged.
    fn of(given: &Arguments, first: usize) -> Result<std::result::Result<Self, String>> {
        if given.flag(first + 3, "transposed", Some(false))? {
            return Ok(Err("a transposed convolution".to_string()));
        }
        let stride = given.extents(first, "stride")?;
        let pixels = stride.len();
        let per_axis = |position, name| -> Result<[usize; 2]> {
            let extents = given.extents(position, name)?;
            match (pixels, extents.as_slice()) {
                (1, &[one]) => Ok([usize::from(name != "padding"), one]),
                (_, &[both]) => Ok([both, both]),
                (_, &[vertical, horizontal]) => Ok([vertical, horizontal]),
                _ => Err(given.refused(name, "an integer a spatial axis", format!("{extents:?}"))),
            }
        };
        if !(1..=2).contains(&pixels) {
            return Ok(Err(format!("a convolution over {pixels} axes")));
        }
        let window = Window {
            stride: per_axis(first, "stride")?,
            padding: per_axis(first + 1, "padding")?,
            dilation: per_axis(first + 2, "dilation")?,
            groups: given.extent(first + 5, "groups", Some(1))?,
        };
        Ok(Ok(Self { window, pixels }))
    }

    /// The array as images `[n, c, h, w]`.
    fn image(&self, name: &str, x: &ArrayD<f64>) -> Result<ArrayD<f64>> {
        let image = if self.pixels == 1 && x.ndim() == 3 { x.clone().insert_axis(Axis(2)) } else { x.clone() };
        let expected = if self.pixels == 1 { "shape [n, c, l]" } else { "shape [n, c, h, w]" };
        match image.ndim() {
            4 => Ok(image),
            _ => Err(Error::shape("convolution", format!("`{name}`"), expected, format!("shape {:?}", x.shape()))),
        }
    }

    /// An image's shape as the port's array has it.
    fn given_shape(&self, y: Expected) -> Result<Expected> {
        let shape: Vec<usize> = match (self.pixels, y.shape()) {
            (1, &[n, c, _, w]) => vec![n, c, w],
            (_, shape) => shape.to_vec(),
        };
        y.reshaped(&shape)
    }

    /// The output's shape, all that convolutions rely on checked.
    fn out_shape(&self, x: &ArrayD<f64>, w: &ArrayD<f64>) -> Result<Vec<usize>> {
        let shapes = Conv2d { window: self.window }.out_shapes(&[x.shape(), w.shape()])?;
        Ok(shapes.first().map(|shape| shape.to_vec()).unwrap_or_default())
    }

    /// What a correct port may hold for the output.
    pub fn forward(
        &self,
        (rounding, algorithm): (&Rounding, Algorithm),
        [x, w]: [&ArrayD<f64>; 2],
        bias: Option<&ArrayD<f64>>,
    ) -> Result<Expected> {
        let (x, w) = (self.image("input", x)?, self.image("weight", w)?);
        let shape = self.out_shape(&x, &w)?;
        let window = self.window;
        let bilinear = |kernel, x: &ArrayD<f64>, w: &ArrayD<f64>| {
            Ok(kernel::conv2d(kernel, window, image(x)?, image(w)?).into_dyn())
        };
        let mut products = Products::of(rounding, bilinear, &x, &w)?;
        if let Some(bias) = bias {
            products = products.plus(rounding, 1.0, 1.0, &per_channel(bias, &shape)?);
        }
        let otherwise = algorithms::bound(algorithm, rounding, window, Role::Output, [&x, &w], &shape)?;
        self.given_shape(products.settle(rounding, otherwise))
    }

    /// What a correct port may hold for the input's gradient.
    pub fn input_gradient(
        &self,
        (rounding, algorithm): (&Rounding, Algorithm),
        [x, w, dy]: [&ArrayD<f64>; 3],
    ) -> Result<Expected> {
        let [x, w, dy] = self.operands([x, w, dy])?;
        let (window, shape) = (self.window, extents(&x)?);
        let bilinear = |kernel, dy: &ArrayD<f64>, w: &ArrayD<f64>| {
            Ok(kernel::conv2d_input_gradient(kernel, window, image(dy)?, image(w)?, shape).into_dyn())
        };
        let products = Products::of(rounding, bilinear, &dy, &w)?;
        let otherwise = algorithms::bound(algorithm, rounding, window, Role::Input, [&dy, &w], &shape)?;
        self.given_shape(products.settle(rounding, otherwise))
    }

    /// What a correct port may hold for the weight's gradient.
    pub fn weight_gradient(
        &self,
        (rounding, algorithm): (&Rounding, Algorithm),
        [x, w, dy]: [&ArrayD<f64>; 3],
    ) -> Result<Expected> {
        let [x, w, dy] = self.operands([x, w, dy])?;
        let (window, shape) = (self.window, extents(&w)?);
        let bilinear = |kernel, x: &ArrayD<f64>, dy: &ArrayD<f64>| {
            Ok(kernel::conv2d_weight_gradient(kernel, window, image(x)?, image(dy)?, shape).into_dyn())
        };
        let products = Products::of(rounding, bilinear, &x, &dy)?;
        let otherwise = algorithms::bound(algorithm, rounding, window, Role::Weight, [&x, &dy], &shape)?;
        self.given_shape(products.settle(rounding, otherwise))
    }

    /// What a correct port may hold for the bias's gradient: the sums over everything but the channels.
    pub fn bias_gradient(&self, rounding: &Rounding, dy: &ArrayD<f64>) -> Result<Expected> {
        channel_sums(rounding, &self.image("grad_output", dy)?)
    }

    /// The operands as images, dy of the output's shape.
    fn operands(&self, [x, w, dy]: [&ArrayD<f64>; 3]) -> Result<[ArrayD<f64>; 3]> {
        let (x, w) = (self.image("input", x)?, self.image("weight", w)?);
        let (shape, dy) = (self.out_shape(&x, &w)?, self.image("grad_output", dy)?);
        if dy.shape() != shape {
            let found = format!("shape {:?}", dy.shape());
            return Err(Error::shape("convolution_backward", "`grad_output`", format!("shape {shape:?}"), found));
        }
        Ok([x, w, dy])
    }
}

fn image(x: &ArrayD<f64>) -> Result<ArrayView4<'_, f64>> {
    let found = format!("shape {:?}", x.shape());
    let view = x.view().into_dimensionality::<Ix4>();
    view.map_err(|_| Error::shape("convolution", "array", "shape [n, c, h, w]", found))
}

fn extents(x: &ArrayD<f64>) -> Result<[usize; 4]> {
    Ok(image(x)?.dim().into())
}

/// `bias[c]` at every place of channel c.
fn per_channel(bias: &ArrayD<f64>, shape: &[usize]) -> Result<ArrayD<f64>> {
    let refused =
        || Error::shape("convolution", "`bias`", format!("shape [{}]", shape[1]), format!("shape {:?}", bias.shape()));
    let column = (bias.shape() == [shape[1]]).then(|| bias.clone().insert_axis(Axis(1)).insert_axis(Axis(2)));
    let wide = column.as_ref().and_then(|column| column.broadcast(IxDyn(shape)));
    wide.map(|wide| wide.to_owned()).ok_or_else(refused)
}

/// What a correct port may hold for the sums over all axes but the second.
pub(super) fn channel_sums(rounding: &Rounding, dy: &ArrayD<f64>) -> Result<Expected> {
    let of = |kernel, dy: &ArrayD<f64>, _: &ArrayD<f64>| Ok(kernel::channel_sums(kernel, image(dy)?).into_dyn());
    // Each term once: the other factor is 1.
    Ok(Products::of(rounding, of, dy, &ArrayD::ones(IxDyn(&[])))?.settle(rounding, None))
}

/// `convolution(input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)`.
pub(super) fn forward(given: &Arguments) -> Result<Answer> {
    let convolution = match Convolution::of(given, 3)? {
        Ok(convolution) => convolution,
        Err(why) => return Ok(Answer::unjudged(1, &why)),
    };
    let (x, w, bias) = (given.array(0, "input")?, given.array(1, "weight")?, given.optional(2, "bias")?);
    let how = (&given.rounding(0), given.declared.algorithm);
    let of_group = w.shape().get(1).copied().unwrap_or(0);
    if given.has(Slip::GroupsIgnored) && x.ndim() > 1 && of_group < x.shape()[1] {
        let first = x.slice_axis(Axis(1), ndarray::Slice::from(0..of_group)).to_owned();
        let window = Window { groups: 1, ..convolution.window };
        return Ok(Answer::of(Convolution { window, ..convolution }.forward(how, [&first, w], bias)?));
    }
    Ok(Answer::of(convolution.forward(how, [x, w], bias)?))
}

/// `convolution_backward(grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding,
/// groups, output_mask)`: the gradients of input, weight and bias.
pub(super) fn backward(given: &Arguments) -> Result<Answer> {
    let convolution = match Convolution::of(given, 4)? {
        Ok(convolution) => convolution,
        Err(why) => return Ok(Answer::unjudged(3, &why)),
    };
    let operands = [given.array(1, "input")?, given.array(2, "weight")?, given.array(0, "grad_output")?];
    let algorithm = given.declared.algorithm;
    let [of_input, of_weight, of_bias] = given.mask(10, "output_mask")?;
    let claim = |wanted: bool, result: &dyn Fn() -> Result<Expected>| -> Result<Claim> {
        Ok(if wanted { Claim::Values(result()?) } else { Claim::Anything })
    };
    let results = vec![
        claim(of_input, &|| convolution.input_gradient((&given.rounding(0), algorithm), operands))?,
        claim(of_weight, &|| convolution.weight_gradient((&given.rounding(1), algorithm), operands))?,
        claim(of_bias, &|| convolution.bias_gradient(&given.rounding(2), operands[2]))?,
    ];
    Ok(Answer { results, writes: Vec::new() })
}
