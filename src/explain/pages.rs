//! The equations, each with an epoch's numbers put in.

mod shown;

use super::watch::{Moment, Watched};
use crate::error::{Error, Result};
use crate::paper::reading::Reading;
use crate::paper::{EQUATIONS, Equation};

/// What is told of one equation or algorithm.
pub struct Page {
    /// As in [`EQUATIONS`].
    pub number: &'static str,
    pub section: &'static str,
    /// What it is for, and why it is so.
    pub idea: &'static str,
    /// The file, from the crate's root.
    pub source: &'static str,
    /// The numbers of the open points that touch it.
    pub points: &'static [usize],
    /// The epoch's numbers.
    shows: fn(&Watched, &Moment) -> Result<Vec<String>>,
}

/// In the order in which an epoch comes to them.
pub static PAGES: &[Page] = &[
    Page {
        number: "Eq. 1",
        section: "3.1",
        idea: "One way to say how large an epoch's gradients are: the sum of their sizes, in which opposite signs do not cancel. The \
               method goes on with squares: |x| has a corner at 0.",
        source: "src/paper/gradient_norm.rs",
        points: &[7],
        shows: shown::eq1,
    },
    Page {
        number: "Eq. 2",
        section: "3.1",
        idea: "Every weight's squared gradients, added up over the epoch's batches. A weight whose G stays small has had no say in \
               the loss for a whole epoch, whatever its size; squares, so that gradients of both signs do not cancel.",
        source: "src/paper/gradient_norm.rs",
        points: &[7, 14],
        shows: shown::eq2,
    },
    Page {
        number: "Eq. 3",
        section: "3.1",
        idea: "All of G in one number. It grows with the square of the gradients, which hides what changes in late epochs (Fig. 6).",
        source: "src/paper/gradient_norm.rs",
        points: &[2],
        shows: shown::eq3,
    },
    Page {
        number: "Eq. 4",
        section: "3.1",
        idea: "The root gives the gradients' own scale back: the Frobenius norm of all gradients of the epoch, how much was left to learn.",
        source: "src/paper/gradient_norm.rs",
        points: &[],
        shows: shown::eq4,
    },
    Page {
        number: "Alg. 4",
        section: "3.1",
        idea: "The epoch with the smallest S_F so far is the rewind point k*, the steadiest one yet, and its weights W_k* are what \
               selected weights return to. W_0 would undo all that was learned since.",
        source: "src/paper/rewind.rs",
        points: &[1, 8, 9, 15],
        shows: shown::alg4,
    },
    Page {
        number: "Eq. 8",
        section: "3.2",
        idea: "How large a share of the weights is selected. It begins high and ends low: as fewer weights live, \
               each of them matters more.",
        source: "src/paper/schedule.rs",
        points: &[1],
        shows: shown::eq8,
    },
    Page {
        number: "Eq. 6",
        section: "3.2",
        idea: "The alpha-quantile of G, chunk by chunk: a threshold that follows the gradients' own size, which no fixed number could.",
        source: "src/paper/quantile/chunked.rs",
        points: &[3, 4, 7, 26, 28],
        shows: shown::eq6,
    },
    Page {
        number: "Eq. 7",
        section: "3.2",
        idea: "The threshold is the mean of the chunks' quantiles.",
        source: "src/paper/quantile/chunked.rs",
        points: &[],
        shows: shown::eq7,
    },
    Page {
        number: "Eq. 5",
        section: "3.2",
        idea: "Selected is what lies strictly below: a weight whose G equals tau is not.",
        source: "src/paper/selection.rs",
        points: &[5, 7],
        shows: shown::eq5,
    },
    Page {
        number: "Alg. 5",
        section: "3.2",
        idea: "Eq. 8, 6, 7 and 5, one after the other.",
        source: "src/paper/selection.rs",
        points: &[],
        shows: shown::alg5,
    },
    Page {
        number: "Eq. 9",
        section: "3.3",
        idea: "A selected weight is not removed: it returns to what it was at the rewind point, times lambda to the power of the epochs \
               since. If it matters, training takes it away from there; if it does not, it shrinks every time, until it is below eps.",
        source: "src/paper/decay.rs",
        points: &[10, 11],
        shows: shown::eq9,
    },
    Page {
        number: "Alg. 6",
        section: "3.3",
        idea: "Eq. 9 for every selected weight; those below eps are eliminated, for good.",
        source: "src/paper/decay.rs",
        points: &[12, 13, 27],
        shows: shown::alg6,
    },
    Page {
        number: "Eq. 10",
        section: "A.4",
        idea: "What sorting C chunks instead of all of G saves in comparisons.",
        source: "src/paper/cost.rs",
        points: &[28],
        shows: shown::eq10,
    },
    Page {
        number: "Eq. 11",
        section: "A.4",
        idea: "What holding one chunk at a time saves in memory.",
        source: "src/paper/cost.rs",
        points: &[28],
        shows: shown::eq11,
    },
];

