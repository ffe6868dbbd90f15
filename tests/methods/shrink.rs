//! Shrinking really removes: a network without the channels that nothing uses is smaller, and says the same.

use gdstar::export::{Format, Shrunk, export, shrink};
use gdstar::kernel::Kernel;
use gdstar::nn::models::{MODELS, find};
use gdstar::nn::{Description, Mode, Network, Parameters};
use gdstar::paper::reading::Prunable;
use gdstar::random::{Purpose, stream, uniform, unit};
use gdstar::tape::Tape;
use gdstar::train::{SavedFile, SavedNetwork};
use gdstar::weights::WeightSet;
use ndarray::{ArrayD, Axis};

/// A network with running statistics and batch norms that are not as they begin, of whose channels every third or so is 0 where
/// it is taken.
fn pruned(network: Network) -> SavedNetwork<f64> {
    let mut parameters = network.first_parameters::<f64>(3);
    let mut rng = stream(3, Purpose::Order, 0);
    for parameter in parameters.iter_mut().filter(|parameter| parameter.value.ndim() == 1) {
        parameter.value.mapv_inplace(|_| 0.5 + unit(&mut rng));
    }
    for channels in network.channels() {
        let weight = &mut parameters[channels.taken_by].value;
        for channel in (0..channels.count).filter(|_| uniform(&mut rng, 3) == 0) {
            for feature in channel * channels.features..(channel + 1) * channels.features {
                weight.index_axis_mut(Axis(1), feature).fill(0.0);
            }
        }
    }
    let weights = WeightSet::new(&parameters, Prunable::Weights);
    let alive = weights.gather(&parameters).iter().map(|&w| w != 0.0).collect();
    SavedNetwork { network, parameters, weights, alive, has_masks: true, batches: 7, encoding: None }
}

fn small(name: &str) -> Network {
    let input = if name == "lenet" { [3, 16, 16] } else { [1, 8, 8] };
    find(name).unwrap().network(input, 10).unwrap()
}

/// What a network says of two images.
fn logits(network: &Network, parameters: &Parameters<f64>) -> ArrayD<f64> {
    let mut rng = stream(5, Purpose::Order, 0);
    let [c, h, w] = network.input;
    let x = ArrayD::from_shape_simple_fn(vec![2, c, h, w], || unit(&mut rng) - 0.5);
    let mut tape = Tape::new(Kernel::Literal);
    let pass = network.forward(&mut tape, parameters, x, Mode::Evaluation, None).unwrap();
    tape.take(pass.logits)
}

/// A sequence of layers, residual blocks, inverted ones with depthwise convolutions: fewer parameters and operations, the same
/// numbers. (What is gone was multiplied by 0, and the sums' other terms keep their order.)
#[test]
fn a_shrunken_network_says_the_same() {
    for name in ["lenet300", "lenet", "resnet20", "mobilenetv2"] {
        let saved = pruned(small(name));
        let before = logits(&saved.network, &saved.parameters);
        let (whole, channels) = (saved.network.clone(), saved.network.channels());
        let Shrunk { saved, narrowed, held } = shrink(saved).unwrap();
        assert_eq!(logits(&saved.network, &saved.parameters), before, "{name}");
        let macs = |network: &Network| network.summary::<f64>(2).unwrap().macs;
        assert!(macs(&saved.network) < macs(&whole), "{name}");
        assert_eq!(saved.alive.len(), saved.weights.len());
        assert_eq!(saved.weights.len(), saved.weights.gather(&saved.parameters).len());
        for narrowed in &narrowed {
            assert!(0 < narrowed.after && narrowed.after < narrowed.before, "{name}: {narrowed}");
        }
        assert!(!narrowed.is_empty() && narrowed.len() <= channels.len() && held.is_empty(), "{name}");
        // Nothing is left to remove.
        assert!(shrink(saved).is_err(), "{name}");
    }
}

/// By hand: of LeNet-300-100 with three hidden features of fc2's input, and one of fc3's, that are 0.
#[test]
fn what_goes_is_a_layers_outputs_and_the_nexts_inputs() {
    let network = small("lenet300");
    let mut saved = pruned(network.clone());
    saved.parameters = network.first_parameters(0);
    let weights = saved.parameters.clone();
    let zero = |parameters: &mut Parameters<f64>, name: &str, j: usize| {
        let parameter = parameters.iter_mut().find(|p| p.name == name).unwrap();
        parameter.value.index_axis_mut(Axis(1), j).fill(0.0);
    };
    [0, 7, 299].into_iter().for_each(|j| zero(&mut saved.parameters, "fc2.weight", j));
    zero(&mut saved.parameters, "fc3.weight", 50);
    zero(&mut saved.parameters, "fc1.weight", 63);
    let Shrunk { saved, narrowed, held } = shrink(saved).unwrap();
    let told: Vec<String> = narrowed.iter().chain(&held).map(ToString::to_string).collect();
    assert_eq!(told, ["3 of 300 of `fc2.weight`", "1 of 100 of `fc3.weight`", "1 of 64 of `fc1.weight`"]);
    let shape = |name: &str| saved.parameters.get(name).unwrap().value.shape().to_vec();
    let shapes = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias", "fc3.weight", "fc3.bias"].map(shape);
    assert_eq!(shapes, [vec![297, 64], vec![297], vec![99, 297], vec![99], vec![10, 99], vec![10]]);
    let of = |parameters: &Parameters<f64>, at: [usize; 2]| parameters.get("fc2.weight").unwrap().value[at];
    assert_eq!(of(&saved.parameters, [50, 6]), of(&weights, [51, 8]));
}

