//! What each parameter of a trace is to its layer, as far as the trace tells: by the built-in network that its header
//! names, else by ranks and names.
//!
//! Ranks and names are evidence, no proof: where they leave a parameter more than one role it has all of those, and
//! what depends on which is left open.

use super::DeclaredW;
use crate::nn::{Role, models};
use crate::trace::TracedParameter;
use std::collections::BTreeMap;

/// A parameter, and every role that it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) roles: &'static [Role],
}

/// The parameters of the traced network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roles {
    pub(crate) parameters: Vec<Known>,
    /// How the roles are known, for a report.
    pub(crate) evidence: String,
    /// Whether these are all parameters that the network trains.
    pub(crate) complete: bool,
}

/// Anything that is trained.
const TRAINED: &[Role] = &[Role::Weight, Role::Bias, Role::Scale, Role::Shift];

impl Roles {
    pub(crate) fn of(w: &DeclaredW) -> Self {
        Self::of_model(w).unwrap_or_else(|| Self::of_ranks_and_names(w))
    }

    /// `None` unless the header names a built-in network and every parameter of the trace is one of its.
    fn of_model(w: &DeclaredW) -> Option<Self> {
        let model = w.model?;
        let entry = models::find(model).ok()?;
        let specs = entry.network(entry.input, entry.classes).ok()?.specs();
        let roles: BTreeMap<&str, Role> = specs.iter().map(|spec| (spec.name.as_str(), spec.role)).collect();
        if !w.parameters.iter().all(|parameter| roles.contains_key(parameter.name.as_str())) {
            return None;
        }
        let known = |(name, role): (&str, Role)| Known { name: name.to_string(), roles: alone(role) };
        let parameters = roles.into_iter().map(known).collect();
        Some(Self { parameters, evidence: format!("as `{model}` has it"), complete: true })
    }

    /// W_0 is recorded of all parameters or of none, so with `init` these are all.
    fn of_ranks_and_names(w: &DeclaredW) -> Self {
        let network = Network::new(w.parameters);
        let known =
            |parameter: &TracedParameter| Known { name: parameter.name.clone(), roles: network.roles(parameter) };
        let evidence = "by its rank and name".to_string();
        Self { parameters: w.parameters.iter().map(known).collect(), evidence, complete: w.has_init }
    }
}

/// One role.
fn alone(role: Role) -> &'static [Role] {
    match role {
        Role::Weight => &[Role::Weight],
        Role::Bias => &[Role::Bias],
        Role::Scale => &[Role::Scale],
        Role::Shift => &[Role::Shift],
        Role::RunningMean | Role::RunningVariance => &[Role::RunningMean],
    }
}

/// What the last word of a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Weight,
    Bias,
    Scale,
    Shift,
    Statistic,
    Other,
}

/// A name's words: runs of letters, in small ones.
struct Name {
    word: Word,
    /// The name without its last word: what a layer's parameters have in common.
    stem: String,
    /// It speaks of a normalisation.
    normalises: bool,
    /// It speaks of a table of vectors (embeddings, positions, tokens), which is neither convolution nor linear weight.
    embeds: bool,
}

impl Name {
    fn of(name: &str) -> Self {
        let start_of_run = |end: usize| name[..end].rfind(|c: char| !c.is_alphabetic()).map(|at| after(name, at));
        let end = name.rfind(char::is_alphabetic).map_or(0, |at| after(name, at));
        let start = start_of_run(end).unwrap_or(0);
        let small = name.to_lowercase();
        let words: Vec<&str> = small.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
        let (last, layers) = words.split_last().map_or(("", &[][..]), |(last, layers)| (*last, layers));
        let averages = layers.iter().any(|word| word.contains("running") || word.contains("moving"));
        let word = match last {
            "mean" | "var" | "variance" if averages => Word::Statistic,
            "gamma" | "scale" => Word::Scale,
            "beta" | "shift" => Word::Shift,
            "b" | "biases" => Word::Bias,
            _ if last.ends_with("bias") => Word::Bias,
            "w" | "kernel" | "weights" => Word::Weight,
            _ if last.ends_with("weight") => Word::Weight,
            _ => Word::Other,
        };
        Self {
            word,
            stem: [&name[..start], &name[end..]].concat(),
            normalises: words.iter().any(|word| word.contains("norm") || ["bn", "ln", "gn"].contains(word)),
            embeds: words.iter().any(|word| {
                ["embed", "token", "position"].iter().any(|part| word.contains(part))
                    || ["emb", "pos", "wte", "wpe"].contains(word)
            }),
        }
    }
}

