//! `docs/equations/` and `docs/open-points.md` as pages of this documentation; the worked example of every chapter runs
//! as a doctest.
//!
//! A chapter names its links, and says at its end which file each leads to. Here the names come first with what they are
//! in the crate: of two definitions of a name, the first holds.

/// One module a chapter, each carrying its text.
macro_rules! chapters {
    ($($name:ident = $file:literal),+ $(,)?) => {
        $(
            #[doc = include_str!("chapters/links.md")]
            #[doc = include_str!(concat!("../../docs/", $file))]
            pub mod $name {}
        )+
    };
}

chapters! {
    eq01 = "equations/eq01.md",
    eq02 = "equations/eq02.md",
    eq03 = "equations/eq03.md",
    eq04 = "equations/eq04.md",
    eq05 = "equations/eq05.md",
    eq06 = "equations/eq06.md",
    eq07 = "equations/eq07.md",
    eq08 = "equations/eq08.md",
    eq09 = "equations/eq09.md",
    eq10 = "equations/eq10.md",
    eq11 = "equations/eq11.md",
    alg4 = "equations/alg4.md",
    alg5 = "equations/alg5.md",
    alg6 = "equations/alg6.md",
    open_points = "open-points.md",
}
