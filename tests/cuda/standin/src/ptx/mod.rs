//! PTX as it is written: variables, kernels, statements. What the statements mean is `decode`'s.

mod parse;
mod reader;
mod tokens;

pub use parse::parse;

#[derive(Debug)]
pub struct Module {
    /// (major, minor) of the PTX language.
    pub version: (u32, u32),
    pub target: String,
    pub variables: Vec<Variable>,
    pub functions: Vec<Function>,
}

/// `.global`, `.const`, `.shared` or `.local` memory with a name.
#[derive(Clone, Debug)]
pub struct Variable {
    pub space: String,
    pub name: String,
    pub align: usize,
    /// Bytes; 0 is `.extern .shared name[]`, whose size the launch gives.
    pub size: usize,
    /// The first value; the rest is zero.
    pub data: Vec<u8>,
}

#[derive(Debug)]
pub struct Function {
    pub name: String,
    /// `.entry`: the host may launch it.
    pub entry: bool,
    pub params: Vec<Param>,
    /// `.maxntid` or `.reqntid`, if given.
    pub max_threads: Option<u64>,
    pub body: Vec<Item>,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub name: String,
    /// Bytes.
    pub size: usize,
    pub offset: usize,
}

#[derive(Debug)]
pub enum Item {
    Open,
    Close,
    Label(String),
    /// `.reg TYPE name` or `name<count>`: registers name0, name1, ..
    Register {
        kind: String,
        name: String,
        count: Option<u64>,
    },
    Variable(Variable),
    Statement(Statement),
}

#[derive(Debug)]
pub struct Statement {
    pub line: u32,
    /// `@p` or `@!p`: (the predicate, negated).
    pub guard: Option<(String, bool)>,
    pub name: String,
    pub operands: Vec<Operand>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Name(String),
    /// `!p`.
    Not(String),
    /// `p|q`.
    Pair(String, String),
    Int(u64),
    F32(u32),
    F64(u64),
    /// `[base+offset]`.
    Address(Box<Operand>, i64),
    /// `{a, b}`.
    Vector(Vec<Operand>),
}

/// Bytes of a type such as `.u64`; `None` for what has no size or is unknown.
pub fn bytes_of(kind: &str) -> Option<usize> {
    Some(match kind.trim_start_matches('.') {
        "b8" | "u8" | "s8" => 1,
        "b16" | "u16" | "s16" => 2,
        "b32" | "u32" | "s32" | "f32" => 4,
        "b64" | "u64" | "s64" | "f64" => 8,
        _ => return None,
    })
}
