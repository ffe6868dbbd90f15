//! Closed sets of named choices: one definition gives the type, its names in files, and its option's values.

/// A closed set of named choices: how it is called in files and on the command line.
pub trait Choice: Copy + std::str::FromStr<Err = crate::Error> + std::fmt::Display + Send + Sync + 'static {
    /// The key in files; the option is the same with dashes.
    const KEY: &'static str;
    /// The names of all choices, the default first.
    const NAMES: &'static [&'static str];
}

/// Defines an enum whose variants have stable names in files and on the command line; the first is the default.
macro_rules! choice {
    ($(#[$doc:meta])* $Type:ident, $key:literal: $($(#[$variant_doc:meta])* $Variant:ident = $name:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
        pub enum $Type {
            #[default]
            $($(#[$variant_doc])* #[serde(rename = $name)] $Variant),+
        }

        impl $Type {
            /// Every choice, the default first.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),+];

            /// The name in files and on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name),+ }
            }
        }

        impl $crate::choice::Choice for $Type {
            const KEY: &'static str = $key;
            const NAMES: &'static [&'static str] = &[$($name),+];
        }

        impl std::str::FromStr for $Type {
            type Err = $crate::Error;
            fn from_str(name: &str) -> $crate::Result<Self> {
                match name {
                    $($name => Ok(Self::$Variant),)+
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
