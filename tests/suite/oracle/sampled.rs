//! Traces of a sample of the weights, and masks in bits: correct ports never fail, planted slips are caught as far as a
//! sample can show them, and a file that is not what its header says is an error.

mod malformed;
mod thin;

use super::checked::write;
use super::faults;
use super::port::{Config, Fault, Precision, Trace, header, run, serialize};
use super::variants::{random, standard};
use crate::common::page::oracle_page_holds;
use gdstar::oracle::{CheckOptions, Report, Verdict, check};
use gdstar::trace::Sample;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use thin::{Thinning, coordinates, thin};

/// What the checker says of a trace, thinned.
fn verdict(declared: &Config, trace: &Trace, thinning: Thinning) -> gdstar::Result<Report> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    let names: Vec<String> = declared.parameters.iter().map(|p| p.name.clone()).collect();
    let (header, tensors) = thin(&header(declared), &serialize(declared, trace), &names, thinning);
    write(&path, &header, &tensors);
    check(&path, &CheckOptions::default())
}

const PACKED: Thinning = Thinning { share: None, least: 0, whole_masks: true, packed: true };

/// The page's example, by the page's words and by the crate.
#[test]
fn the_hash_is_that_of_the_page() {
    let expected = coordinates("fc1.weight", 1000, 0.01, 0);
    let sample = |share| Sample { share, least: 0, has_whole_masks: true };
    assert_eq!(sample(0.01).coordinates("fc1.weight", 1000), expected);
    let page = std::fs::read_to_string([env!("CARGO_MANIFEST_DIR"), "docs", "trace.md"].iter().collect::<PathBuf>());
    let told = expected.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    assert!(page.unwrap().contains(&format!("`fc1.weight` of 1000 entries and share 0.01: {told}")), "{told}");
    // A larger share has all that a smaller one has, and a small parameter is kept whole.
    let larger = sample(0.1).coordinates("fc1.weight", 1000);
    assert!(expected.iter().all(|j| larger.contains(j)));
    let whole = Sample { least: 1000, ..sample(0.01) };
    assert_eq!(whole.coordinates("fc1.weight", 1000), (0..1000).collect::<Vec<_>>());
    let of_half = Sample { least: 500, ..sample(0.01) }.coordinates("fc1.weight", 1000);
    assert_eq!(of_half, coordinates("fc1.weight", 1000, 0.01, 500));
    assert!((400..600).contains(&of_half.len()), "{}", of_half.len());
}

/// Masks in bits say what masks in bytes say: the reports are the same but for the file's name.
#[test]
fn packed_masks_change_no_report() {
    for seed in 0..60 {
        let config = random(seed);
        let trace = run(&config, Fault::None);
        let [plain, packed] = [Thinning { packed: false, ..PACKED }, PACKED].map(|thinning| {
            let report = verdict(&config, &trace, thinning).map(|report| Report { file: String::new(), ..report });
            report.map_err(|error| error.to_string())
        });
        if packed.as_ref().is_err_and(|error| error.contains("masks in bits alone")) {
            continue;
        }
        assert_eq!(plain, packed, "seed {seed}");
    }
}

/// The promise: no sample of a correct port's trace fails, whatever its share and whatever the port records.
#[test]
fn samples_of_correct_ports_never_fail() {
    let mut passes = 0;
    let seeds = 0..240_u64;
    for seed in seeds.clone() {
        let config = random(seed);
        let thinning = Thinning {
            share: Some([0.05, 0.2, 0.5, 0.9][seed as usize % 4]),
            least: [0, 3, 40][seed as usize % 3],
            whole_masks: seed % 5 != 0,
            packed: seed % 2 == 0,
        };
        let report = verdict(&config, &run(&config, Fault::None), thinning).unwrap();
        let first = report.findings.first();
        assert_ne!(report.verdict, Verdict::Fail, "seed {seed}, {thinning:?}: {first:?}, in {config:?}");
        passes += u64::from(report.verdict == Verdict::Pass);
    }
    assert!(2 * passes >= seeds.end, "{passes} of {} pass", seeds.end);
}

/// A network that is large enough for a sample, and how it is thinned.
fn large(seed: u64, dtype: Precision) -> Config {
    let mut config = standard(seed, dtype);
    for parameter in config.parameters.iter_mut().filter(|parameter| parameter.shape.len() > 1) {
        parameter.shape[0] *= SCALE;
    }
    config
}

