//! AMC: the budget, the agent's arithmetic, and what a search leaves of a network.

use crate::small::{config, digits, refused, resumes_with_the_same_bits, threads_change_nothing, train};
use gdstar::data::held_out;
use gdstar::error::Error;
use gdstar::export::shrink;
use gdstar::kernel::Kernel;
use gdstar::method::amc::{
    Agent, Budget, Chain, FEATURES, Mlp, ReplayBuffer, Search, Transition, chain, importance, kept_channels, layers,
    reward,
};
use gdstar::method::options::Value;
use gdstar::nn::models::{MODELS, find};
use gdstar::paper::reading::Prunable;
use gdstar::random::{Purpose, stream, unit};
use gdstar::scalar::{Dual, Scalar};
use gdstar::select::cut::Ties;
use gdstar::select::structure::RewardRule;
use gdstar::train::{Config, SavedNetwork};
use gdstar::weights::WeightSet;
use ndarray::{ArrayD, Axis, array};

/// The table of the chapter: three layers of 8, 20 and 10 channels.
#[test]
fn an_episode_by_hand() {
    let chain = Chain { flops: vec![1600.0, 2000.0, 400.0], buffer_flops: vec![0.0; 3] };
    let budget = Budget { preserve: 0.5, lower: 0.2 };
    // Layer 1: (1600 + 2000 / 5) a + 400 / 5 = 2000.
    let first = chain.allowed(1.0, &[1.0], &budget);
    assert_eq!(first, (2000.0 - 80.0) / 2000.0);
    assert_eq!(kept_channels(20, first, 4), 20); // 19.2, rounded to 19, up to 20
    assert_eq!(kept_channels(20, chain.allowed(0.55, &[1.0], &budget), 4), 12); // 11, up to 12
    // Layer 2, with 12 of 20 kept: (2000 * 0.6 + 400) a + 1600 * 0.6 = 2000.
    let second = chain.allowed(0.9, &[1.0, 0.6], &budget);
    assert_eq!(second, (2000.0 - 1600.0 * 0.6) / (2000.0 * 0.6 + 400.0));
    assert_eq!(kept_channels(10, second, 4), 8); // 6.5, to the even 6, up to 8
    assert_eq!(chain.cost(&[1.0, 0.6, 0.8]), 1600.0 * 0.6 + 2000.0 * 0.6 * 0.8 + 400.0 * 0.8);
    assert_eq!(chain.allowed(0.0, &[1.0, 0.6], &budget), 0.2);
    assert_eq!(reward(RewardRule::Accuracy, 0.75, 8.0), 0.75);
    assert_eq!(reward(RewardRule::ErrorLogFlops, 0.75, 1.0), -0.0);
    assert!(reward(RewardRule::ErrorLogFlops, 0.75, 100.0) < reward(RewardRule::ErrorLogFlops, 0.75, 50.0));
    // |w| over outputs, rows and columns.
    let w = array![[[[1.0, -2.0]], [[0.0, 0.5]]], [[[3.0, 0.0]], [[-0.5, 0.0]]]].into_dyn();
    assert_eq!(importance::<f64>(&w), [6.0, 1.0]);
}

/// Whatever was kept before and is wished for: where the budget can be met with the least share of all later layers, the
/// share that is allowed meets it; and it is never below the least.
#[test]
fn what_is_allowed_keeps_the_budget() {
    let mut rng = stream(0, Purpose::Order, 1);
    let mut met = 0;
    for _ in 0..1000 {
        let l = 2 + (unit(&mut rng) * 5.0) as usize;
        let mut draw = |scale: f64| (unit(&mut rng) * scale).floor();
        let chain = Chain {
            flops: (0..l).map(|_| 1.0 + draw(1000.0)).collect(),
            buffer_flops: (0..l).map(|_| draw(100.0)).collect(),
        };
        let budget = Budget { preserve: 0.3 + draw(7.0) / 10.0, lower: (1.0 + draw(4.0)) / 10.0 };
        let mut kept = vec![1.0];
        while kept.len() < l {
            let a = chain.allowed(draw(11.0) / 10.0, &kept, &budget);
            assert!((budget.lower..=1.0).contains(&a));
            kept.push(a);
            let rest = std::iter::repeat_n(budget.lower, l - kept.len());
            let cost = chain.cost(&kept.iter().copied().chain(rest).collect::<Vec<_>>());
            if a > budget.lower {
                met += 1;
                // Two sums of so many products of positive numbers, and a quotient.
                let rounding = 32.0 * l as f64 * f64::EPSILON;
                assert!(cost <= budget.preserve * chain.cost(&[]) * (1.0 + rounding), "{chain:?} {kept:?}");
            }
        }
    }
    assert!(met > 1000, "{met}");
}

