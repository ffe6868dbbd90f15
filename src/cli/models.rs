//! `gdstar models [NAME]`.

use crate::error::Result;
use crate::nn::Role;
use crate::nn::models::{self, MODELS};
use crate::report::thousands;

/// List the networks, or one network's layers.
#[derive(Debug, clap::Args)]
pub struct ModelsArgs {
    /// A network's name; all networks are listed without it
    name: Option<String>,
}

pub fn run(args: &ModelsArgs) -> Result<()> {
    match &args.name {
        Some(name) => layers(name),
        None => list(),
    }
}

fn list() -> Result<()> {
    println!("{:<12} {:>14} {:>14} {:>16}  source", "model", "parameters", "prunable", "MACs a sample");
    for entry in MODELS {
        let network = entry.network(entry.input, entry.classes)?;
        let size = |role: fn(Role) -> bool| -> usize {
            network.specs().iter().filter(|s| role(s.role)).map(|s| s.shape.iter().product::<usize>()).sum()
        };
        let macs: usize = network.summary()?.iter().map(|layer| layer.macs).sum();
        println!(
            "{:<12} {:>14} {:>14} {:>16}  {}",
            entry.name,
            thousands(size(Role::is_trained)),
            thousands(size(|role| role == Role::Weight)),
            thousands(macs),
            entry.source
        );
    }
    Ok(())
}

fn layers(name: &str) -> Result<()> {
    let entry = models::find(name)?;
    let network = entry.network(entry.input, entry.classes)?;
    println!("{}: {}", entry.name, entry.source);
    println!("input {:?}, {} classes\n", entry.input, entry.classes);
    println!("{:<24} {:<22} {:>16} {:>12} {:>14}", "layer", "kind", "output", "parameters", "MACs");
    let rows = network.summary()?;
    for row in &rows {
        let output = format!("{:?}", row.output);
        let (parameters, macs) = (thousands(row.parameters), thousands(row.macs));
        println!("{:<24} {:<22} {:>16} {:>12} {:>14}", row.name, row.kind, output, parameters, macs);
    }
    let total = |of: fn(&crate::nn::LayerSummary) -> usize| thousands(rows.iter().map(of).sum());
    println!("{:<24} {:<22} {:>16} {:>12} {:>14}", "total", "", "", total(|r| r.parameters), total(|r| r.macs));
    Ok(())
}
