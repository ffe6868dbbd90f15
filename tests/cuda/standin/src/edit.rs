//! Faults planted into a kernel when it is loaded, so that tests can show what they would see. The program that is tested has
//! no part in it.
//!
//! `KERNEL: INSTRUCTION #N -> CHANGE` changes the N-th statement of that name, from 1; with `@L` for `#N` the one in line L
//! of the text. A change is `nothing` (the statement goes), another instruction's name, `swap A B` (operands, from 1),
//! `operand N = VALUE` (a register or a whole number), or `torn` (an atomic operation becomes a load, the operation and a
//! store). Several edits stand side by side with ` & ` between.

use crate::fault::{Fault, INVALID_VALUE};
use crate::ptx::{Item, Module, Operand, Statement};

#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub kernel: String,
    pub instruction: String,
    pub place: Place,
    pub change: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Nth(usize),
    Line(u32),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Nothing,
    Torn,
    Instruction(String),
    Swap(usize, usize),
    Operand(usize, Operand),
}

pub fn parse(text: &str) -> Result<Vec<Edit>, Fault> {
    text.split(" & ").filter(|text| !text.trim().is_empty()).map(one).collect()
}

fn one(text: &str) -> Result<Edit, Fault> {
    let wrong = || {
        let form = "`KERNEL: INSTRUCTION #N (or @LINE) -> nothing | torn | INSTRUCTION | swap A B | operand N = VALUE`";
        Fault::new(INVALID_VALUE, format!("STANDIN_EDIT: expected {form}, found `{text}`"))
    };
    let place = |text: &str| text.parse::<usize>().ok().filter(|&n| n > 0).ok_or_else(wrong);
    let (kernel, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (which, change) = rest.split_once("->").ok_or_else(wrong)?;
    let (instruction, at) = which.trim().split_once(' ').ok_or_else(wrong)?;
    let at = match at.split_at_checked(1) {
        Some(("#", n)) => Place::Nth(place(n)?),
        Some(("@", line)) => Place::Line(place(line)? as u32),
        _ => return Err(wrong()),
    };
    let words: Vec<&str> = change.split_whitespace().collect();
    let change = match words[..] {
        ["nothing"] => Change::Nothing,
        ["torn"] => Change::Torn,
        ["swap", a, b] => Change::Swap(place(a)?, place(b)?),
        ["operand", n, "=", value] => {
            let value = match value.parse::<i64>() {
                Ok(number) => Operand::Int(number as u64),
                Err(_) => Operand::Name(value.to_string()),
            };
            Change::Operand(place(n)?, value)
        }
        [instruction] => Change::Instruction(instruction.to_string()),
        _ => return Err(wrong()),
    };
    Ok(Edit { kernel: kernel.trim().to_string(), instruction: instruction.to_string(), place: at, change })
}

impl Edit {
    /// The line of the statement that was changed; `None` if the module has no such statement.
    pub fn apply(&self, module: &mut Module) -> Result<Option<u32>, Fault> {
        let Some(kernel) = module.functions.iter_mut().find(|function| function.name == self.kernel) else {
            return Ok(None);
        };
        let mut found = kernel.body.iter().enumerate().filter_map(|(at, item)| match item {
            Item::Statement(statement) if statement.name == self.instruction => Some((at, statement.line)),
            _ => None,
        });
        let found = match self.place {
            Place::Nth(n) => found.nth(n - 1),
            Place::Line(line) => found.find(|place| place.1 == line),
        };
        let Some((at, line)) = found else { return Ok(None) };
        let Item::Statement(statement) = &mut kernel.body[at] else { return Ok(None) };
        match &self.change {
            Change::Nothing => drop(kernel.body.remove(at)),
            Change::Torn => {
                let parts = torn(statement).ok_or_else(|| {
                    Fault::new(INVALID_VALUE, format!("STANDIN_EDIT: `{}` cannot be torn", self.instruction))
                })?;
                kernel.body.splice(at..=at, parts);
            }
            Change::Instruction(name) => statement.name.clone_from(name),
            Change::Swap(a, b) => {
                self.has(statement, (*a).max(*b))?;
                statement.operands.swap(a - 1, b - 1);
            }
            Change::Operand(n, value) => {
                self.has(statement, *n)?;
                // Of an address the offset, or the register that it is in.
                statement.operands[n - 1] = match (&statement.operands[n - 1], value) {
                    (Operand::Address(base, _), Operand::Int(offset)) => Operand::Address(base.clone(), *offset as i64),
                    (Operand::Address(_, offset), name) => Operand::Address(Box::new(name.clone()), *offset),
                    _ => value.clone(),
                };
            }
        }
        Ok(Some(line))
    }

    fn has(&self, statement: &Statement, operands: usize) -> Result<(), Fault> {
        if statement.operands.len() >= operands {
            return Ok(());
        }
        let text = format!("STANDIN_EDIT: `{}` has {} operands", self.instruction, statement.operands.len());
        Err(Fault::new(INVALID_VALUE, text))
    }
}

/// An update that is not one: what others write between the load and the store is lost.
fn torn(statement: &Statement) -> Option<Vec<Item>> {
    let parts: Vec<&str> = statement.name.split('.').collect();
    let ([_, space, operation, kind], [.., address, value]) = (&parts[..], &statement.operands[..]) else {
        return None;
    };
    let name = format!("%torn{}", statement.line);
    let there = Operand::Name(name.clone());
    let computed = match *operation {
        "exch" => format!("mov.{kind}"),
        operation => format!("{operation}.{kind}"),
    };
    let mut operands = vec![there.clone(), there.clone(), value.clone()];
    if *operation == "exch" {
        operands.remove(1);
    }
    let step = |name: String, operands| {
        Item::Statement(Statement { line: statement.line, guard: statement.guard.clone(), name, operands })
    };
    let mut items = vec![
        Item::Register { kind: format!(".{kind}"), name, count: None },
        step(format!("ld.{space}.{kind}"), vec![there.clone(), address.clone()]),
    ];
    if let ("atom", Some(old)) = (parts[0], statement.operands.first()) {
        items.push(step(format!("mov.{kind}"), vec![old.clone(), there.clone()]));
    }
    items.push(step(computed, operands));
    items.push(step(format!("st.{space}.{kind}"), vec![address.clone(), there]));
    Some(items)
}