/// Of every number of channels: all for the share 1, else a multiple that is at least one, as near above as there is one.
#[test]
fn counts_are_multiples() {
    for c in 1..40 {
        assert_eq!(kept_channels(c, 1.0, 8), c);
        for (round, twentieth) in [1, 3, 8].into_iter().flat_map(|round| (0..20).map(move |a| (round, a))) {
            let a = f64::from(twentieth) / 20.0;
            let d = kept_channels(c, a, round);
            assert!((1..=c).contains(&d) && (d.is_multiple_of(round) || c < round && d == c), "{c} {a} {round}: {d}");
            let wanted = (c as f64 * a).round_ties_even().max(1.0);
            assert!(d as f64 >= wanted || d == c / round * round, "{c} {a} {round}: {d}");
        }
    }
}

/// A perceptron in plain loops, in any number system: what the tape's is held against.
fn by_loops<S: Scalar>(parameters: &[ArrayD<S>], x: &[S], is_bounded: bool) -> S {
    let mut value = x.to_vec();
    for (i, layer) in parameters.chunks(2).enumerate() {
        if i > 0 {
            value.iter_mut().for_each(|x| *x = if *x > S::ZERO { *x } else { S::ZERO });
        }
        let row = |o: usize| (0..value.len()).fold(layer[1][[o]], |sum, j| sum + layer[0][[o, j]] * value[j]);
        value = (0..layer[1].len()).map(row).collect();
    }
    if is_bounded { S::ONE / (S::ONE + (-value[0]).exp()) } else { value[0] }
}

/// The gradient of `loss` at these parameters, entry by entry along each direction.
fn gradient(parameters: &[ArrayD<f64>], loss: impl Fn(&[ArrayD<Dual<f64>>]) -> Dual<f64>) -> Vec<ArrayD<f64>> {
    let still: Vec<ArrayD<Dual<f64>>> = parameters.iter().map(|p| p.mapv(Dual::constant)).collect();
    let of = |i: usize| {
        let along = (0..parameters[i].len()).map(|j| {
            let mut moving = still.clone();
            let entry = moving[i].iter_mut().nth(j).unwrap();
            *entry = Dual::new(entry.value(), 1.0);
            loss(&moving).derivative()
        });
        let along: Vec<f64> = along.collect();
        ArrayD::from_shape_vec(parameters[i].shape(), along).unwrap()
    };
    (0..parameters.len()).map(of).collect()
}

/// Adam's first step.
fn first_step(w: &[ArrayD<f64>], g: &[ArrayD<f64>], rate: f64) -> Vec<ArrayD<f64>> {
    let entry = |w: f64, g: f64| {
        let (m, v) = ((1.0 - 0.9) * g, (1.0 - 0.999) * g * g);
        w - rate * (m / (1.0 - 0.9)) / ((v / (1.0 - 0.999)).sqrt() + 1e-8)
    };
    w.iter().zip(g).map(|(w, g)| ndarray::Zip::from(w).and(g).map_collect(|&w, &g| entry(w, g))).collect()
}

