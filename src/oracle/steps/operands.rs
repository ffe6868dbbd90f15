//! Operands as a mistake that is tried takes them ([`Misread`](super::misread::Misread)), and results as it changes them, whatever
//! the method's page.

use super::desk::Desk;
use super::misread::{Taken, W_0};
use super::near::{Flags, Reals};
use crate::error::Result;
use crate::oracle::claims::column_major;
use std::rc::Rc;

impl Desk<'_> {
    /// Where the tensor lies that a parameter's operand is taken from; `None` if there is none.
    fn source(&self, taken: &Taken, operand: &str, p: usize) -> Option<String> {
        let step = match taken {
            Taken::StepBefore => Some(self.t?.checked_sub(1)?),
            Taken::StepAfter => Some(self.t? + 1),
            _ => self.t,
        };
        let p = match taken {
            Taken::LayerBefore => p.checked_sub(1)?,
            Taken::LayerAfter => p + 1,
            _ => p,
        };
        let quantity = if let Taken::Other(other) = taken { other } else { operand };
        let name = &self.parameters().get(p)?.name;
        Some(match step.filter(|_| quantity != W_0) {
            Some(step) => format!("step/{step}/{quantity}/{name}"),
            None => format!("{quantity}/{name}"),
        })
    }

    /// Where the entry lies that is read for the `j`-th of a parameter's.
    fn read_at(&self, taken: &Taken, p: usize, n: usize, j: usize) -> usize {
        let shape = &self.parameters()[p].shape;
        match taken {
            Taken::ColumnMajor if shape.iter().product::<usize>() == n => column_major(j, shape),
            Taken::Backwards => n - 1 - j,
            _ => j,
        }
    }

    /// A parameter's operand as a mistake that is tried takes it; `None` if it is taken as it is, an inner one if there is nothing
    /// to take it from.
    pub(super) fn misread(&self, operand: &str, p: usize) -> Result<Option<Option<Reals>>> {
        let Some(taken) = self.taken(operand) else { return Ok(None) };
        let Some(name) = self.source(taken, operand, p) else { return Ok(Some(None)) };
        let n = self.parameters()[p].range.len();
        let found =
            self.trace.floats(&name)?.filter(|values| values.len() == n && values.iter().all(|x| x.is_finite()));
        let taken_as = |values: Vec<f64>| {
            let recorded = self.reals(&name, values);
            (0..n).map(|j| taken.of(recorded.at(self.read_at(taken, p, n, j)))).collect()
        };
        Ok(Some(found.map(taken_as)))
    }

    /// The same of a mask.
    pub(super) fn misread_mask(&self, operand: &str, p: usize) -> Result<Option<Option<Flags>>> {
        let Some(taken) = self.taken(operand) else { return Ok(None) };
        let Some(name) = self.source(taken, operand, p) else { return Ok(Some(None)) };
        let n = self.parameters()[p].range.len();
        // Other operands are numbers.
        let is_one = !matches!(taken, Taken::Other(_));
        let found = if is_one { self.trace.flags(&name)?.filter(|flags| flags.len() == n) } else { None };
        let taken_as = |flags: Vec<bool>| {
            Rc::new((0..n).map(|j| taken.of_flag(flags[self.read_at(taken, p, n, j)])).collect::<Vec<bool>>())
        };
        Ok(Some(found.map(taken_as)))
    }

    /// What a result is where a mistake that is tried changes it.
    pub(super) fn changed(&self, result: &str, expected: Reals) -> Reals {
        let Some(taken) = self.taken(result) else { return expected };
        expected.iter().map(|x| taken.of(x)).collect()
    }

    fn taken(&self, operand: &str) -> Option<&Taken> {
        self.rules.misread.as_ref().filter(|misread| misread.operand == operand).map(|misread| &misread.taken)
    }
}
