//! The sizes that docs/exchange.md tells.

use super::pruned;
use gdstar::export::{Format, export};
use gdstar::nn::models;
use gdstar::paper::reading::Prunable;
use gdstar::report::thousands;
use gdstar::tensor_file::TensorFile;
use gdstar::train::SavedNetwork;
use gdstar::weights::WeightSet;
use safetensors::tensor::Dtype;
use std::path::Path;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exchange.md");

/// LeNet-300-100 for the digits, first weights, of which `living` are alive, evenly spread.
fn lenet(living: usize) -> SavedNetwork<f32> {
    let network = models::find("lenet300").unwrap().network([1, 8, 8], 10).unwrap();
    let mut parameters = network.first_parameters(0);
    let weights = WeightSet::new(&parameters, Prunable::Weights);
    let n = weights.len();
    let alive: Vec<bool> = (0..n).map(|i| i * living / n != (i + 1) * living / n).collect();
    weights.for_each_mut(&mut parameters, |segment, values| {
        let alive = &alive[segment.range.clone()];
        values.iter_mut().zip(alive).filter(|(_, alive)| !**alive).for_each(|(w, _)| *w = 0.0);
    });
    SavedNetwork { network, parameters, weights, alive, ..pruned() }
}

/// The bytes of a file's tensors.
fn tensors(path: &Path) -> usize {
    let file = TensorFile::open(path).unwrap();
    let bytes = |(dtype, shape): (Dtype, &[usize])| shape.iter().product::<usize>() * dtype.bitsize() / 8;
    file.names().map(|name| bytes(file.describe(name).unwrap())).sum()
}

/// Every row of the table is what an export comes to, and so is what is said of gzip.
#[test]
fn the_documented_sizes_are_those_of_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let docs = std::fs::read_to_string(DOCS).unwrap();
    let mut rows = Vec::new();
    for living in [50_200, 25_100, 5_020, 2_510] {
        let out = folder.path().join(living.to_string());
        let exported = export(&lenet(living), Format::Safetensors, &out).unwrap();
        let [dense, masks, csr] =
            [&exported.dense, &exported.masks, &exported.csr].map(|file| tensors(&out.join(&file.name)));
        let share = |bytes: usize| format!("{:.0} %", 100.0 * bytes as f64 / dense as f64);
        let gzipped = exported.dense_gzip as usize;
        rows.push(format!(
            "| {} | {:.0} % | {} | {} | {} ({}) | {} |",
            thousands(living),
            100.0 * exported.sparsity,
            thousands(dense),
            thousands(masks),
            thousands(csr),
            share(csr),
            share(gzipped),
        ));
        assert!(gzipped < csr, "{gzipped} bytes of gzip, {csr} of CSR");
        assert!(docs.contains(&format!("{:.2} % for LeNet-300-100", 100.0 * exported.break_even)));
    }
    let rows = rows.join("\n");
    assert!(docs.contains(&rows), "docs/exchange.md lacks the rows\n{rows}");
}
