//! `channel_shuffle`: the channels of x `[n,c,h,w]`, seen as a table of g groups by c/g channels, transposed:
//! `y[n, j g + i]` = `x[n, i c/g + j]`.
//!
//! Derivative: the inverse permutation, which is the shuffle by c/g groups. Only copies: every number system gives
//! exact results.
//!
//! ```
//! use gdstar::{kernel::Kernel, op::evaluate, ops::ChannelShuffle};
//! use ndarray::Array;
//! let x = Array::from_iter((0..6).map(f64::from)).into_shape_with_order(vec![1, 6, 1, 1]).unwrap();
//! let op = ChannelShuffle { groups: 2 }; // groups (0, 1, 2) and (3, 4, 5)
//! let result = evaluate(&op, Kernel::Literal, &[x.view()], &[Some(x.view())], &[true])?;
//! assert_eq!(result.outputs[0].iter().copied().collect::<Vec<_>>(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
//! let dx = result.gradients[0].as_ref().unwrap(); // channel 1 went to place 2, channel 3 to place 1, ..
//! assert_eq!(dx.iter().copied().collect::<Vec<_>>(), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
//! # Ok::<(), gdstar::Error>(())
//! ```

use super::definition::per_pixel;
use super::{Attributes, Care, Case, Catalogued, Magnitude, Summation, sample, shape};
use crate::error::{Error, Result};
use crate::kernel::{self, Extent, Kernel, Order};
use crate::op::{Argument, ArrayNames, List, Op, Reads, Shape, list};
use crate::scalar::Scalar;
#[cfg(feature = "cuda")]
use crate::{
    kernel::cuda::{self, Device, DeviceTensor},
    op::{DeviceResult, Seated},
};
use ndarray::{ArrayD, ArrayViewD};
use rand_chacha::ChaCha8Rng;

/// y = x with the channels of the groups interleaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelShuffle {
    pub groups: usize,
}

/// The shuffle by `groups` groups, which divide the channels.
fn shuffle<S: Scalar>(kernel: Kernel, groups: usize, x: &ArrayViewD<S>) -> ArrayD<S> {
    let order = Order::of_batch(kernel, x);
    let per_group = x.shape()[1] / groups;
    kernel::rearrange(kernel, x, (&order, x.shape()), |extents| {
        // Place (j, i) of the channels reads channel (i, j).
        let stride = extents[1].stride;
        let channels = [Extent { count: per_group, stride }, Extent { count: groups, stride: per_group * stride }];
        let of_axis = |&axis: &usize| if axis == 1 { List::from_slice(&channels) } else { list![extents[axis]] };
        order.axes().iter().flat_map(of_axis).collect()
    })
}

impl Op for ChannelShuffle {
    const NAME: &'static str = "channel_shuffle";
    const INPUTS: ArrayNames = ArrayNames::Each(&["x"]);
    const OUTPUTS: ArrayNames = ArrayNames::Each(&["y"]);
    const READS: Reads = Reads::Shapes;
    type Saved<S: Scalar> = ();

    fn out_shapes(&self, inputs: &[&[usize]]) -> Result<List<Shape>> {
        let [n, c, h, w] = shape::image::<Self>(inputs)?;
        shape::positive(Self::NAME, "groups", self.groups)?;
        if c == 0 || c % self.groups != 0 {
            let expected = format!("a divisor of the {c} channels");
            return Err(Error::shape(Self::NAME, "attribute `groups`", expected, self.groups.to_string()));
        }
        Ok(list![list![n, c, h, w]])
    }

    fn forward<S: Scalar>(&self, kernel: Kernel, inputs: &mut [Argument<S>]) -> (List<ArrayD<S>>, ()) {
        (list![shuffle(kernel, self.groups, &inputs[0].view())], ())
    }

    fn backward<S: Scalar>(
        &self,
        kernel: Kernel,
        inputs: &[ArrayViewD<S>],
        _: &[ArrayViewD<S>],
        _: &(),
        upstream: &mut [Argument<S>],
        _: &[bool],
    ) -> List<Option<ArrayD<S>>> {
        let per_group = inputs[0].shape()[1] / self.groups;
        list![Some(shuffle(kernel, per_group, &upstream[0].view()))]
    }

    #[cfg(feature = "cuda")]
    fn on_device<S: Scalar>(&self, device: &Device, inputs: &[&DeviceTensor<S>]) -> DeviceResult<Seated<S>> {
        let per_group = inputs[0].shape()[1] / self.groups;
        let y = cuda::channel_shuffle(device, inputs[0], self.groups)?;
        Ok(Seated::new(list![y], move |passed| {
            Ok(list![Some(cuda::channel_shuffle(passed.device, &passed.upstream[0], per_group)?)])
        }))
    }
}

impl Catalogued for ChannelShuffle {
    const SUMMARY: &'static str = "y[n, j g + i] = x[n, i c/g + j]";
    const SUMS: Summation = Summation::None;

    fn definition<S: Scalar>(&self, inputs: &[ArrayD<S>]) -> Vec<ArrayD<S>> {
        let (x, d) = (&inputs[0], inputs[0].shape());
        let per_group = d[1] / self.groups;
        let from = |c: usize| c % self.groups * per_group + c / self.groups;
        vec![per_pixel([d[0], d[1], d[2], d[3]], |[n, c, i, j]| x[[n, from(c), i, j]])]
    }

    fn magnitude(&self, _: Care) -> Magnitude<Self> {
        Magnitude::OfAbsolutes
    }

    fn from_attributes(attributes: &mut Attributes) -> Result<Self> {
        Ok(Self { groups: attributes.count("groups", None)? })
    }

    fn sample(rng: &mut ChaCha8Rng, size: usize) -> Case<Self> {
        let [n, groups, h, w] = sample::image(rng, size);
        let c = groups * sample::extent(rng, size);
        Case::new(Self { groups }, vec![sample::array(rng, &[n, c, h, w])])
    }
}
