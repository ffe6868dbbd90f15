//! A kernel ready to run: statements resolved to numbered registers, branches to numbered steps.

use crate::ptx::Param;
use crate::registers::{Alu, Register};

pub struct Kernel {
    pub name: String,
    pub params: Vec<Param>,
    /// For each parameter whether the kernel takes it for an address of global memory.
    pub addresses: Vec<bool>,
    /// Bytes of all parameters.
    pub param_bytes: usize,
    pub max_threads: Option<u64>,
    /// Bytes of shared memory that the kernel declares, with the gaps between its variables.
    pub shared: usize,
    /// (begin, end) of each shared variable; the launch's dynamic memory begins at `dynamic`.
    pub shared_variables: Vec<(usize, usize)>,
    pub dynamic: Option<usize>,
    /// Bytes of local memory of a thread.
    pub local: usize,
    /// Registers of each file.
    pub r32: usize,
    pub r64: usize,
    pub predicates: usize,
    /// Registers that hold the same for a whole launch.
    pub constants: Vec<(Register, Constant)>,
    pub specials: Vec<(usize, Special)>,
    pub steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant {
    Bits(u64),
    /// (offset, bytes) of the parameters; its sign goes on if `signed`.
    Param {
        offset: usize,
        size: usize,
        signed: bool,
    },
    /// Bytes of dynamic shared memory.
    DynamicBytes,
}

/// `%tid.x` and its like; 0, 1, 2 is x, y, z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    Thread(usize),
    Threads(usize),
    Block(usize),
    Blocks(usize),
}

pub struct Step {
    pub line: u32,
    /// (predicate, negated).
    pub guard: Option<(usize, bool)>,
    /// A branch leads here, or one stands before: threads that wait may join.
    pub leader: bool,
    pub act: Act,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    Global,
    Shared,
    Local,
    /// The launch's arguments.
    Param,
    /// Any of them, told by the address.
    Generic,
}

/// `[base + offset]`.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    pub space: Space,
    pub base: Register,
    pub offset: i64,
}

pub enum Act {
    Alu(Alu),
    /// Into each register the next `size` bytes.
    Load {
        from: Address,
        size: usize,
        signed: bool,
        cached: bool,
        to: Vec<Register>,
    },
    Store {
        to: Address,
        size: usize,
        from: Vec<Register>,
    },
    Atomic {
        at: Address,
        size: usize,
        f: fn(u64, u64, u64) -> u64,
        b: Register,
        c: Register,
        old: Option<Register>,
    },
    Branch(usize),
    Barrier,
    Return,
    Trap,
    /// Fences: the schedules let every access be seen at once.
    Nothing,
}
