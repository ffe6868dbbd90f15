//! `docs/equations/`, compiled: the worked example of every chapter runs as a doctest.

/// One module a chapter, each carrying its text.
macro_rules! chapters {
    ($($name:ident),+ $(,)?) => {
        $(#[doc = include_str!(concat!("../../docs/equations/", stringify!($name), ".md"))] pub mod $name {})+
    };
}

chapters! {
    eq01, eq02, eq03, eq04, eq05, eq06, eq07, eq08, eq09, eq10, eq11,
    alg4, alg5, alg6,
}
