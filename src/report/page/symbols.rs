//! [`symbols`]: formulas in sentences.

use maud::{Markup, html};

const GREEK: [(&str, &str); 5] = [("alpha", "α"), ("lambda", "λ"), ("eps", "ε"), ("tau", "τ"), ("sigma", "σ")];

/// Words in which `W_0`, `W_k*`, `S_F` and `alpha_0` stand as they are printed. What else has an underscore is a name, and
/// stays as it is: `test_accuracy`.
pub(super) fn symbols(text: &str) -> Markup {
    html! {
        @for (i, word) in text.split(' ').enumerate() {
            @if i > 0 { " " }
            @match parts(word) {
                Some((before, symbol, index, after)) => { (before) (symbol) sub { (index) } (after) }
                None => (word),
            }
        }
    }
}

/// What stands before a symbol, the symbol, its index, and what stands after it.
fn parts(word: &str) -> Option<(&str, &str, &str, &str)> {
    let (head, tail) = word.split_once('_')?;
    let is_letter = |c: char| c.is_alphanumeric();
    let start = head.rfind(|c| !is_letter(c)).map_or(0, |at| at + head[at..].chars().next().map_or(1, char::len_utf8));
    let end = tail.find(|c| !is_letter(c) && c != '*').unwrap_or(tail.len());
    let (name, index) = (&head[start..], &tail[..end]);
    let greek = GREEK.iter().find(|(written, _)| *written == name).map(|(_, symbol)| *symbol);
    let symbol = greek.or_else(|| (name.chars().count() == 1).then_some(name))?;
    (!index.is_empty() && index.chars().count() <= 3).then_some((&head[..start], symbol, index, &tail[end..]))
}