const SCALE: usize = 4;
const THINNED: Thinning = Thinning { share: Some(0.5), least: 16, whole_masks: true, packed: true };

/// How slips of one equation fared.
#[derive(Default)]
struct Score {
    runs: usize,
    caught: usize,
    right_equation: usize,
    told: usize,
    missed: Vec<&'static str>,
}

/// Every planted slip, on a sample.
static SCORES: LazyLock<BTreeMap<&'static str, Score>> = LazyLock::new(|| {
    let mut scores: BTreeMap<&'static str, Score> = BTreeMap::new();
    for case in faults::all() {
        let mut declared = large(12, case.dtypes[0]);
        (case.settings)(&mut declared);
        let mut actual = declared.clone();
        (case.undeclared)(&mut actual);
        let report = verdict(&declared, &run(&actual, case.fault), THINNED).unwrap();
        let score = scores.entry(case.equation).or_default();
        let first = report.findings.first().map(|finding| finding.equation);
        score.runs += 1;
        score.caught += usize::from(report.verdict == Verdict::Fail);
        score.right_equation += usize::from(first == Some(case.equation));
        score.told += usize::from(report.verdict == Verdict::Inconclusive);
        if report.verdict == Verdict::Pass {
            score.missed.push(case.name);
        }
    }
    scores
});

/// What is computed entry by entry is caught on a sample as on the whole.
#[test]
fn slips_in_entries_are_caught_on_a_sample() {
    for equation in ["eq2", "eq4", "eq5", "eq7", "eq8", "eq9", "alg4", "alg6"] {
        let Score { runs, caught, missed, .. } = &SCORES[equation];
        assert_eq!(caught, runs, "{equation}: {missed:?}");
    }
}

fn table() -> String {
    let mut text = "| equation | slips | FAIL | right equation first | INCONCLUSIVE | not seen |\n".to_string();
    text += "|---|--:|--:|--:|--:|---|\n";
    for (equation, Score { runs, caught, right_equation, told, missed }) in &*SCORES {
        let missed = if missed.is_empty() { "none".to_string() } else { missed.join("; ") };
        text += &format!("| `{equation}` | {runs} | {caught} | {right_equation} | {told} | {missed} |\n");
    }
    text
}

/// The promise: the published table is the measured one.
#[test]
fn docs_hold_the_measured_table() {
    oracle_page_holds("sampled", &table());
}

/// Of a weight that the sample does not have its mask is judged all the same.
#[test]
fn a_weight_outside_of_the_sample_is_judged_by_its_mask() {
    let declared = large(12, Precision::F32);
    let trace = run(&declared, Fault::None);
    let names: Vec<String> = declared.parameters.iter().map(|p| p.name.clone()).collect();
    let (header, mut tensors) =
        thin(&header(&declared), &serialize(&declared, &trace), &names, Thinning { packed: false, ..THINNED });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("port.safetensors");
    // A living weight that is not selected, and that the sample does not have.
    let flags: BTreeMap<&str, &[u8]> = tensors.iter().map(|(name, t)| (name.as_str(), t.bytes.as_slice())).collect();
    let outside = |name: &str| {
        let parameter = name.strip_prefix("epoch/6/mask/")?;
        let (mask, selected) = (flags[name], flags[format!("epoch/6/selected/{parameter}").as_str()]);
        let kept = coordinates(parameter, mask.len(), 0.5, 16);
        (0..mask.len()).find(|j| mask[*j] == 1 && selected[*j] == 0 && !kept.contains(j))
    };
    let (i, j) = tensors.iter().enumerate().find_map(|(i, (name, _))| Some((i, outside(name)?))).unwrap();
    tensors[i].1.bytes[j] = 0;
    write(&path, &header, &tensors);
    let report = check(&path, &CheckOptions::default()).unwrap();
    assert_eq!((report.verdict, report.findings_total), (Verdict::Fail, 1));
    assert_eq!((report.findings[0].equation, report.findings[0].got), ("alg6", 0.0));
    assert!(report.findings[0].likely_cause.as_ref().unwrap().contains("that are not selected"), "{report}");
    assert!(report.to_string().contains("sample: "), "{report}");
}
