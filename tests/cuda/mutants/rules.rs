//! What is done to the kernels.

use super::statements::Statement;

/// Which of a kernel's statements that a rule fits it is applied to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Each,
    First,
    Last,
}

/// Of which number system's kernels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    Both,
    /// Of one, which takes turns.
    InTurn,
    /// Of f32, and of f64 where f32 computes in no wider type: what is computed in double-double has many steps whose result is
    /// mostly nothing.
    Plain,
}

/// A kind of fault.
pub struct Rule {
    pub name: &'static str,
    pub what: &'static str,
    which: Which,
    pub forms: Forms,
    /// The change, as the stand-in reads it; `None` for a statement that the rule does not fit.
    /// The second argument is all that the kernel has.
    change: fn(&Statement, &[Statement]) -> Option<String>,
    /// A kernel, and a test of it, that every run of the tests shows the fault with.
    pub shown_in: &'static str,
    pub shown_by: &'static str,
}

impl Rule {
    /// The statements that are changed, with their changes.
    pub fn chosen<'a>(&self, statements: &'a [Statement]) -> Vec<(&'a Statement, String)> {
        let mut fits: Vec<_> = statements
            .iter()
            .filter_map(|statement| Some((statement, (self.change)(statement, statements)?)))
            .collect();
        match self.which {
            Which::Each => fits,
            Which::First => fits.into_iter().take(1).collect(),
            Which::Last => fits.split_off(fits.len().saturating_sub(1)),
        }
    }
}