/// The place after the character at `at`.
fn after(name: &str, at: usize) -> usize {
    at + name[at..].chars().next().map_or(0, char::len_utf8)
}

/// All parameters' names and shapes together: what one is shows in what is beside it.
struct Network<'a> {
    parameters: Vec<(Name, &'a [usize])>,
    /// Some parameter has two axes, so shapes are the network's own and not those of flat arrays.
    has_matrices: bool,
}

impl<'a> Network<'a> {
    fn new(parameters: &'a [TracedParameter]) -> Self {
        let named = |parameter: &'a TracedParameter| (Name::of(&parameter.name), parameter.shape.as_slice());
        Self {
            parameters: parameters.iter().map(named).collect(),
            has_matrices: parameters.iter().any(|parameter| parameter.shape.len() > 1),
        }
    }

    /// The shape of what is called `word` in the layer of `name`.
    fn beside(&self, name: &Name, word: Word) -> Option<&'a [usize]> {
        let found = self.parameters.iter().find(|(other, _)| other.stem == name.stem && other.word == word);
        found.map(|(_, shape)| *shape)
    }

    /// Convolution and linear weights have at least two axes, biases and normalisations' parameters one that counts. A
    /// weight as long as the bias beside it multiplies entry by entry: a normalisation's scale.
    fn roles(&self, parameter: &TracedParameter) -> &'static [Role] {
        let (name, shape) = (Name::of(&parameter.name), parameter.shape.as_slice());
        let speaks_of_a_vector = name.normalises || !matches!(name.word, Word::Weight | Word::Other);
        let is_vector = shape.len() < 2 || (speaks_of_a_vector && is_vector(shape));
        match name.word {
            _ if !is_vector && (speaks_of_a_vector || name.embeds) => TRAINED,
            _ if !is_vector => alone(Role::Weight),
            Word::Statistic => alone(Role::RunningMean),
            Word::Bias | Word::Shift => self.bias_or_shift(&name, shape),
            _ if !self.has_matrices => TRAINED,
            Word::Scale => alone(Role::Scale),
            Word::Weight if name.normalises => alone(Role::Scale),
            Word::Weight if self.beside(&name, Word::Bias) == Some(shape) => alone(Role::Scale),
            Word::Other if name.normalises => &[Role::Scale, Role::Shift],
            Word::Weight | Word::Other => TRAINED,
        }
    }

    /// What is added: to the outputs of a matrix beside it, or to what a scale beside it has multiplied.
    fn bias_or_shift(&self, name: &Name, shape: &[usize]) -> &'static [Role] {
        let scale = self.beside(name, Word::Scale).filter(|_| self.has_matrices);
        match (self.beside(name, Word::Weight), scale) {
            (_, Some(_)) if name.word == Word::Shift => alone(Role::Shift),
            (Some(weight), _) if !is_vector(weight) => alone(Role::Bias),
            _ if name.normalises => alone(Role::Shift),
            (Some(weight), _) if weight.len() > 1 && weight != shape => alone(Role::Bias),
            (Some(weight), _) if self.has_matrices && weight == shape => alone(Role::Shift),
            (None, Some(_)) => alone(Role::Shift),
            _ => &[Role::Bias, Role::Shift],
        }
    }
}

/// At most one axis along which there is more than one entry.
fn is_vector(shape: &[usize]) -> bool {
    shape.iter().filter(|&&extent| extent > 1).count() < 2
}
