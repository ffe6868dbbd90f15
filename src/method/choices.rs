//! [`Choices`]: a method is five choices, and nothing else.

/// The choices that make a method, each in a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choices {
    /// By what weights are compared.
    pub score: &'static str,
    /// When something is done, and how much.
    pub schedule: &'static str,
    /// How much of it each layer bears.
    pub distribution: &'static str,
    /// What is kept or dropped together.
    pub structure: &'static str,
    /// What happens to weights, masks and momentum.
    pub update: &'static str,
}

impl Choices {
    /// The names of the five.
    pub const NAMES: [&'static str; 5] = ["score", "schedule", "distribution", "structure", "update"];

    /// Of a method that has yet to say: no test passes it.
    pub(super) const UNSAID: Self = Self { score: "", schedule: "", distribution: "", structure: "", update: "" };

    /// The five, in that order.
    pub fn five(&self) -> [&'static str; 5] {
        [self.score, self.schedule, self.distribution, self.structure, self.update]
    }
}

pub(super) const WEIGHTS: &str = "weights";
pub(super) const GROUPS: &str = "weights, channels, blocks, n:m";
pub(super) const SHARED: &str = "global, uniform, erk, er or given";
pub(super) const GROWN: &str = "erk, er, uniform or given";
