//! Faults planted into a kernel when it is loaded, so that tests can show what they would see. The program that is tested has
//! no part in it.
//!
//! `KERNEL: INSTRUCTION #N -> CHANGE` changes the N-th statement of that name, from 1. A change is `nothing` (the statement
//! goes), another instruction's name, `swap A B` (operands, from 1), or `operand N = VALUE` (a register or a whole number).
//! Several edits stand side by side with ` & ` between.

use crate::fault::{Fault, INVALID_VALUE};
use crate::ptx::{Item, Module, Operand, Statement};

#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub kernel: String,
    pub instruction: String,
    pub nth: usize,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Nothing,
    Instruction(String),
    Swap(usize, usize),
    Operand(usize, Operand),
}

pub fn parse(text: &str) -> Result<Vec<Edit>, Fault> {
    text.split(" & ").filter(|text| !text.trim().is_empty()).map(one).collect()
}

fn one(text: &str) -> Result<Edit, Fault> {
    let wrong = || {
        let form = "`KERNEL: INSTRUCTION #N -> nothing | INSTRUCTION | swap A B | operand N = VALUE`";
        Fault::new(INVALID_VALUE, format!("STANDIN_EDIT: expected {form}, found `{text}`"))
    };
    let place = |text: &str| text.parse::<usize>().ok().filter(|&n| n > 0).ok_or_else(wrong);
    let (kernel, rest) = text.split_once(':').ok_or_else(wrong)?;
    let (which, change) = rest.split_once("->").ok_or_else(wrong)?;
    let (instruction, nth) = which.trim().split_once(" #").ok_or_else(wrong)?;
    let words: Vec<&str> = change.split_whitespace().collect();
    let change = match words[..] {
        ["nothing"] => Change::Nothing,
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
    Ok(Edit { kernel: kernel.trim().to_string(), instruction: instruction.to_string(), nth: place(nth)?, change })
}

impl Edit {
    /// The line of the statement that was changed; `None` if the module has no such statement.
    pub fn apply(&self, module: &mut Module) -> Result<Option<u32>, Fault> {
        let Some(kernel) = module.functions.iter_mut().find(|function| function.name == self.kernel) else {
            return Ok(None);
        };
        let is_it = |item: &Item| matches!(item, Item::Statement(statement) if statement.name == self.instruction);
        let places = kernel.body.iter().enumerate().filter(|(_, item)| is_it(item));
        let Some(at) = places.map(|(at, _)| at).nth(self.nth - 1) else { return Ok(None) };
        let Item::Statement(statement) = &mut kernel.body[at] else { return Ok(None) };
        let line = statement.line;
        match &self.change {
            Change::Nothing => drop(kernel.body.remove(at)),
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
