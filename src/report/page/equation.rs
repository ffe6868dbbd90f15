//! The paper's equations, as MathML.

use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};
use maud::{Markup, PreEscaped, html};

/// The chapters of the equations, each of which begins with its LaTeX.
const CHAPTERS: [&str; 11] = [
    include_str!("../../../docs/equations/eq01.md"),
    include_str!("../../../docs/equations/eq02.md"),
    include_str!("../../../docs/equations/eq03.md"),
    include_str!("../../../docs/equations/eq04.md"),
    include_str!("../../../docs/equations/eq05.md"),
    include_str!("../../../docs/equations/eq06.md"),
    include_str!("../../../docs/equations/eq07.md"),
    include_str!("../../../docs/equations/eq08.md"),
    include_str!("../../../docs/equations/eq09.md"),
    include_str!("../../../docs/equations/eq10.md"),
    include_str!("../../../docs/equations/eq11.md"),
];

/// The equation of this number, below its name; nothing where there is none.
pub(super) fn equation(number: usize) -> Markup {
    let Some((name, latex)) = parts(number) else { return html! {} };
    html! {
        figure class="equation" {
            figcaption { (name) }
            @match mathml(latex) {
                Some(mathml) => (PreEscaped(mathml)),
                None => code { (latex) },
            }
        }
    }
}

/// The equation of this number in LaTeX, as its chapter begins with it.
pub fn latex(number: usize) -> Option<&'static str> {
    parts(number).map(|(_, latex)| latex)
}

/// `# Eq. 2: accumulated squared gradients`, and what stands between the first `$$`.
fn parts(number: usize) -> Option<(&'static str, &'static str)> {
    let chapter = CHAPTERS.get(number.checked_sub(1)?)?;
    let name = chapter.strip_prefix("# ")?.lines().next()?;
    Some((name, chapter.split("$$").nth(1)?.trim()))
}

/// A formula in LaTeX as MathML; `None` if it is none.
pub fn mathml(latex: &str) -> Option<String> {
    let converter = LatexToMathML::new(MathCoreConfig::default()).ok()?;
    converter.convert_with_local_state(latex, MathDisplay::Block).ok().map(|converted| converted.mathml)
}