fn assert_near(found: &Mlp, expected: &[ArrayD<f64>], rate: f64) {
    for (found, expected) in found.parameters.iter().zip(expected) {
        for (found, expected) in found.iter().zip(expected) {
            // Adam's first step is the rate times a quotient near 1 whatever the gradient's size, so that a gradient of 300
            // roundings moves it by as many.
            assert!((found - expected).abs() <= rate * 1e4 * f64::EPSILON + f64::EPSILON, "{found} for {expected}");
        }
    }
}

/// One step of critic, actor and what lags behind them, against loops and dual numbers: the gradient of (y - Q)^2 with y of
/// rewards less their mean (the moving average before there was any) and the lagging networks; that of -Q(s, mu(s)) with the
/// critic as it then is; Adam; and a hundredth of the way.
#[test]
fn a_step_of_the_agent_by_hand() {
    let mut rng = stream(1, Purpose::Agent, 0);
    let mut agent = Agent::new(3, 4, 100, Kernel::Literal, &mut rng);
    let (actor, critic) = (agent.actor.parameters.clone(), agent.critic.parameters.clone());
    let mut state = || (0..3).map(|_| unit(&mut rng)).collect::<Vec<f64>>();
    let last = Transition { state: state(), action: 0.25, reward: 0.9, next: None };
    let first = Transition { state: state(), action: 0.75, reward: 0.4, next: Some(last.state.clone()) };
    let batch = [first, last];
    agent.learn_from(&batch).unwrap();

    let with = |state: &[f64], action: f64| state.iter().copied().chain([action]).collect::<Vec<f64>>();
    let baseline = (0.9 + 0.4) / 2.0;
    let next = &batch[1].state;
    let to_come = by_loops(&critic, &with(next, by_loops(&actor, next, true)), false);
    let wanted = [0.4 - baseline + to_come, 0.9 - baseline];
    let constant = |x: &[f64]| x.iter().map(|&x| Dual::constant(x)).collect::<Vec<_>>();
    let half = Dual::constant(0.5);
    let of_critic = gradient(&critic, |critic| {
        let error = |(t, y): (&Transition, &f64)| {
            let d = by_loops(critic, &constant(&with(&t.state, t.action)), false) - Dual::constant(*y);
            half * d * d
        };
        batch.iter().zip(&wanted).map(error).fold(Dual::constant(0.0), |sum, x| sum + x)
    });
    let new_critic = first_step(&critic, &of_critic, 1e-3);
    assert_near(&agent.critic, &new_critic, 1e-3);
    let still: Vec<_> = agent.critic.parameters.iter().map(|p| p.mapv(Dual::constant)).collect();
    let of_actor = gradient(&actor, |actor| {
        let value = |t: &Transition| {
            let mut inputs = constant(&t.state);
            inputs.push(by_loops(actor, &inputs, true));
            -(half * by_loops(&still, &inputs, false))
        };
        batch.iter().map(value).fold(Dual::constant(0.0), |sum, x| sum + x)
    });
    assert_near(&agent.actor, &first_step(&actor, &of_actor, 1e-4), 1e-4);
    let lags = |old: &[ArrayD<f64>], new: &[ArrayD<f64>]| -> Vec<ArrayD<f64>> {
        old.iter().zip(new).map(|(old, new)| (1.0 - 0.01) * old + 0.01 * new).collect()
    };
    assert_near(&agent.lagging_critic, &lags(&critic, &agent.critic.parameters), 0.0);
    assert_near(&agent.lagging_actor, &lags(&actor, &agent.actor.parameters), 0.0);
}

/// The buffer remembers the newest; a sample has each at most once, and where there are too few any as often as it is drawn.
#[test]
fn the_buffer_forgets_the_oldest() {
    let mut buffer = ReplayBuffer::new(5);
    let transition = |i: usize| Transition { state: vec![i as f64], action: 0.0, reward: 0.0, next: None };
    let mut rng = stream(0, Purpose::Agent, 7);
    assert!(buffer.sample(3, &mut rng).is_empty());
    (0..8).for_each(|i| buffer.push(transition(i)));
    assert_eq!(buffer.len(), 5);
    let mut all: Vec<f64> = buffer.sample(5, &mut rng).iter().map(|t| t.state[0]).collect();
    all.sort_by(f64::total_cmp);
    assert_eq!(all, [3.0, 4.0, 5.0, 6.0, 7.0]);
    assert_eq!(buffer.sample(9, &mut rng).len(), 9);
}

