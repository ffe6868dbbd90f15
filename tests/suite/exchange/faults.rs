//! Planted mistakes of an architecture, one wrong layer each: every one must be told from PyTorch's network, in both
//! modes. All keep the parameters' names and shapes, so that nothing but the numbers can tell.

use super::{MODES, open, worst};
use gdstar::kernel::{Kernel, Window};
use gdstar::nn::{Feed, Join, Layer};

/// What a wrong implementation has instead of a layer; `None` where the mistake does not apply.
type Mistake = fn(&Layer) -> Option<Layer>;

/// Makes the mistake in the first layer, in the order of evaluation, that it applies to.
fn plant(layer: &mut Layer, mistake: Mistake) -> bool {
    if let Some(wrong) = mistake(layer) {
        *layer = wrong;
        return true;
    }
    match layer {
        Layer::Sequence(children) | Layer::Branches { branches: children, .. } => {
            children.iter_mut().any(|(_, child)| plant(child, mistake))
        }
        _ => false,
    }
}

fn epsilon_of_another_library(layer: &Layer) -> Option<Layer> {
    match layer {
        Layer::BatchNorm { channels, eps: 1e-3 } => Some(Layer::BatchNorm { channels: *channels, eps: 1e-5 }),
        _ => None,
    }
}

fn epsilon_off_by_a_thousandth(layer: &Layer) -> Option<Layer> {
    match layer {
        Layer::BatchNorm { channels, eps } => Some(Layer::BatchNorm { channels: *channels, eps: eps * 1.001 }),
        _ => None,
    }
}

/// The new channels behind the old ones, or the right half of the channels kept instead of the left.
fn branches_concatenated_in_reverse(layer: &Layer) -> Option<Layer> {
    match layer {
        Layer::Branches { feed, branches, join: Join::Concat } => {
            let branches = branches.iter().rev().cloned().collect();
            Some(Layer::Branches { feed: feed.clone(), branches, join: Join::Concat })
        }
        _ => None,
    }
}

fn whole_input_summed(layer: &Layer) -> Option<Layer> {
    match layer {
        Layer::Branches { branches, join: Join::Product, .. } => {
            Some(Layer::Branches { feed: Feed::Same, branches: branches.clone(), join: Join::Sum })
        }
        _ => None,
    }
}

fn no_shuffle(layer: &Layer) -> Option<Layer> {
    matches!(layer, Layer::ChannelShuffle { .. }).then_some(Layer::Identity)
}

fn no_relu(layer: &Layer) -> Option<Layer> {
    matches!(layer, Layer::Relu).then_some(Layer::Identity)
}

fn relu_for_silu(layer: &Layer) -> Option<Layer> {
    matches!(layer, Layer::Silu).then_some(Layer::Relu)
}

fn no_shortcut(layer: &Layer) -> Option<Layer> {
    match layer {
        Layer::Branches { branches, join: Join::Sum, .. } if matches!(branches[1].1, Layer::Identity) => {
            Some(branches[0].1.clone())
        }
        _ => None,
    }
}

fn max_for_mean(layer: &Layer) -> Option<Layer> {
    match *layer {
        Layer::AvgPool { kernel, stride, padding: 0 } => Some(Layer::MaxPool { kernel, stride }),
        _ => None,
    }
}

fn mean_for_max(layer: &Layer) -> Option<Layer> {
    match *layer {
        Layer::MaxPool { kernel, stride } => Some(Layer::AvgPool { kernel, stride, padding: 0 }),
        _ => None,
    }
}

/// The same image size from pixels further apart.
fn dilated(layer: &Layer) -> Option<Layer> {
    match layer {
        Layer::Conv2d { inputs, outputs, kernel: [3, 3], window, bias, init } if window.stride == [1; 2] => {
            let window = Window { padding: [2; 2], dilation: [2; 2], ..*window };
            let (inputs, outputs, kernel) = (*inputs, *outputs, [3; 2]);
            Some(Layer::Conv2d { inputs, outputs, kernel, window, bias: *bias, init: *init })
        }
        _ => None,
    }
}

/// The stride of a block in its first 1x1 convolution instead of its 3x3 convolution.
fn stride_in_the_first_convolution(layer: &Layer) -> Option<Layer> {
    let Layer::Sequence(layers) = layer else { return None };
    let mut wrong = layers.clone();
    let windows = wrong.iter_mut().filter_map(|(_, layer)| match layer {
        Layer::Conv2d { window, .. } => Some(window),
        _ => None,
    });
    let [first, second, _] = <[&mut Window; 3]>::try_from(windows.collect::<Vec<_>>()).ok()?;
    if second.stride != [2; 2] {
        return None;
    }
    std::mem::swap(&mut first.stride, &mut second.stride);
    Some(Layer::Sequence(wrong))
}

#[test]
fn planted_mistakes_are_noticed() {
    let planted: [(&str, Mistake); 15] = [
        ("inceptionv3", epsilon_of_another_library),
        ("densenetc", epsilon_off_by_a_thousandth),
        ("densenetc", branches_concatenated_in_reverse),
        ("shufflenetv2", branches_concatenated_in_reverse),
        ("shufflenetv2", no_shuffle),
        ("shufflenetv2", no_relu),
        ("efficientnetb0", whole_input_summed),
        ("efficientnetb0", relu_for_silu),
        ("resnet20", no_shortcut),
        ("resnet20", dilated),
        ("mobilenetv2", no_shortcut),
        ("mobilenetv2", stride_in_the_first_convolution),
        ("densenetc", max_for_mean),
        ("lenet", mean_for_max),
        ("lenet", no_relu),
    ];
    for (i, (model, mistake)) in planted.into_iter().enumerate() {
        let golden = open(model);
        let mut network = golden.network().unwrap();
        assert!(plant(&mut network.layer, mistake), "{model}, mistake {i}: no such layer");
        for mode in MODES {
            let worst = worst(&golden, &network, Kernel::Fast, mode);
            assert!(!worst.is_tolerable(), "{model}, mistake {i}, {mode:?}: not noticed, {worst:?}");
        }
    }
}

/// A gradient that is wrong in one entry alone, or not a number, is noticed in its checksum.
#[test]
fn one_wrong_entry_is_noticed() {
    use gdstar::nn::{Mode, hashed};
    use gdstar::oracle::golden::networks::{GRADIENT, checksum};
    let network = open("lenet").network().unwrap();
    let parameters = hashed::parameters::<f64>(&network);
    for parameter in parameters.iter() {
        let right = checksum(&parameter.name, &parameter.value);
        for at in [0, parameter.value.len() / 2, parameter.value.len() - 1] {
            let mut wrong = parameter.value.clone();
            let entry = wrong.iter_mut().nth(at).unwrap();
            let moved = 1e-9 * right[0];
            *entry += moved;
            let off = |lane: usize| (checksum(&parameter.name, &wrong)[lane] - right[lane]).abs();
            // Every projection moves by as much as the entry did, but for the rounding of both sums.
            assert!((1..right.len()).all(|lane| off(lane) > GRADIENT * right[0]), "{}[{at}]", parameter.name);
        }
        let mut wrong = parameter.value.clone();
        *wrong.iter_mut().next().unwrap() = f64::NAN;
        assert!(checksum(&parameter.name, &wrong).iter().all(|sum| sum.is_nan()), "{}", parameter.name);
    }
    let golden = open("lenet");
    assert!(golden.deviations(&network, Kernel::Fast, Mode::Training).unwrap().iter().all(|d| d.is_tolerable()));
}
