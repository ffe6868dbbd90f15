//! Which input meets which weight in which output.

use gdstar::nn::Layer;

/// The products of a linear or convolution layer.
pub struct Plan {
    pub output: Vec<usize>,
    pub has_bias: bool,
    /// `[output, input, weight]` as positions in the flattened arrays.
    products: Vec<[usize; 3]>,
}

impl Plan {
    pub fn outputs(&self) -> usize {
        self.output.iter().product()
    }

    /// The channel (index along axis 1) of output y.
    pub fn channel(&self, y: usize) -> usize {
        y / self.output[2..].iter().product::<usize>() % self.output[1]
    }

    /// The products grouped by one of their positions.
    pub fn by(
        &self,
        key: impl Fn([usize; 3]) -> usize,
        term: impl Fn([usize; 3]) -> (f64, f64),
        groups: usize,
    ) -> Vec<Vec<(f64, f64)>> {
        let mut terms = vec![Vec::new(); groups];
        self.products.iter().for_each(|&product| terms[key(product)].push(term(product)));
        terms
    }
}

pub fn plan(layer: &Layer, x: &[usize]) -> Plan {
    match layer {
        &Layer::Linear { inputs, outputs } => {
            let n = x[0];
            let all = (0..n).flat_map(|n| (0..outputs).flat_map(move |o| (0..inputs).map(move |i| (n, o, i))));
            let products = all.map(|(n, o, i)| [n * outputs + o, n * inputs + i, o * inputs + i]).collect();
            Plan { output: vec![n, outputs], has_bias: true, products }
        }
        Layer::Conv2d { inputs, outputs, kernel: [kh, kw], window, bias, .. } => {
            let [n, h, w] = [x[0], x[2], x[3]];
            let extent = |axis: usize, size: usize, kernel: usize| {
                (size + 2 * window.padding[axis] - kernel) / window.stride[axis] + 1
            };
            let (oh, ow) = (extent(0, h, *kh), extent(1, w, *kw));
            let mut products = Vec::new();
            for (n, o, oy, ox) in four([n, *outputs, oh, ow]) {
                for (c, ky, kx, _) in four([*inputs, *kh, *kw, 1]) {
                    let row = (oy * window.stride[0] + ky).checked_sub(window.padding[0]).filter(|&y| y < h);
                    let column = (ox * window.stride[1] + kx).checked_sub(window.padding[1]).filter(|&x| x < w);
                    if let (Some(row), Some(column)) = (row, column) {
                        products.push([
                            ((n * outputs + o) * oh + oy) * ow + ox,
                            ((n * inputs + c) * h + row) * w + column,
                            ((o * inputs + c) * kh + ky) * kw + kx,
                        ]);
                    }
                }
            }
            Plan { output: vec![n, *outputs, oh, ow], has_bias: *bias, products }
        }
        other => panic!("no products in {other:?}"),
    }
}

/// The output shape of a max pooling, and the positions under each window.
pub fn windows(layer: &Layer, x: &[usize]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let &Layer::MaxPool { kernel, stride } = layer else { panic!("no windows in {layer:?}") };
    let [n, c, h, w] = [x[0], x[1], x[2], x[3]];
    let (oh, ow) = ((h - kernel) / stride + 1, (w - kernel) / stride + 1);
    let under = |(n, ch, oy, ox): (usize, usize, usize, usize)| {
        let at = |y: usize, x: usize| ((n * c + ch) * h + oy * stride + y) * w + ox * stride + x;
        (0..kernel).flat_map(|y| (0..kernel).map(move |x| (y, x))).map(|(y, x)| at(y, x)).collect()
    };
    (vec![n, c, oh, ow], four([n, c, oh, ow]).map(under).collect())
}

fn four([a, b, c, d]: [usize; 4]) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..a * b * c * d).map(move |i| (i / (b * c * d), i / (c * d) % b, i / d % c, i % d))
}
