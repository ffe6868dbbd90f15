//! From statements to a kernel that can run.

mod memory;
mod names;

pub use names::{Names, LOCAL_WINDOW, SHARED_WINDOW};

use std::collections::HashMap;

use crate::alu;
use crate::fault::{Fault, ILLEGAL_INSTRUCTION, INVALID_PTX};
use crate::kernel::{Act, Kernel, Step};
use crate::ptx::{Function, Item, Module, Operand, Statement};

/// Where a module's variables stand: name to address, and to (address, constant).
pub type Globals = HashMap<String, u64>;

/// What of the kernel is not known fails the launch: the fault names it.
pub fn decode(module: &Module, globals: &Globals, function: &Function) -> Result<Kernel, Fault> {
    let named = |fault: Fault| Fault::new(fault.code, format!("kernel `{}`: {}", function.name, fault.text));
    let mut names = Names::new(function, globals);
    for variable in module.variables.iter().filter(|variable| variable.space == ".shared") {
        names.variable(variable);
    }
    let mut steps = Vec::new();
    let mut labels = HashMap::new();
    // (step, label): branches whose targets may stand below them.
    let mut branches = Vec::new();
    for item in &function.body {
        match item {
            Item::Open => names.open(),
            Item::Close => names.close(),
            Item::Label(label) => drop(labels.insert(label.clone(), steps.len())),
            Item::Register { kind, name, count } => names.declare(kind, name, *count).map_err(named)?,
            Item::Variable(variable) => names.variable(variable),
            Item::Statement(statement) => {
                let step = step(statement, &mut names, steps.len(), &mut branches).map_err(|fault| {
                    named(Fault::new(fault.code, format!("line {}: {}", statement.line, fault.text)))
                })?;
                steps.push(step);
            }
        }
    }
    steps.push(Step { line: 0, guard: None, leader: true, act: Act::Return });
    for (from, label) in branches {
        let target =
            *labels.get(&label).ok_or_else(|| named(Fault::new(INVALID_PTX, format!("no label `{label}`"))))?;
        steps[from].act = Act::Branch(target);
        steps[target].leader = true;
        steps[from + 1].leader = true;
    }
    for at in 1..steps.len() {
        steps[at].leader |= matches!(steps[at - 1].act, Act::Barrier | Act::Return);
    }
    Ok(names.kernel(function, steps))
}

fn step(
    statement: &Statement,
    names: &mut Names,
    at: usize,
    branches: &mut Vec<(usize, String)>,
) -> Result<Step, Fault> {
    let guard = match &statement.guard {
        Some((name, negated)) => Some((names.predicate(&Operand::Name(name.clone()))?, *negated)),
        None => None,
    };
    let parts: Vec<&str> = statement.name.split('.').collect();
    let unknown = || Fault::new(ILLEGAL_INSTRUCTION, format!("the stand-in knows no instruction `{}`", statement.name));
    let act = match (&parts[..], &statement.operands[..]) {
        (["bra"] | ["bra", "uni"], [Operand::Name(label)]) => {
            branches.push((at, label.clone()));
            Act::Nothing
        }
        (["ret"] | ["ret", "uni"] | ["exit"], []) => Act::Return,
        (["trap"], []) => Act::Trap,
        (["bar" | "barrier", "sync"] | ["barrier", "sync", "aligned"], [Operand::Int(0)]) => Act::Barrier,
        (["membar" | "fence", ..], []) => Act::Nothing,
        (["ld" | "ldu" | "st" | "atom" | "red", ..], operands) => {
            memory::decode(&parts, operands, names)?.ok_or_else(unknown)?
        }
        (["cvta", ..], operands) => memory::convert(&parts, operands, names)?.ok_or_else(unknown)?,
        (_, operands) => {
            // Each instruction reads what it needs by place: all known ones have two operands at least.
            if operands.len() < 2 {
                return Err(unknown());
            }
            let mut padded = operands.to_vec();
            // A fourth operand of `setp` has a meaning of its own.
            let places = if parts[0] == "setp" { 3 } else { 4 };
            padded.resize(operands.len().max(places), Operand::Name("(nothing)".to_string()));
            let alu = alu::arithmetic(&parts, &padded, names)?;
            Act::Alu(alu.ok_or_else(unknown)?)
        }
    };
    Ok(Step { line: statement.line, guard, leader: false, act })
}