/// Where all of a layer's inputs are 0, one stays: a layer without outputs is none.
#[test]
fn one_channel_stays() {
    let mut saved = pruned(small("lenet300"));
    saved.parameters.iter_mut().find(|p| p.name == "fc2.weight").unwrap().value.fill(0.0);
    let before = logits(&saved.network, &saved.parameters);
    let Shrunk { saved, narrowed, .. } = shrink(saved).unwrap();
    assert_eq!((narrowed[0].before, narrowed[0].after), (300, 1));
    assert_eq!(logits(&saved.network, &saved.parameters), before);
}

/// What cannot go is told by name: the image's own channels, and what a shortcut takes too.
#[test]
fn what_cannot_be_shrunk_is_named() {
    let mut saved = pruned(small("resnet20"));
    saved.parameters = saved.network.first_parameters(0);
    for name in ["layer1.1.conv1.weight", "linear.weight"] {
        let parameter = saved.parameters.iter_mut().find(|p| p.name == name).unwrap();
        parameter.value.index_axis_mut(Axis(1), 2).fill(0.0);
    }
    let Err(error) = shrink(saved) else { panic!("there is nothing to remove") };
    let told = error.to_string();
    assert!(told.contains("none but 1 of 16 of `layer1.1.conv1.weight`, 1 of 64 of `linear.weight`"), "{told}");
    assert_eq!(error.exit_code(), 2);
}

/// Channels that one layer alone takes: all of a sequence, and what lies within residual blocks.
#[test]
fn channels_are_found_in_every_network() {
    let count = |name: &str| {
        let entry = find(name).unwrap();
        entry.network(entry.input, entry.classes).unwrap().channels().len()
    };
    // Between neighbours of a sequence: one fewer than linear and convolution layers.
    assert_eq!(["lenet300", "lenet", "vgg16", "vgg19bn"].map(count), [2, 4, 13, 16]);
    // One in each of nine basic blocks, two in each of sixteen bottlenecks; one in each of seventeen inverted residuals, and the
    // head's.
    assert_eq!(["resnet20", "resnet50", "mobilenetv2"].map(count), [9, 32, 18]);
    for entry in MODELS {
        let network = entry.network(entry.input, entry.classes).unwrap();
        let shapes: Vec<Vec<usize>> = network.specs().into_iter().map(|spec| spec.shape).collect();
        for channels in network.channels() {
            assert_eq!(shapes[channels.taken_by][1], channels.count * channels.features, "{}", entry.name);
            assert!(channels.made_by.iter().all(|&i| shapes[i][0] == channels.count), "{}", entry.name);
        }
        // As wide as it is.
        let own = |name: &str| network.specs().into_iter().find(|spec| spec.name == name).map(|spec| spec.shape);
        assert!(network.of_widths(&own).unwrap().specs() == network.specs(), "{}", entry.name);
    }
}

/// An export says how wide the layers are, and is read again as the same network; a description that does not fit its tensors
/// is refused.
#[test]
fn an_export_is_read_again() {
    let saved = shrink(pruned(small("resnet20"))).unwrap().saved;
    let before = logits(&saved.network, &saved.parameters);
    let base = tempfile::tempdir().unwrap();
    let out = base.path().join("small");
    let exported = export(&saved, Format::Safetensors, &out).unwrap();
    let file = SavedFile::open(&out.join(exported.dense.name)).unwrap();
    let description = file.description.clone().unwrap();
    assert_eq!(Some(&description), Description::of(&saved.network).as_ref());
    let json = std::fs::read_to_string(out.join("network.json")).unwrap();
    assert_eq!(serde_json::from_str::<Description>(&json).unwrap(), description);
    let again = file.read::<f64>(small("resnet20")).unwrap();
    assert_eq!(logits(&again.network, &again.parameters), before);
    let error = file.read::<f64>(small("lenet300")).err().unwrap().to_string();
    assert!(error.contains("metadata `network`") && error.contains("a lenet300 with narrower layers"), "{error}");
    // A network of its registered widths needs no description.
    assert_eq!(Description::of(&small("resnet20")), None);
}
