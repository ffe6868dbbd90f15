//! LayerDrop: which residual layers a step leaves out, and what that does to the step.

use crate::small::{config, digits, refused, resumes_with_the_same_bits, threads_change_nothing, train};
use gdstar::kernel::Kernel;
use gdstar::method::options::Value;
use gdstar::nn::models::{MODELS, find};
use gdstar::nn::{Changes, Mode, Network, Parameters};
use gdstar::random::{Purpose, stream, unit};
use gdstar::tape::Tape;
use gdstar::train::{Step, evaluate};
use ndarray::ArrayD;

fn resnet20() -> Network {
    find("resnet20").unwrap().network([1, 8, 8], 10).unwrap()
}

fn images(n: usize) -> ArrayD<f64> {
    let mut rng = stream(1, Purpose::Order, 0);
    ArrayD::from_shape_simple_fn(vec![n, 1, 8, 8], || unit(&mut rng))
}

/// The logits of a training pass in which these layers are active.
fn logits(active: Option<Vec<bool>>, parameters: &Parameters<f64>) -> ArrayD<f64> {
    let network = Network { changes: Changes { active, ..Changes::default() }, ..resnet20() };
    let mut tape = Tape::new(Kernel::Literal);
    let pass = network.forward(&mut tape, parameters, images(4), Mode::Training, None).unwrap();
    tape.take(pass.logits)
}

/// The nine residual layers of ResNet-20, two of which change the shape of what goes through them.
#[test]
fn layers_with_an_identity_shortcut_can_be_left_out() {
    let layers = resnet20().residual_layers();
    let can: Vec<bool> = layers.iter().map(|layer| layer.can_be_left_out).collect();
    assert_eq!(can, [true, true, true, false, true, true, false, true, true]);
    let specs = resnet20().specs();
    let second = &specs[layers[1].parameters.clone()];
    assert_eq!((&second[0].name[..], second.len()), ("layer1.1.conv1.weight", 2 * 5));
    assert!(second.iter().all(|spec| spec.name.starts_with("layer1.1.")));
    let with: Vec<&str> = MODELS
        .iter()
        .filter(|entry| {
            let network = entry.network(entry.input, entry.classes).unwrap();
            network.residual_layers().iter().any(|layer| layer.can_be_left_out)
        })
        .map(|entry| entry.name)
        .collect();
    assert_eq!(with, ["resnet18", "resnet34", "resnet50", "resnet20", "efficientnetb0", "mobilenetv2"]);
}

/// A layer that is left out gives its input: the pass is the one of a network whose layer adds nothing. Its parameters have
/// gradient 0, and its running statistics stay as they were; all others have their own.
#[test]
fn a_layer_left_out_is_the_identity() {
    let (network, out) = (resnet20(), [1, 4, 8]);
    let parameters = network.first_parameters::<f64>(0);
    let active: Vec<bool> = (0..9).map(|i| !out.contains(&i)).collect();
    let mut nothing = parameters.clone();
    for i in out.iter().flat_map(|&layer| network.residual_layers()[layer].parameters.clone()) {
        if nothing[i].role.is_trained() {
            nothing[i].value.fill(0.0);
        }
    }
    assert_eq!(logits(Some(active.clone()), &parameters), logits(None, &nothing));
    assert_ne!(logits(None, &parameters), logits(None, &nothing));
    let changed = Network { changes: Changes { active: Some(active), ..Changes::default() }, ..resnet20() };
    let labels = vec![0, 1, 2, 3];
    let step = Step::compute(&changed, Kernel::Literal, &parameters, images(4), labels, Mode::Training, None).unwrap();
    for (i, parameter) in parameters.iter().enumerate() {
        let is_out = out.iter().any(|&layer| network.residual_layers()[layer].parameters.contains(&i));
        match parameter.role.is_trained() {
            true => {
                assert_eq!(step.gradients[i].as_ref().unwrap().iter().all(|&g| g == 0.0), is_out, "{}", parameter.name)
            }
            false => assert_eq!(step.buffers[i].is_none(), is_out, "{}", parameter.name),
        }
    }
}

/// Evaluation uses all layers, whatever a network's training passes leave out.
#[test]
fn evaluation_leaves_nothing_out() {
    let parameters = resnet20().first_parameters::<f64>(0);
    let none = Network { changes: Changes { active: Some(vec![false; 9]), ..Changes::default() }, ..resnet20() };
    let of = |network: &Network| {
        let mut tape = Tape::new(Kernel::Literal);
        let pass = network.forward(&mut tape, &parameters, images(2), Mode::Evaluation, None).unwrap();
        tape.take(pass.logits)
    };
    assert_eq!(of(&resnet20()), of(&none));
}