/// Random episodes draw from all of [0, 1); later ones come nearer to what the actor says, and stay in [0, 1].
#[test]
fn noise_dies_down() {
    let mut rng = stream(2, Purpose::Agent, 0);
    let agent = Agent::new(2, 8, 10, Kernel::Literal, &mut rng);
    let state = [0.3, 0.9];
    let chosen = agent.actor.evaluate(Kernel::Literal, array![[0.3, 0.9]].into_dyn()).unwrap()[[0, 0]];
    let mut spread = |learned: Option<usize>| {
        let actions: Vec<f64> = (0..400).map(|_| agent.act(&state, learned, &mut rng).unwrap()).collect();
        assert!(actions.iter().all(|a| (0.0..=1.0).contains(a)));
        actions.iter().map(|a| (a - chosen).abs()).sum::<f64>() / 400.0
    };
    let [random, early, later, late] = [None, Some(0), Some(20), Some(100)].map(&mut spread);
    assert!(random > 0.2 && early > 0.2, "{random} {early}");
    // 0.95^20 is 0.36, 0.95^100 0.006; the mean of |normal| is 0.8 of its deviation.
    assert!(later < 0.18 && late < 0.004, "{later} {late}");
}

fn search_of(model: &str, random_episodes: usize) -> Search {
    let network = find(model).unwrap().network([1, 8, 8], 10).unwrap();
    let layers = layers(&network).unwrap();
    Search {
        chain: chain(&layers),
        layers,
        budget: Budget { preserve: 0.5, lower: 0.1 },
        channel_round: 1,
        ties: Ties::LowerIndex,
        reward_rule: RewardRule::Accuracy,
        episodes: 120,
        random_episodes,
        hidden: 32,
        seed: 0,
    }
}

/// Of LeNet-300-100: what the agent sees, in [0, 1], and no NaN where layers are alike.
#[test]
fn the_agent_sees_the_layers() {
    let search = search_of("lenet300", 0);
    assert_eq!(search.chain.flops, [64.0 * 300.0, 300.0 * 100.0, 100.0 * 10.0]);
    assert_eq!(search.layers.iter().map(|layer| layer.channels).collect::<Vec<_>>(), [64, 300, 100]);
    let state = search.layers[2].state(&search.chain, &[1.0, 0.5]);
    assert_eq!(state.len(), FEATURES);
    assert!(state.iter().all(|x| (0.0..=1.0).contains(x)), "{state:?}");
    let saved = 1.0 - search.chain.cost(&[1.0, 0.5]) / search.chain.cost(&[]);
    assert!((state[FEATURES - 3] - saved).abs() <= 4.0 * f64::EPSILON);
    assert_eq!(state[FEATURES - 2..], [0.0, 0.5]);
    for entry in MODELS {
        assert!(layers(&entry.network(entry.input, entry.classes).unwrap()).is_ok(), "{} is refused", entry.name);
    }
}

