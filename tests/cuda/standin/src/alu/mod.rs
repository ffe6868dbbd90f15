//! What the instructions between registers compute, a file per kind. `arithmetic` answers with the instruction, or with `None`
//! if no file knows the name: then the launch fails and says so.

mod approximate;
mod bits;
mod compare;
mod convert;
mod float;
mod integer;
pub mod round;

pub use approximate::SEED;

use crate::decode::Names;
use crate::fault::Fault;
use crate::ptx::Operand;
use crate::registers::Alu;

/// The instruction `name` (its parts between the dots) with its operands.
pub fn arithmetic(parts: &[&str], operands: &[Operand], names: &mut Names) -> Result<Option<Alu>, Fault> {
    for of_kind in [integer::decode, bits::decode, float::decode, convert::decode, compare::decode, approximate::decode]
    {
        if let Some(alu) = of_kind(parts, operands, names)? {
            return Ok(Some(alu));
        }
    }
    Ok(None)
}