/// The table of the chapter: three steps of seed 0 at p = 0.5.
#[test]
fn three_steps_by_hand() {
    let draws = |t: usize| {
        let mut rng = stream(0, Purpose::LayerDrop, t);
        (0..9).map(|_| unit(&mut rng)).collect::<Vec<f64>>()
    };
    let can = resnet20().residual_layers();
    let active = |t: usize| -> Vec<u8> {
        draws(t).iter().zip(&can).map(|(&u, layer)| u8::from(u > 0.5 || !layer.can_be_left_out)).collect()
    };
    let hundredths = |t: usize| draws(t).iter().map(|u| (100.0 * u).round() as u8).collect::<Vec<_>>();
    assert_eq!((hundredths(0), active(0)), (vec![58, 10, 59, 14, 54, 96, 63, 14, 9], vec![1, 0, 1, 1, 1, 1, 1, 0, 0]));
    assert_eq!((hundredths(1), active(1)), (vec![36, 52, 58, 54, 14, 28, 37, 47, 99], vec![0, 1, 1, 1, 0, 0, 1, 0, 1]));
    assert_eq!((hundredths(2), active(2)), (vec![25, 82, 83, 4, 55, 27, 49, 79, 16], vec![0, 1, 1, 1, 1, 0, 1, 1, 0]));
    // A run of these three steps tells the mean of what was active.
    let dataset = digits(24, 4);
    let run = config("resnet20", "layerdrop", 1, 8, &[("p", Value::Real(0.5))]);
    let records = train::<f64>(&run, &dataset).1;
    let sum: u8 = (0..3).flat_map(active).sum();
    assert_eq!(records[0].numbers.real("active_layers"), Some(f64::from(sum) / 3.0));
    // What is left out is not computed.
    let dense = train::<f64>(&config("resnet20", "dense", 1, 8, &[]), &dataset).1;
    assert!(records[0].effective_flops < dense[0].effective_flops);
}

/// With p = 0 nothing is left out, and the run is the dense one.
#[test]
fn with_p_0_it_is_dense() {
    let dataset = digits(16, 4);
    let run = config("resnet20", "layerdrop", 1, 8, &[("p", Value::Real(0.0))]);
    let dense = config("resnet20", "dense", 1, 8, &[]);
    assert!(train::<f32>(&run, &dataset).0.weights.parameters == train::<f32>(&dense, &dataset).0.weights.parameters);
}

/// After the last step every second layer is gone, for good and exactly: what is left says what the whole network says without
/// them, and the sparsity is theirs.
#[test]
fn layers_are_pruned_at_the_end() {
    let dataset = digits(16, 8);
    let run = config("resnet20", "layerdrop", 2, 8, &[("prune_rate", Value::Real(0.5))]);
    let (state, records) = train::<f32>(&run, &dataset);
    assert_eq!(records[0].sparsity, 0.0);
    // Depths 2, 4, 6, 8 from 1, of which 4 has no identity shortcut.
    let gone = [1, 5, 7];
    let network = resnet20();
    let of_w =
        |i: usize| state.weights.set().segments().iter().find(|segment| segment.parameter == i).map(|s| s.range.len());
    let weights: usize =
        gone.iter().flat_map(|&l| network.residual_layers()[l].parameters.clone()).filter_map(of_w).sum();
    assert_eq!(records[1].sparsity, weights as f64 / state.weights.len() as f64);
    for (l, layer) in network.residual_layers().into_iter().enumerate() {
        let trained = layer.parameters.filter(|&i| state.weights.parameters[i].role.is_trained());
        let zeros: Vec<bool> = trained.map(|i| state.weights.parameters[i].value.iter().all(|&w| w == 0.0)).collect();
        assert_eq!(zeros.iter().all(|&zero| zero), gone.contains(&l), "layer {l}");
    }
    let part = (&dataset, gdstar::data::Split::Test);
    let accuracy = evaluate(&network, Kernel::Fast, &state.weights.parameters, part, 8).unwrap().accuracy;
    assert_eq!(records[1].test_accuracy, accuracy);
}

#[test]
fn it_resumes_and_threads_change_nothing() {
    let dataset = digits(24, 4);
    let run = config("resnet20", "layerdrop", 2, 8, &[("prune_rate", Value::Real(0.4))]);
    resumes_with_the_same_bits::<f32>(&run, &dataset);
    threads_change_nothing::<f32>(&run, &dataset);
}

/// What cannot be run is refused in a line, before anything is done.
#[test]
fn what_makes_no_sense_is_refused() {
    let dataset = digits(8, 2);
    let lenet = refused(&config("lenet300", "layerdrop", 1, 8, &[]), &dataset);
    assert!(lenet.contains("--model with --method layerdrop") && lenet.contains("found lenet300"), "{lenet}");
    for (key, value, told) in [
        ("p", Value::Real(1.0), "--p: expected a number in [0, 1)"),
        ("p", Value::Real(1.5), "--p: expected a number in [0, 1]"),
        ("prune_rate", Value::Real(0.0), "--prune-rate"),
        ("layers", Value::Count(8), "--layers: expected 9, the residual layers of the network, found 8"),
        ("droppable", Value::List(vec![Value::Count(1); 9]), "1 at the most where 1,1,1,0,1,1,0,1,1 has it"),
        ("droppable", Value::List(vec![Value::Count(0); 3]), "--droppable: expected 9 flags"),
    ] {
        let error = refused(&config("resnet20", "layerdrop", 1, 8, &[(key, value)]), &dataset);
        assert!(error.contains(told), "{error}");
    }
}
