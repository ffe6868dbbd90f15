//! The options that single methods declare as their own ([`METHODS`]).

use crate::error::{Error, Result};
use crate::method::{METHODS, Method, MethodOption};
use crate::train::Config;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

/// What is given of them, by key.
#[derive(Debug, Clone, Default)]
pub struct MethodOptions(Vec<(&'static str, String)>);

/// Keys for which the command line has an option already, of the paper's or of all methods: what is given there is the method's where it has such
/// an option ([`TrainArgs::apply`](super::TrainArgs)).
const OF_THE_PAPER_TOO: [&str; 3] = ["lambda", "initial_weights", "target_sparsity"];

/// Every such option with the methods that have it, in the order of the list.
fn declared() -> Vec<(&'static MethodOption, Vec<Method>)> {
    let mut all: Vec<(&MethodOption, Vec<Method>)> = Vec::new();
    for &method in METHODS {
        for option in method.entry().options.iter().filter(|option| !OF_THE_PAPER_TOO.contains(&option.key)) {
            match all.iter_mut().find(|(known, _)| known.key == option.key) {
                Some((_, methods)) => methods.push(method),
                None => all.push((option, vec![method])),
            }
        }
    }
    all
}

fn long(key: &str) -> String {
    key.replace('_', "-")
}

fn names(methods: &[Method]) -> String {
    methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl MethodOptions {
    /// Whether this option is given.
    pub fn gives(&self, key: &str) -> bool {
        self.0.iter().any(|(given, _)| *given == key)
    }

    /// The keys of the options that are given.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(key, _)| *key)
    }

    /// `config` with every option that was given.
    ///
    /// # Errors
    /// [`Error::Domain`] naming an option that the method has not, with a method that has it, or whose value is none of
    /// its domain.
    pub fn apply(&self, config: &mut Config) -> Result<()> {
        for (key, text) in &self.0 {
            let option = format!("--{}", long(key));
            let Some(declared) = config.method.entry().options.iter().find(|declared| declared.key == *key) else {
                let owners = declared().into_iter().find(|(declared, _)| declared.key == *key);
                let owners = names(&owners.map(|(_, methods)| methods).unwrap_or_default());
                let expected = format!("--method {owners}, which has this option");
                return Err(Error::domain(option, expected, format!("--method {}", config.method)));
            };
            config.options.set(key, declared.domain.parse(&option, text)?);
        }
        Ok(())
    }
}

impl FromArgMatches for MethodOptions {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let given =
            |(option, _): (&MethodOption, _)| Some((option.key, matches.get_one::<String>(option.key)?.clone()));
        Ok(Self(declared().into_iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for MethodOptions {
    fn augment_args(command: Command) -> Command {
        declared().into_iter().fold(command, |command, (option, methods)| {
            let help = format!("{} ({})", option.help, names(&methods));
            let arg = Arg::new(option.key).long(long(option.key)).help(help).value_name("VALUE");
            command.arg(arg.allow_negative_numbers(true).help_heading("Single methods' own"))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
