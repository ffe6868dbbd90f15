//! What the names in a kernel's text stand for: registers, constants, parameters, memory.

use std::collections::HashMap;

use super::Globals;
use crate::fault::{Fault, INVALID_PTX};
use crate::kernel::{Constant, Kernel, Special, Step};
use crate::ptx::{bytes_of, Function, Operand, Variable};
use crate::registers::{Mask, Register, Registers, Value};

/// Bytes between shared variables that belong to none: an access that runs over an end is seen.
const GAP: usize = 64;

/// What an address of shared or local memory is as a generic one.
pub const SHARED_WINDOW: u64 = 1 << 60;
pub const LOCAL_WINDOW: u64 = 2 << 60;

pub struct Names<'a> {
    globals: &'a Globals,
    function: &'a Function,
    /// Inner scopes last.
    scopes: Vec<Scope>,
    counts: [usize; 3],
    constants: Vec<(Register, Constant)>,
    specials: Vec<(usize, Special)>,
    /// Addresses of shared and local variables.
    memory: HashMap<String, u64>,
    shared: usize,
    shared_variables: Vec<(usize, usize)>,
    dynamic: Option<String>,
    local: usize,
    /// Registers that a parameter was loaded into, and those of them that are used as addresses.
    loaded: HashMap<Register64, usize>,
    addresses: Vec<bool>,
}

type Register64 = usize;

#[derive(Default)]
struct Scope {
    single: HashMap<String, Register>,
    /// prefix, kind, first, count.
    many: Vec<(String, Register, u64)>,
}

/// A predicate as a source.
#[derive(Clone, Copy)]
pub enum Truth {
    Register(usize, bool),
    Always(Mask),
}

impl Truth {
    #[inline]
    pub fn of(self, registers: &Registers) -> Mask {
        match self {
            Truth::Register(at, false) => registers.predicates[at],
            Truth::Register(at, true) => !registers.predicates[at],
            Truth::Always(mask) => mask,
        }
    }
}

impl<'a> Names<'a> {
    pub fn new(function: &'a Function, globals: &'a Globals) -> Self {
        Names {
            globals,
            function,
            scopes: vec![Scope::default()],
            counts: [0; 3],
            constants: Vec::new(),
            specials: Vec::new(),
            memory: HashMap::new(),
            shared: 0,
            shared_variables: Vec::new(),
            dynamic: None,
            local: 0,
            loaded: HashMap::new(),
            addresses: vec![false; function.params.len()],
        }
    }

    pub fn open(&mut self) {
        self.scopes.push(Scope::default());
    }

    pub fn close(&mut self) {
        self.scopes.pop();
    }

    /// The next `count` registers of a kind, of which the first is returned.
    fn fresh(&mut self, kind: &str, count: usize) -> Option<Register> {
        let (file, make): (usize, fn(usize) -> Register) = match kind {
            ".pred" => (2, Register::Predicate),
            _ => match bytes_of(kind)? {
                8 => (1, Register::R64),
                _ => (0, Register::R32),
            },
        };
        let first = self.counts[file];
        self.counts[file] += count;
        Some(make(first))
    }

    pub fn declare(&mut self, kind: &str, name: &str, count: Option<u64>) -> Result<(), Fault> {
        let wrong = || Fault::new(INVALID_PTX, format!("registers of a kind that is not known, `{kind}`"));
        let first = self.fresh(kind, count.unwrap_or(1) as usize).ok_or_else(wrong)?;
        let scope = self.scopes.last_mut().ok_or_else(wrong)?;
        match count {
            None => drop(scope.single.insert(name.to_string(), first)),
            Some(count) => scope.many.push((name.to_string(), first, count)),
        }
        Ok(())
    }

