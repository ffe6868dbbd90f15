//! The same masks on the same numbers as other implementations, `golden/peers`; and where those do otherwise.

use gdstar::select::count::{Count, Minimum};
use gdstar::select::cut::{Cut, Ties, keep_among, keep_largest};
use gdstar::select::distribution::{Distribution, ErkBudget, layer_sparsities};
use gdstar::select::schedule::{Due, LastUpdate, UpdateGrid, cosine};
use gdstar::select::update::{GrowFrom, grow};
use gdstar::tensor_file::TensorFile;
use serde_json::Value;
use std::path::Path;

struct Peer {
    file: TensorFile,
    cases: Value,
}

impl Peer {
    fn open(name: &str, package: &str, version: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/peers/{name}.safetensors"));
        let file = TensorFile::open(&path).unwrap();
        let mut about: Value = serde_json::from_str(file.metadata("gdstar-peer").unwrap()).unwrap();
        assert_eq!(about["package"], package);
        assert!(about["version"].as_str().unwrap().starts_with(version), "{about}");
        Self { cases: about["cases"].take(), file }
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.file.read_floats(name, None).unwrap().into_iter().collect()
    }

    fn sizes(&self, name: &str) -> Vec<f64> {
        self.numbers(name).into_iter().map(f64::abs).collect()
    }