/// An agent that is paid for what it keeps of the last layer learns to keep it: its last episodes are worth more than its
/// random ones. The best episode is the first of the largest reward, and every one keeps the budget.
#[test]
fn the_agent_learns_what_pays() {
    let search = search_of("lenet300", 40);
    let network = find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
    let parameters = network.first_parameters::<f64>(0);
    let share = |weight: &ArrayD<f64>| weight.iter().filter(|w| **w != 0.0).count() as f64 / weight.len() as f64;
    let mut paid = |pruned: &gdstar::nn::Parameters<f64>| Ok(share(&pruned.get("fc3.weight").unwrap().value));
    let mut rewards = Vec::new();
    let mut told = |t: usize, episode: &gdstar::method::amc::Episode<f64>, pruned: &gdstar::nn::Parameters<f64>| {
        assert_eq!((t, episode.kept[0]), (rewards.len(), 64));
        assert!(episode.flops <= 0.5 * search.chain.cost(&[]) * 1.02, "rounded to whole channels: {}", episode.flops);
        assert_eq!(episode.accuracy, episode.kept[2] as f64 / 100.0);
        assert_eq!(share(&pruned.get("fc2.weight").unwrap().value), episode.kept[1] as f64 / 300.0);
        rewards.push(episode.reward);
        Ok(())
    };
    let best = search.run(Kernel::Fast, &parameters, &mut paid, &mut told).unwrap().unwrap();
    let most = rewards.iter().copied().fold(0.0, f64::max);
    assert_eq!((best.reward, rewards.len()), (most, 120));
    let mean = |rewards: &[f64]| rewards.iter().sum::<f64>() / rewards.len() as f64;
    assert!(mean(&rewards[100..]) > mean(&rewards[..40]) + 0.1, "{} {}", mean(&rewards[100..]), mean(&rewards[..40]));
}

/// Of networks with shortcuts, gates and concatenations: the cost is the network's, and what it is where channels are gone is what
/// the network takes that is left when they are taken out.
#[test]
fn the_cost_is_the_shrunken_networks() {
    for (model, input) in [("lenet300", [1, 8, 8]), ("resnet20", [1, 8, 8]), ("mobilenetv2", [3, 32, 32])] {
        let network = find(model).unwrap().network(input, 10).unwrap();
        let (layers, macs) = (layers(&network).unwrap(), network.summary::<f32>(2).unwrap().macs);
        let chain = chain(&layers);
        assert_eq!(chain.cost(&[]), macs as f64, "{model}");
        let mut parameters = network.first_parameters::<f32>(0);
        let mut shares = vec![1.0];
        for (l, layer) in layers.iter().enumerate().skip(1) {
            let gone = layer.channels * (1 + l % 3) / 5;
            let weight = &mut parameters[layer.parameter].value;
            (0..gone).for_each(|channel| weight.index_axis_mut(Axis(1), channel).fill(0.0));
            shares.push((layer.channels - gone) as f64 / layer.channels as f64);
        }
        let weights = WeightSet::new(&parameters, Prunable::Weights);
        let alive = vec![true; weights.len()];
        let saved = SavedNetwork { network, parameters, weights, alive, has_masks: true, batches: 0, encoding: None };
        let shrunk = shrink(saved).unwrap();
        assert_eq!(shrunk.narrowed.len(), layers.len() - 1, "{model}");
        let left = shrunk.saved.network.summary::<f32>(2).unwrap().macs as f64;
        // Two shares and two products of a term are rounded, and so are the sum of each layer's two terms and that of all.
        let rounding = (layers.len() + 8) as f64 * f64::EPSILON / 2.0;
        assert!((chain.cost(&shares) - left).abs() <= rounding * left, "{model}: {} {left}", chain.cost(&shares));
    }
}

/// A residual network is searched as any other: whole channels go from its blocks, and the rest of the run trains what is left.
#[test]
fn a_residual_network_loses_channels_of_its_blocks() {
    let options = [
        ("episodes", Value::Count(3)),
        ("random_episodes", Value::Count(2)),
        ("hidden", Value::Count(4)),
        ("channel_round", Value::Count(4)),
    ];
    let (state, records) = train::<f32>(&config("resnet20", "amc", 2, 8, &options), &digits(20, 4));
    let flops = |epoch: usize| records[epoch].numbers.real("flops").unwrap();
    assert!(flops(1) < 0.7 * flops(0), "{} of {}", flops(1), flops(0));
    let network = find("resnet20").unwrap().network([1, 8, 8], 10).unwrap();
    let mask = state.weights.mask().unwrap().to_vec();
    let takers: Vec<usize> = network.channels().iter().map(|channels| channels.taken_by).collect();
    for segment in state.weights.set().segments() {
        let loses = mask[segment.range.clone()].contains(&false);
        assert!(!loses || takers.contains(&segment.parameter), "{}", state.weights.parameters[segment.parameter].name);
    }
    let (parameters, weights) = (state.weights.parameters.clone(), state.weights.set().clone());
    let saved = SavedNetwork { network, parameters, weights, alive: mask, has_masks: true, batches: 0, encoding: None };
    let macs = shrink(saved).unwrap().saved.network.summary::<f32>(2).unwrap().macs as f64;
    // All its layers have powers of two of channels: their shares are exact.
    assert_eq!(macs, flops(1));
}