    pub fn variable(&mut self, variable: &Variable) {
        let Variable { space, name, align, size, .. } = variable;
        if space == ".local" {
            let at = self.local.next_multiple_of(*align);
            self.local = at + size;
            self.memory.insert(name.clone(), at as u64);
        } else if *size == 0 {
            self.dynamic = Some(name.clone());
        } else {
            let at = self.shared.next_multiple_of((*align).max(8));
            self.shared_variables.push((at, at + size));
            self.shared = at + size + GAP;
            self.memory.insert(name.clone(), at as u64);
        }
    }

    /// Where dynamic shared memory begins.
    fn dynamic_at(&self) -> usize {
        self.shared.next_multiple_of(16)
    }

    pub fn register(&self, name: &str) -> Option<Register> {
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (prefix, number) = name.split_at(name.len() - digits);
        self.scopes.iter().rev().find_map(|scope| {
            if let Some(register) = scope.single.get(name) {
                return Some(*register);
            }
            let number: u64 = number.parse().ok()?;
            let (_, first, _) = scope.many.iter().find(|(many, _, count)| many == prefix && number < *count)?;
            Some(match *first {
                Register::R32(at) => Register::R32(at + number as usize),
                Register::R64(at) => Register::R64(at + number as usize),
                Register::Predicate(at) => Register::Predicate(at + number as usize),
            })
        })
    }

    pub fn expect_register(&self, operand: &Operand) -> Result<Register, Fault> {
        match operand {
            Operand::Name(name) => {
                self.register(name).ok_or_else(|| Fault::new(INVALID_PTX, format!("no register `{name}`")))
            }
            other => Err(Fault::new(INVALID_PTX, format!("expected a register, found {other:?}"))),
        }
    }

    /// The number of the register that an instruction of type `T` writes.
    pub fn target<T: Value>(&self, operand: &Operand) -> Result<usize, Fault> {
        if operand == &Operand::Name("_".to_string()) {
            return Err(Fault::new(INVALID_PTX, "a result that goes nowhere"));
        }
        let register = self.expect_register(operand)?;
        number_of::<T>(register, operand)
    }

    /// The number of the register that holds an operand of type `T`; constants get one of their own.
    pub fn source<T: Value>(&mut self, operand: &Operand) -> Result<usize, Fault> {
        let register = self.any_source(operand, std::mem::size_of::<T::Word>() == 8)?;
        number_of::<T>(register, operand)
    }

    pub fn any_source(&mut self, operand: &Operand, wide: bool) -> Result<Register, Fault> {
        let bits = match operand {
            Operand::Int(value) => *value,
            Operand::F32(bits) => u64::from(*bits),
            Operand::F64(bits) => *bits,
            Operand::Name(name) => {
                if let Some(register) = self.register(name) {
                    return Ok(register);
                }
                if let Some(special) = special(name) {
                    return Ok(self.special(special));
                }
                if name == "%dynamic_smem_size" {
                    return Ok(self.constant(Constant::DynamicBytes, false));
                }
                self.address_of(name).ok_or_else(|| {
                    Fault::new(INVALID_PTX, format!("the stand-in knows no register or name `{name}`"))
                })?
            }
            other => return Err(Fault::new(INVALID_PTX, format!("expected a value, found {other:?}"))),
        };
        Ok(self.constant(Constant::Bits(bits), wide))
    }

    /// The address of a variable or of a parameter, in its space.
    fn address_of(&self, name: &str) -> Option<u64> {
        if self.dynamic.as_deref() == Some(name) {
            return Some(self.dynamic_at() as u64);
        }
        let param = self.function.params.iter().find(|param| param.name == name).map(|param| param.offset as u64);
        param.or_else(|| self.memory.get(name).or_else(|| self.globals.get(name)).copied())
    }

    pub fn constant(&mut self, value: Constant, wide: bool) -> Register {
        let same = |found: &&(Register, Constant)| found.1 == value && matches!(found.0, Register::R64(_)) == wide;
        if let Some((register, _)) = self.constants.iter().find(same) {
            return *register;
        }
        let file = usize::from(wide);
        let at = self.counts[file];
        self.counts[file] += 1;
        let register = if wide { Register::R64(at) } else { Register::R32(at) };
        self.constants.push((register, value));
        register
    }

