//! The fuzz targets without a fuzzer: their seeds, and seeded mutations of the seeds.

#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;

use gdstar::random::uniform;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::path::PathBuf;

type Body = fn(&[u8]) -> bool;

/// Every target of `fuzz/`, and how many mutated inputs it is given: fewer where one takes long.
const TARGETS: [(&str, Body, usize); 23] = [
    ("idx", bodies::idx::run, 20_000),
    ("image", bodies::image::run, 10_000),
    ("cifar10", bodies::cifar10::run, 20_000),
    ("cifar10_archive", bodies::cifar10_archive::run, 2_000),
    ("annotations", bodies::annotations::run, 20_000),
    ("digits", bodies::digits::run, 20_000),
    ("quantile", bodies::quantile::run, 20_000),
    ("selection", bodies::selection::run, 20_000),
    ("config", bodies::config::run, 20_000),
    ("op_cases", bodies::op_cases::run, 20_000),
    ("checkpoint", bodies::checkpoint::run, 500),
    ("trace", bodies::trace::run, 20_000),
    ("step_trace", bodies::step_trace::run, 4_000),
    ("record", bodies::record::run, 500),
    ("weights", bodies::weights::run, 500),
    ("evaluate", bodies::evaluate::run, 500),
    ("metrics", bodies::metrics::run, 5_000),
    ("lottery", bodies::lottery::run, 2_000),
    ("lmc", bodies::lmc::run, 2_000),
    ("store", bodies::store::run, 2_000),
    ("table", bodies::table::run, 2_000),
    ("plot", bodies::plot::run, 500),
    ("fetch", bodies::fetch::run, 500),
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// (name, content) of a target's seeds, by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder("corpus").join(target)).unwrap();
    let read = |path: PathBuf| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap());
    let mut seeds: Vec<(String, Vec<u8>)> = entries.map(|entry| read(entry.unwrap().path())).collect();
    seeds.sort();
    seeds
}

/// `good-*` is accepted, `bad-*` is refused, and both keep the promises that the bodies assert. A file by another name
/// is one that a fuzzer left there.
#[test]
fn seeds_do_as_their_names_say() {
    for (target, run, _) in TARGETS {
        let mut seen = [0, 0];
        for (name, content) in seeds(target) {
            let accepted = run(&content);
            if name.starts_with("good-") || name.starts_with("bad-") {
                assert_eq!(accepted, name.starts_with("good-"), "{target}/{name}");
                seen[usize::from(accepted)] += 1;
            }
        }
        assert!(seen.iter().all(|&count| count >= 2), "{target}: {seen:?} seeds refused and accepted");
    }
}

/// Thousands of damaged seeds per target, the same on every machine. Some are still accepted and some are not, so
/// both sides of every body are exercised.
#[test]
fn mutated_seeds_keep_the_promises() {
    for (target, run, mutants) in TARGETS {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let seeds = seeds(target);
        let mut outcomes = [0, 0];
        for _ in 0..mutants {
            let (name, seed) = &seeds[below(&mut rng, seeds.len())];
            let mut mutant = seed.clone();
            mutate(&mut mutant, &mut rng);
            while below(&mut rng, 2) == 0 {
                mutate(&mut mutant, &mut rng);
            }
            let outcome = std::panic::catch_unwind(|| run(&mutant));
            outcomes[usize::from(outcome.unwrap_or_else(|_| panic!("{target}: from {name}: {mutant:?}")))] += 1;
        }
        assert!(outcomes.iter().all(|&count| count >= mutants / 100), "{target}: {outcomes:?} refused and accepted");
    }
}

/// A body that nothing lists would never run: the targets here are those of `fuzz/`.
#[test]
fn every_target_is_replayed() {
    let mut names: Vec<String> = std::fs::read_dir(folder("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut listed = TARGETS.map(|(name, ..)| name);
    listed.sort();
    assert_eq!(names, listed);
    let manifest = std::fs::read_to_string(folder("Cargo.toml")).unwrap();
    assert!(listed.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}

fn below(rng: &mut ChaCha8Rng, n: usize) -> usize {
    uniform(rng, n as u64) as usize
}

/// One change: an insertion, a bit, a byte, a byte from elsewhere, a run of extreme bytes, a cut, a repetition.
fn mutate(bytes: &mut Vec<u8>, rng: &mut ChaCha8Rng) {
    let kind = below(rng, 7);
    if bytes.is_empty() || kind == 0 {
        let at = below(rng, bytes.len() + 1);
        bytes.insert(at, below(rng, 256) as u8);
        return;
    }
    let at = below(rng, bytes.len());
    let length = 1 + below(rng, (bytes.len() - at).min(16));
    match kind {
        1 => bytes[at] ^= 1 << below(rng, 8),
        2 => bytes[at] = below(rng, 256) as u8,
        3 => bytes[at] = bytes[below(rng, bytes.len())],
        4 => bytes[at..at + length].fill([0, 1, 0x7f, 0x80, 0xff][below(rng, 5)]),
        5 => bytes.truncate(at),
        _ => bytes.extend_from_within(at..at + length),
    }
}
