//! Closed sets of named choices: one definition gives the type, its names in files, and its option's values.

/// A closed set of named choices: how it is called in files and on the command line.
pub trait Choice: Copy + std::str::FromStr<Err = crate::Error> + std::fmt::Display + Send + Sync + 'static {
    /// The key in files; the option is the same with dashes.
    const KEY: &'static str;
    /// The names of all choices, the default first.
    const NAMES: &'static [&'static str];
}

/// The name that was probably meant: one that begins so, or else the one that the fewest letters put in, left out or changed
/// make of it, at most two.
///
/// ```
/// use gdstar::choice::near;
/// assert_eq!(near("lenet30", &["lenet", "lenet300", "vgg16"]), Some("lenet300"));
/// assert_eq!(near("vgg", &["lenet", "lenet300", "vgg16"]), Some("vgg16"));
/// assert_eq!(near("mobile", &["lenet", "vgg16"]), None);
/// ```
pub fn near<'n>(name: &str, names: &[&'n str]) -> Option<&'n str> {
    let begins = names.iter().find(|known| !name.is_empty() && known.starts_with(name));
    let close = names.iter().filter(|known| edits(name, known) <= 2).min_by_key(|known| edits(name, known));
    begins.or(close).copied()
}

/// Levenshtein's distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// Defines an enum whose variants have stable names in files and on the command line; the first is the default. Those `with` a
/// feature are there where it is built.
macro_rules! choice {
    (
        $(#[$doc:meta])* $Type:ident, $key:literal:
        $($(#[$variant_doc:meta])* $Variant:ident = $name:literal $(with $feature:literal)?),+ $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
        pub enum $Type {
            #[default]
            $($(#[$variant_doc])* $(#[cfg(feature = $feature)])? #[serde(rename = $name)] $Variant),+
        }

        impl $Type {
            /// Every choice, the default first.
            pub const ALL: &'static [Self] = &[$($(#[cfg(feature = $feature)])? Self::$Variant),+];

            /// The name in files and on the command line.
            pub fn name(self) -> &'static str {
                match self { $($(#[cfg(feature = $feature)])? Self::$Variant => $name),+ }
            }
        }

        impl $crate::choice::Choice for $Type {
            const KEY: &'static str = $key;
            const NAMES: &'static [&'static str] = &[$($(#[cfg(feature = $feature)])? $name),+];
        }

        impl std::str::FromStr for $Type {
            type Err = $crate::Error;
            fn from_str(name: &str) -> $crate::Result<Self> {
                match name {
                    $($(#[cfg(feature = $feature)])? $name => Ok(Self::$Variant),)+
                    _ => Err($crate::Error::domain(
                        $key,
                        <Self as $crate::choice::Choice>::NAMES.join(" | "),
                        format!("`{name}`"),
                    )),
                }
            }
        }

        impl std::fmt::Display for $Type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}
pub(crate) use choice;
