//! Every registered network is documented with its sizes.

use gdstar::nn::models::MODELS;
use gdstar::report::thousands;

#[test]
fn every_model_is_documented_with_its_sizes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/models.md");
    let page = std::fs::read_to_string(path).unwrap();
    for entry in MODELS {
        let summary = entry.network(entry.input, entry.classes).unwrap().summary::<f32>(128).unwrap();
        let [parameters, prunable, macs] = [summary.parameters, summary.prunable, summary.macs].map(thousands);
        let row = format!("| {} | {parameters} | {prunable} | {macs} |", entry.name);
        assert!(page.contains(&row), "docs/models.md lacks {row}");
        // The table of memory begins with what `gdstar models` prints for batch 128.
        let bytes = [summary.parameter_bytes, summary.gradient_bytes, summary.activation_bytes, summary.step_bytes()];
        let bytes = bytes.map(|bytes| indicatif::HumanBytes(bytes as u64).to_string());
        let row = format!("| {} | {} |", entry.name, bytes.join(" | "));
        assert!(page.contains(&row), "docs/models.md lacks {row}");
    }
}