    fn special(&mut self, special: Special) -> Register {
        if let Some((at, _)) = self.specials.iter().find(|(_, found)| *found == special) {
            return Register::R32(*at);
        }
        let at = self.counts[0];
        self.counts[0] += 1;
        self.specials.push((at, special));
        Register::R32(at)
    }

    pub fn predicate(&self, operand: &Operand) -> Result<usize, Fault> {
        match self.expect_register(operand)? {
            Register::Predicate(at) => Ok(at),
            _ => Err(Fault::new(INVALID_PTX, format!("expected a predicate, found {operand:?}"))),
        }
    }

    /// A predicate as a source: `p`, `!p`, or a number.
    pub fn truth(&self, operand: &Operand) -> Result<Truth, Fault> {
        Ok(match operand {
            Operand::Not(name) => Truth::Register(self.predicate(&Operand::Name(name.clone()))?, true),
            Operand::Int(value) => Truth::Always(if *value == 0 { 0 } else { Mask::MAX }),
            _ => Truth::Register(self.predicate(operand)?, false),
        })
    }

    /// The register that holds `size` bytes of the parameters, from `offset` of the parameter `name` on.
    pub fn param(&mut self, name: &str, offset: i64, size: usize, signed: bool, wide: bool) -> Option<Register> {
        let param = self.function.params.iter().find(|param| param.name == name)?;
        let within = usize::try_from(offset).ok()?;
        if within + size > param.size {
            return None;
        }
        Some(self.constant(Constant::Param { offset: param.offset + within, size, signed }, wide))
    }

    pub fn is_param(&self, operand: &Operand) -> bool {
        matches!(operand, Operand::Name(name) if self.function.params.iter().any(|param| param.name == *name))
    }

    /// Remembers that the whole parameter `name` was loaded into `register`.
    pub fn loaded(&mut self, register: Register, name: &str) {
        let at = self.function.params.iter().position(|param| param.name == name && param.size == 8);
        if let (Register::R64(register), Some(at)) = (register, at) {
            self.loaded.insert(register, at);
        }
    }

    /// Remembers that `register` is used as an address of global memory.
    pub fn is_address(&mut self, register: Register) {
        if let Register::R64(register) = register {
            if let Some(&at) = self.loaded.get(&register) {
                self.addresses[at] = true;
            }
        }
    }

    pub fn kernel(mut self, function: &Function, steps: Vec<Step>) -> Kernel {
        let dynamic = self.dynamic.is_some().then(|| self.dynamic_at());
        self.addresses.shrink_to_fit();
        Kernel {
            name: function.name.clone(),
            param_bytes: function.params.last().map_or(0, |param| param.offset + param.size),
            params: function.params.clone(),
            addresses: self.addresses,
            max_threads: function.max_threads,
            shared: self.shared,
            shared_variables: self.shared_variables,
            dynamic,
            local: self.local,
            r32: self.counts[0],
            r64: self.counts[1],
            predicates: self.counts[2],
            constants: self.constants,
            specials: self.specials,
            steps,
        }
    }
}

fn number_of<T: Value>(register: Register, operand: &Operand) -> Result<usize, Fault> {
    match (register, std::mem::size_of::<T::Word>()) {
        (Register::R32(at), 4) | (Register::R64(at), 8) => Ok(at),
        _ => Err(Fault::new(INVALID_PTX, format!("{operand:?} is a register of another size than the instruction's"))),
    }
}

fn special(name: &str) -> Option<Special> {
    let (name, axis) = name.split_once('.')?;
    let axis = ["x", "y", "z"].iter().position(|known| *known == axis)?;
    Some(match name {
        "%tid" => Special::Thread(axis),
        "%ntid" => Special::Threads(axis),
        "%ctaid" => Special::Block(axis),
        "%nctaid" => Special::Blocks(axis),
        _ => return None,
    })
}