pub const RULES: &[Rule] = &[
    Rule {
        name: "barrier",
        what: "a barrier is left out",
        which: Which::Each,
        forms: Forms::Both,
        change: |statement, _| (statement.name == "bar.sync").then(|| "nothing".to_string()),
        shown_in: "matmul",
        shown_by: "kernels::products",
    },
    Rule {
        name: "guard",
        what: "the first bound is one too far",
        which: Which::First,
        forms: Forms::InTurn,
        change: |statement, _| {
            let others =
                [("setp.ge.s64", "setp.gt.s64"), ("setp.lt.s64", "setp.le.s64"), ("setp.gt.s64", "setp.ge.s64")];
            others.iter().find(|(name, _)| statement.name == *name).map(|(_, other)| other.to_string())
        },
        shown_in: "relu_values",
        shown_by: "kernels::pointwise",
    },
    Rule {
        name: "block",
        what: "every block takes itself for the first",
        which: Which::First,
        forms: Forms::InTurn,
        change: |statement, _| operand(statement, "%ctaid.x", 0),
        shown_in: "add_values",
        shown_by: "kernels::pointwise",
    },
    Rule {
        name: "thread",
        what: "every thread takes itself for the first",
        which: Which::First,
        forms: Forms::InTurn,
        change: |statement, _| operand(statement, "%tid.x", 0),
        shown_in: "add_values",
        shown_by: "kernels::pointwise",
    },
    Rule {
        name: "stride",
        what: "blocks go on as if there were one",
        which: Which::First,
        forms: Forms::InTurn,
        // A minimum that is taken twice is the same.
        change: |statement, all| {
            let writes = all.iter().filter(|other| other.name.starts_with("st.") || atomic(other));
            let are_minima = |other: &Statement| other.name.starts_with("atom.global.min.");
            if writes.clone().all(are_minima) { None } else { operand(statement, "%nctaid.x", 1) }
        },
        shown_in: "add_values",
        shown_by: "kernels::pointwise",
    },
    Rule {
        name: "torn update",
        what: "an atomic operation is a load, the operation, a store",
        which: Which::Each,
        forms: Forms::Both,
        change: |statement, _| atomic(statement).then(|| "torn".to_string()),
        shown_in: "count_digits",
        shown_by: "kernels::order_statistics",
    },
    Rule {
        name: "lost update",
        what: "an atomic operation is left out",
        which: Which::Each,
        forms: Forms::Both,
        change: |statement, _| atomic(statement).then(|| "nothing".to_string()),
        shown_in: "count_digits",
        shown_by: "kernels::order_statistics",
    },
    Rule {
        name: "lost result",
        what: "the last store is left out",
        which: Which::Last,
        forms: Forms::InTurn,
        change: |statement, _| statement.name.starts_with("st.").then(|| "nothing".to_string()),
        shown_in: "matmul",
        shown_by: "kernels::products",
    },
    Rule {
        name: "size",
        what: "elements are taken for twice as long",
        which: Which::First,
        forms: Forms::InTurn,
        change: |statement, _| {
            let [_, _, length] = &statement.operands[..] else { return None };
            let length: u64 = length.parse().ok()?;
            match statement.name.as_str() {
                "shl.b64" if length <= 3 => Some(format!("operand 3 = {}", length + 1)),
                "mul.wide.u32" | "mul.wide.s32" if length == 4 || length == 8 => {
                    Some(format!("operand 3 = {}", 2 * length))
                }
                _ => None,
            }
        },
        shown_in: "mul_values",
        shown_by: "kernels::pointwise",
    },
    Rule {
        name: "place",
        what: "an offset is subtracted",
        which: Which::Last,
        forms: Forms::InTurn,
        change: |statement, _| (statement.name == "add.s64").then(|| "sub.s64".to_string()),
        shown_in: "max_pool2d",
        shown_by: "kernels::pooling",
    },
    Rule {
        name: "swapped",
        what: "the operands of a difference or quotient are exchanged",
        which: Which::First,
        forms: Forms::Plain,
        change: |statement, _| {
            let names = ["sub.rn.f32", "sub.rn.f64", "div.rn.f32", "div.rn.f64"];
            names.contains(&statement.name.as_str()).then(|| "swap 2 3".to_string())
        },
        shown_in: "batch_norm_statistics",
        shown_by: "kernels::batch_norm",
    },
    Rule {
        name: "choice",
        what: "the other of two values is chosen",
        which: Which::First,
        forms: Forms::Plain,
        change: |statement, _| {
            ["selp.f32", "selp.f64"].contains(&statement.name.as_str()).then(|| "swap 2 3".to_string())
        },
        shown_in: "relu_values",
        shown_by: "kernels::pointwise",
    },
    Rule {
        name: "rounding",
        what: "a result is cut and not rounded",
        which: Which::Last,
        forms: Forms::Plain,
        change: |statement, _| (statement.name == "cvt.rn.f32.f64").then(|| "cvt.rz.f32.f64".to_string()),
        shown_in: "matmul",
        shown_by: "kernels::products",
    },
    Rule {
        name: "sign",
        what: "a product or sum is subtracted",
        which: Which::Last,
        forms: Forms::Plain,
        change: |statement, _| {
            let others = [("add.rn.f64", "sub.rn.f64"), ("add.rn.f32", "sub.rn.f32")];
            others.iter().find(|(name, _)| statement.name == *name).map(|(_, other)| other.to_string())
        },
        shown_in: "matmul",
        shown_by: "kernels::products",
    },
    Rule {
        name: "fused",
        what: "the operands of a product and sum that are rounded once are exchanged",
        which: Which::First,
        forms: Forms::InTurn,
        change: |statement, _| statement.name.starts_with("fma.rn.").then(|| "swap 2 4".to_string()),
        shown_in: "accumulate_squares",
        shown_by: "kernels::descent",
    },
    Rule {
        name: "argument",
        what: "the next argument of the same type is taken",
        which: Which::Each,
        forms: Forms::InTurn,
        change: |statement, all| {
            let mine = parameter(statement)?;
            let same = all.iter().filter(|other| other.name == statement.name).filter_map(parameter);
            let same: Vec<&str> = same.collect();
            let next = same[(same.iter().position(|other| *other == mine)? + 1) % same.len()];
            (next != mine).then(|| format!("operand 2 = {next}"))
        },
        shown_in: "matmul",
        shown_by: "kernels::products",
    },
    Rule {
        name: "turn",
        what: "blocks go on as if there were twice as many",
        which: Which::First,
        forms: Forms::InTurn,
        // Each grid of the tests' device has two blocks at the most.
        change: |statement, _| operand(statement, "%nctaid.x", 4),
        shown_in: "add_values",
        shown_by: "kernels::pointwise",
    },
];

/// `mov.u32 r, SPECIAL`: the change to a number.
fn operand(statement: &Statement, special: &str, value: u32) -> Option<String> {
    let is_it = statement.name == "mov.u32" && statement.operands.get(1).is_some_and(|operand| operand == special);
    is_it.then(|| format!("operand 2 = {value}"))
}

/// The parameter that is loaded as a whole.
fn parameter(statement: &Statement) -> Option<&str> {
    let whole = statement.operands.get(1)?.strip_prefix('[')?.strip_suffix(']')?;
    (statement.name.starts_with("ld.param.") && whole.contains("_param_") && !whole.contains('+')).then_some(whole)
}

fn atomic(statement: &Statement) -> bool {
    statement.name.starts_with("atom.") || statement.name.starts_with("red.")
}