    fn mask(&self, name: &str) -> Vec<bool> {
        self.file.read::<u8>(name, None).unwrap().into_iter().map(|bit| bit == 1).collect()
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn active(mask: &[bool]) -> usize {
    mask.iter().filter(|&&active| active).count()
}

/// PyTorch's share is of what goes, and it rounds that to nearest, halves to even: `remove-round`.
#[test]
fn magnitude_pruning_as_pytorch_does_it() {
    let peer = Peer::open("torch", "torch", "2.");
    let (mut layers, mut levels) = (0, 0);
    for case in peer.cases.as_array().unwrap() {
        let (name, amount) = (case["name"].as_str().unwrap(), number(&case["amount"]));
        let parts: Vec<Vec<f64>> =
            (0..case["layers"].as_u64().unwrap()).map(|i| peer.sizes(&format!("{name}/weights/{i}"))).collect();
        let keys = parts.concat();
        let mut mask = vec![true; keys.len()];
        for level in 0..case["levels"].as_u64().unwrap_or(1) {
            let k = Count::RemoveRound.kept(active(&mask), amount);
            mask = keep_among(&keys, &mask, k, Cut::Exact, Ties::LowerIndex).unwrap();
            let theirs = match parts.len() {
                1 => peer.mask(&format!("{name}/mask/{level}")),
                n => (0..n).flat_map(|i| peer.mask(&format!("{name}/mask/{i}"))).collect(),
            };
            assert_eq!(mask, theirs, "{name}, level {level}");
            levels += 1;
        }
        layers += parts.len();
    }
    assert!(layers > 20 && levels > 20);
}

/// It differs from the counts that methods take from their sources: 1 of 7 less 10 %, where the floor of what goes is none
/// and the ceiling of it one.
#[test]
fn roundings_differ() {
    let peer = Peer::open("torch", "torch", "2.");
    let case = peer.cases.as_array().unwrap().iter().find(|case| case["amount"] == 0.1).unwrap();
    let mask = peer.mask(&format!("{}/mask/0", case["name"].as_str().unwrap()));
    assert_eq!((mask.len(), active(&mask)), (7, 6));
    let kept: Vec<usize> = Count::ALL.iter().map(|count| count.kept(7, 0.1)).collect();
    assert_eq!(kept, [6, 7, 6, 6], "keep-round, remove-floor, remove-ceil, remove-round");
    // It prunes a layer to nothing where all are asked for; JaxPruner and TensorFlow's toolkit keep one.
    let whole = peer.cases.as_array().unwrap().iter().find(|case| case["amount"] == 1.0).unwrap();
    let mask = peer.mask(&format!("{}/mask/0", whole["name"].as_str().unwrap()));
    assert_eq!((active(&mask), Minimum::Zero.of(0, 7), Minimum::One.of(0, 7)), (0, 0, 1));
}

/// One more, one fewer: what authors' code makes of the same k (open_lth, DropBack, GraSP), against exactly k.
#[test]
fn thresholds_keep_other_numbers() {
    let peer = Peer::open("torch", "torch", "2.");
    let keys = peer.sizes("levels/weights/0");
    for k in 1..keys.len() {
        let kept = |cut| active(&keep_largest(&keys, k, cut, Ties::LowerIndex).unwrap());
        assert_eq!(Cut::ALL.iter().map(|&cut| kept(cut)).collect::<Vec<_>>(), [k, k - 1, k, k, k + 1]);
    }
}

/// RigL's updates of a network that trains: which are due, how much goes, what is dropped and grown, and that what is dropped
/// and grown at once keeps its value.
#[test]
fn rigl_drops_and_grows_the_same() {
    let peer = Peer::open("rigl_torch", "rigl-torch", "0.5.2");
    let (cases, of) = (&peer.cases, |key: &str| peer.cases[key].as_u64().unwrap() as usize);
    let (every, end) = (of("every"), of("end"));
    let due = Due { start: every, every, end: Some(end), grid: UpdateGrid::FromStart, last: LastUpdate::Exclusive };
    let updates = cases["updates"].as_array().unwrap();
    let theirs: Vec<usize> = updates.iter().map(|update| update["c"].as_u64().unwrap() as usize).collect();
    assert_eq!((0..=24).filter(|&c| due.is_at(c)).collect::<Vec<_>>(), theirs);
    let mut regrown = 0;
    for layer in cases["layers"].as_array().unwrap() {
        // The first mask: floor(S n) go, at random.
        let start = peer.mask(&format!("start/mask/{layer}"));
        assert_eq!(active(&start), Count::RemoveFloor.kept(start.len(), number(&cases["sparsity"])));
        for (update, &c) in updates.iter().zip(&theirs) {
            let fraction = cosine((number(&cases["alpha"]), 0.0), c, end);
            assert!((fraction - number(&update["fraction"])).abs() <= 4.0 * f64::EPSILON * fraction);
            let name = |quantity: &str| format!("{c}/{quantity}/{layer}");
            let before = peer.mask(&name("mask_before"));
            let k = Count::RemoveFloor.kept(active(&before), fraction);
            let kept =
                keep_among(&peer.sizes(&name("weights_before")), &before, k, Cut::Exact, Ties::LowerIndex).unwrap();
            let growth = peer.sizes(&name("grad"));
            let mask = grow(&before, &kept, &growth, GrowFrom::InactiveAfterDrop, Ties::LowerIndex).unwrap();
            assert_eq!(mask, peer.mask(&name("mask")), "layer {layer}, c = {c}");
            let (old, new) = (peer.numbers(&name("weights_before")), peer.numbers(&name("weights_after")));
            for j in 0..mask.len() {
                let expected = if before[j] && mask[j] { old[j] } else { 0.0 };
                assert_eq!(new[j], expected, "layer {layer}, c = {c}, weight {j}");
                regrown += usize::from(before[j] && !kept[j] && mask[j]);
            }
        }
    }
    assert!(regrown > 0, "no weight was dropped and grown at once");
}

/// ERK and ER share a sparsity out alike, layers that are dense included, to the bound of the specification.
#[test]
fn erk_gives_the_same_sparsities() {
    let peer = Peer::open("fastsparse", "fastsparse", "0.0.5");
    let mut dense = 0;
    for case in peer.cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let shapes: Vec<Vec<usize>> = serde_json::from_value(case["shapes"].clone()).unwrap();
        let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let distribution: Distribution = case["distribution"].as_str().unwrap().parse().unwrap();
        let sparsity = number(&case["sparsity"]);
        let theirs = peer.numbers(name);
        // Its ER multiplies a kernel's whole size with the density of its first two axes, as here.
        let ours = layer_sparsities::<f64>(distribution, ErkBudget::Floor, &shapes, sparsity, &[]).unwrap().unwrap();
        for (l, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            assert!((a - b).abs() <= 32.0 * f64::EPSILON / 2.0, "{name}, layer {l}: {a} and {b}");
            dense += usize::from(*b == 0.0);
        }
        // GraNet budgets what is not rounded.
        let real = layer_sparsities::<f64>(distribution, ErkBudget::Real, &shapes, sparsity, &[]).unwrap().unwrap();
        assert!(ours.iter().zip(&real).all(|(a, b)| (a - b).abs() < 0.1), "{name}");
    }
    assert!(dense > 0, "no layer is dense anywhere");
}