/// The page that `text` names: `eq6`, `Eq. 6`, `alg4`.
///
/// # Errors
/// [`Error::Domain`] naming them all.
pub fn find(text: &str) -> Result<&'static Page> {
    let plain = |text: &str| text.to_lowercase().replace(['.', ' '], "");
    PAGES.iter().find(|page| plain(page.number) == plain(text)).ok_or_else(|| {
        let names: Vec<String> = EQUATIONS.iter().map(|equation| plain(equation.number)).collect();
        Error::domain("EQUATION", format!("{}, or rewind", names.join(", ")), format!("`{text}`"))
    })
}

/// The pages with the numbers of the last epoch that was watched, in paragraphs.
///
/// # Errors
/// [`Error::Domain`] if no epoch was; those of the equations.
pub fn tour(pages: &[&Page], seen: &Watched) -> Result<String> {
    let moment = seen.last()?;
    let pages: Vec<String> = pages.iter().map(|page| page.text(seen, moment)).collect::<Result<_>>()?;
    Ok(pages.join("\n\n"))
}

impl Page {
    /// The line of [`EQUATIONS`].
    fn equation(&self) -> Option<&'static Equation> {
        EQUATIONS.iter().find(|equation| equation.number == self.number)
    }

    fn text(&self, seen: &Watched, moment: &Moment) -> Result<String> {
        let computes = self.equation().map_or("", |equation| equation.computes);
        let mut lines = vec![format!("{} (section {}): {computes}", self.number, self.section), self.idea.to_string()];
        lines.extend((self.shows)(seen, moment)?.into_iter().map(|line| format!("  {line}")));
        if let Some(equation) = self.equation() {
            lines.push(format!("  code: {} in {}", equation.function, self.source));
        }
        for &point in self.points {
            lines.push(format!("  open point {point}: {}", open_point(point, &seen.reading)));
        }
        Ok(lines.join("\n"))
    }
}

/// An open point and the choice on it.
fn open_point(point: usize, reading: &Reading) -> String {
    match point {
        1 => format!("epochs are counted from {}", reading.epoch_origin),
        2 => "the right-hand side of Eq. 3 is read as the sum of G".to_string(),
        3 => format!("between two values the quantile is read as `{}`", reading.quantile),
        4 => format!("chunks are cut `{}`", reading.chunking),
        5 => "ties at the threshold are not selected".to_string(),
        7 => format!("the gradient of an eliminated weight is `{}`", reading.masked_gradient),
        8 => format!("W_k* is captured `{}`", reading.rewind_update),
        9 => format!("W_k* is kept as `{}`", reading.rewind_copy),
        10 => format!("the decay step t is `{}`", reading.decay_step),
        11 => format!("the threshold eps can eliminate `{}` weights", reading.threshold),
        12 => "an eliminated weight does not come back at a later rewind".to_string(),
        13 => format!("the momentum of a pruned weight: `{}`", reading.momentum_on_prune),
        14 => format!("the gradient in G is that of `{}`", reading.gradient),
        15 => "before the first update W_k* is W_0".to_string(),
        26 => "G is flattened in the order of the parameters, each row-major".to_string(),
        27 => "a rewind touches W alone, no bias and no momentum".to_string(),
        28 => "C is a preset of the network".to_string(),
        _ => "see docs/open-points.md".to_string(),
    }
}