fn run(epochs: usize) -> Config {
    let options = [
        ("episodes", Value::Count(6)),
        ("random_episodes", Value::Count(3)),
        ("hidden", Value::Count(8)),
        ("channel_round", Value::Count(4)),
    ];
    config("lenet300", "amc", epochs, 16, &options)
}

/// A run trains all, searches, and trains what is left: whole channels are gone from then on, within the budget, and shrinking
/// takes them out. No step sees what the agent is judged by.
#[test]
fn a_run_searches_and_goes_on() {
    let dataset = digits(80, 20);
    let (state, records) = train::<f32>(&run(4), &dataset);
    let whole = 64.0 * 300.0 + 300.0 * 100.0 + 1000.0;
    let flops: Vec<f64> = records.iter().map(|record| record.numbers.real("flops").unwrap()).collect();
    assert_eq!((flops[0], flops[1], records[1].sparsity), (whole, whole, 0.0));
    assert!(flops[2] == flops[3] && flops[3] < 0.55 * whole, "{flops:?}");
    assert!(records[3].sparsity > 0.0 && records[3].effective_flops <= records[0].effective_flops);
    let (parameters, mask) = (state.weights.parameters.clone(), state.weights.mask().unwrap().to_vec());
    let values = state.weights.values();
    assert!(values.iter().zip(&mask).all(|(&w, &alive)| alive || w == 0.0));
    let network = find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
    let saved = SavedNetwork {
        network,
        parameters,
        weights: state.weights.set().clone(),
        alive: mask,
        has_masks: true,
        batches: 0,
        encoding: None,
    };
    let shrunk = shrink(saved).unwrap();
    let macs = shrunk.saved.network.summary::<f32>(2).unwrap().macs;
    assert_eq!(macs as f64, flops[3]);
    assert!(shrunk.saved.alive.iter().all(|&alive| alive), "nothing that is left is 0");
    let out = held_out(80, 8, 0);
    assert!(out.len() == 8 && out.is_sorted() && held_out(80, 8, 1) != out);
}

#[test]
fn it_resumes_and_threads_change_nothing() {
    let dataset = digits(80, 20);
    resumes_with_the_same_bits::<f32>(&run(4), &dataset);
    threads_change_nothing::<f32>(&run(2), &dataset);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let dataset = digits(20, 2);
    for (key, value, told) in [
        ("held_out", Value::Real(1.0), "--held-out: expected a share that leaves at least 1 of 20 training images"),
        ("held_out", Value::Real(0.001), "--held-out"),
        ("search_at", Value::Name("100%".to_string()), "--search-at: expected at most 3, where the last epoch begins"),
        ("flops", Value::List(vec![Value::Count(1); 3]), "--flops: expected 19200,30000,1000, the network's own"),
        ("preserve", Value::Real(1.5), "--preserve"),
        ("channel_round", Value::Count(0), "--channel-round"),
    ] {
        let error = refused(&config("lenet300", "amc", 2, 8, &[(key, value)]), &dataset);
        assert!(error.contains(told), "{error}");
    }
}

/// A search can be stopped from outside between two episodes.
#[test]
fn a_search_can_be_stopped() {
    let search = search_of("lenet300", 40);
    let network = find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
    let parameters = network.first_parameters::<f64>(0);
    let mut stopped = |_: &gdstar::nn::Parameters<f64>| Err(Error::Interrupted { epoch: 3 });
    let ended = search.run(Kernel::Literal, &parameters, &mut stopped, &mut |_, _, _| Ok(()));
    assert!(matches!(ended, Err(Error::Interrupted { epoch: 3 })));
}
