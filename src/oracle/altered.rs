//! An epoch seen otherwise: what a claim would allow if one of its operands, or of what the header declares, were another. Tried
//! of every operand, whatever the claim, where none of the claim's own known mistakes explains what the port has.

use super::claims::{Claim, Judged, OTHERWISE, Otherwise, column_major, reading};
use super::epoch::Recorded;
use super::field::Field;
use super::interval::{Decision, Interval};
use super::outcome::{Cause, MOST_TRIED, Outcome, Worth};
use super::seen::{Operands, Seen};
use crate::error::Result;
use crate::paper::Hyperparameters;
use crate::paper::reading::{CHOICES, Reading};
use crate::trace::{Header, TracedParameter};
use half::{bf16, f16};

/// What a claim looks at, as it is changed.
#[derive(Clone)]
struct View {
    header: Header,
    recorded: Recorded,
    known: Operands,
}

/// One change.
struct Way<'a> {
    /// Whose tensor it changes: a claim on that tensor itself is not told by it.
    operand: &'static str,
    told: String,
    change: Box<dyn Fn(&mut View) + 'a>,
}

/// How a value of the epoch before is told.
const STALE: &str = "is that of the epoch before: stale";

/// What explains all that was found of a claim.
///
/// # Errors
/// As [`Claim::judge`].
pub(super) fn causes(claim: &dyn Claim, seen: &Seen, outcome: &Outcome) -> Result<Vec<Cause>> {
    let Some(first) = outcome.findings.first() else { return Ok(Vec::new()) };
    // With all that the epoch's claims derived, a claim sees more than when it was judged first.
    if seen.trace.entries() > MOST_TRIED || claim.judge(seen)?.outcome.total != outcome.total {
        return Ok(Vec::new());
    }
    let quantity = first.tensor.split('/').nth(2).unwrap_or_default();
    let now = View { header: seen.trace.header.clone(), recorded: seen.recorded.clone(), known: seen.known.clone() };
    let mut causes = Vec::new();
    for way in ways(seen).into_iter().filter(|way| way.operand != quantity) {
        let mut view = now.clone();
        (way.change)(&mut view);
        let trace = seen.trace.declaring(view.header);
        let altered = Seen { trace: &trace, recorded: &view.recorded, known: &view.known, ..*seen };
        // An operand may be none that a claim can be judged by.
        let Ok(Judged { outcome: own, .. }) = claim.judge(&altered) else { continue };
        // What leaves more decisions open explains anything.
        if own.total == 0 && own.compared >= outcome.compared && own.ambiguous <= outcome.ambiguous {
            causes.push(Cause { told: way.told, worth: Worth::IfEverywhere });
        }
    }
    Ok(causes)
}

fn ways<'a>(seen: &Seen<'a>) -> Vec<Way<'a>> {
    let mut all = readings(seen);
    all.extend(hyper(seen));
    all.extend(numbers(seen));
    all.extend(counts(seen));
    all.extend(reals(seen));
    all.extend(flags(seen));
    all
}

/// Another choice on an open point.
fn readings<'a>(seen: &Seen) -> Vec<Way<'a>> {
    let now = serde_json::json!(seen.trace.header.reading);
    let mut all = Vec::new();
    for &(key, names) in CHOICES {
        for name in names.iter().filter(|name| now[key] != **name) {
            let mut keys = now.clone();
            keys[key] = (*name).into();
            let Ok(other) = serde_json::from_value::<Reading>(keys) else { continue };
            let change = Box::new(move |view: &mut View| view.header.reading = other);
            all.push(Way { operand: "", told: reading(key, name), change });
        }
    }
    all
}

/// Other numbers than the header declares.
fn hyper<'a>(seen: &Seen) -> Vec<Way<'a>> {
    type Real = fn(&mut Hyperparameters) -> &mut f64;
    const REALS: [(&str, Real); 4] = [
        ("alpha_0", |hyper| &mut hyper.alpha_0),
        ("alpha_K", |hyper| &mut hyper.alpha_end),
        ("lambda", |hyper| &mut hyper.lambda),
        ("eps", |hyper| &mut hyper.eps),
    ];
    let mut now = seen.trace.header.hyper;
    let mut all = Vec::new();
    for (key, of) in REALS {
        let declared = *of(&mut now);
        let mut add = |value: f64, how: String| {
            let told = format!("as `{key}` = {value} has it: {how}, where the header declares {declared}");
            let change = Box::new(move |view: &mut View| *of(&mut view.header.hyper) = value);
            all.push(Way { operand: "", told, change });
        };
        for (how, way) in OTHERWISE {
            add(way(declared), how.to_string());
        }
        for (other, of_other) in REALS.into_iter().filter(|(other, _)| *other != key) {
            add(*of_other(&mut now), format!("that of `{other}`"));
        }
    }
    for (key, of) in [
        ("epochs", (|hyper| &mut hyper.epochs) as fn(&mut Hyperparameters) -> &mut usize),
        ("chunks", |hyper| &mut hyper.chunks),
    ] {
        let declared = *of(&mut now);
        for (value, how) in [(declared.saturating_add(1), "one more"), (declared.saturating_sub(1).max(1), "one fewer")]
        {
            let told = format!("as `{key}` = {value} has it: {how} than the header declares");
            let change = Box::new(move |view: &mut View| *of(&mut view.header.hyper) = value);
            all.push(Way { operand: "", told, change });
        }
    }
    all
}

/// Operands that are one number.
fn numbers<'a>(seen: &Seen<'a>) -> Vec<Way<'a>> {
    type Of = fn(&mut Operands) -> &mut Option<Interval>;
    const NUMBERS: [(&str, Of); 6] = [
        ("S_sq", |known| &mut known.s_sq),
        ("S_F", |known| &mut known.s_f),
        ("min_before", |known| &mut known.min_before),
        ("minimum", |known| &mut known.minimum),
        ("alpha", |known| &mut known.alpha),
        ("tau", |known| &mut known.tau),
    ];
    const WAYS: [Otherwise; 3] = [
        ("is squared", |x| x * x),
        ("is taken by its root", |x| x.max(0.0).sqrt()),
        ("is taken for its rest, 1 less it", |x| 1.0 - x),
    ];
    let mut all = Vec::new();
    for (operand, of) in NUMBERS {
        let mut add = |told: String, change: Box<dyn Fn(&mut View) + 'a>| all.push(Way { operand, told, change });
        for (how, way) in WAYS {
            let taken = move |x: Interval| {
                let ends = (way(x.low), way(x.high));
                Interval { low: ends.0.min(ends.1), high: ends.0.max(ends.1) }
            };
            add(
                format!("`{operand}` {how}"),
                Box::new(move |view| {
                    let number = of(&mut view.known);
                    *number = number.map(taken);
                }),
            );
        }
        for (other, of_other) in NUMBERS.into_iter().filter(|(other, _)| *other != operand) {
            add(
                format!("`{operand}` is mistaken: `{other}` stands for it"),
                Box::new(move |view| {
                    *of(&mut view.known) = *of_other(&mut view.known);
                }),
            );
        }
        if let Some(previous) = &seen.carry.previous {
            let mut before = previous.1.numbers();
            let stale = *of(&mut before);
            add(format!("`{operand}` {STALE}"), Box::new(move |view| *of(&mut view.known) = stale));
        }
    }
    all
}

/// Operands that are whole numbers.
fn counts<'a>(seen: &Seen<'a>) -> Vec<Way<'a>> {
    let (k, index) = (seen.k as i64, seen.index as i64);
    let previous = seen.carry.previous.as_deref().map(|(_, known)| (known.k_star, known.t));
    let ways = move |now: Option<i64>, stale: Option<Option<i64>>| {
        [
            ("is one more", now.and_then(|n| n.checked_add(1))),
            ("is one fewer", now.and_then(|n| n.checked_sub(1))),
            ("is taken for 0", Some(0)),
            ("is taken for k, the epoch", Some(k)),
            ("is taken for the number of epochs done", Some(index + 1)),
            (STALE, stale.flatten()),
        ]
    };
    let mut all = Vec::new();
    let mut add = |operand: &'static str, how: &str, change: Box<dyn Fn(&mut View) + 'a>| {
        all.push(Way { operand, told: format!("`{operand}` {how}"), change });
    };
    for (how, n) in ways(seen.known.k_star, previous.map(|(k_star, _)| k_star)) {
        add(
            "k_star",
            how,
            Box::new(move |view| {
                view.known.k_star = n;
                view.known.decay_k_star = n;
            }),
        );
    }
    for (how, n) in ways(seen.known.t, previous.map(|(_, t)| t)) {
        add("t", how, Box::new(move |view| view.known.t = n));
    }
    all
}

/// Operands of a number an entry.
fn reals<'a>(seen: &Seen<'a>) -> Vec<Way<'a>> {
    type Of = fn(&mut View) -> &mut Field<f64>;
    const FIELDS: [(&str, Of); 3] = [
        ("G", |view| &mut view.known.g.low),
        ("rewind", |view| &mut view.known.w_star),
        ("weights_before", |view| &mut view.recorded.weights_before),
    ];
    const WAYS: [Otherwise; 6] = [
        ("has the other sign", |x| -x),
        ("is taken without its sign", f64::abs),
        ("is squared", |x| x * x),
        ("is taken by its root", |x| x.max(0.0).sqrt()),
        ("is rounded to half precision", |x| f16::from_f64(x).to_f64()),
        ("is rounded to bfloat16", |x| bf16::from_f64(x).to_f64()),
    ];
    type Order = fn(usize, &TracedParameter) -> usize;
    const ORDERS: [(&str, Order); 2] = [
        ("is read in column-major order: transposed", |j, parameter| match parameter.coordinates {
            None => column_major(j, &parameter.shape),
            Some(_) => j,
        }),
        ("is read from its end", |j, parameter| parameter.range.len() - 1 - j),
    ];
    let parameters = seen.trace.parameters();
    let previous = seen.carry.previous.as_deref();
    let mut all = Vec::new();
    for (operand, of) in FIELDS {
        let mut add = |how: &str, change: Box<dyn Fn(&mut View) + 'a>| {
            all.push(Way { operand, told: format!("`{operand}` {how}"), change });
        };
        for (how, way) in WAYS {
            add(how, Box::new(move |view| of(view).values.iter_mut().for_each(|x| *x = way(*x))));
        }
        for (how, order) in ORDERS {
            add(
                how,
                Box::new(move |view| {
                    let field = of(view);
                    let from = field.values.clone();
                    for parameter in parameters.iter().filter(|parameter| parameter.range.end <= from.len()) {
                        for j in 0..parameter.range.len() {
                            field.values[parameter.range.start + j] = from[parameter.range.start + order(j, parameter)];
                        }
                    }
                }),
            );
        }
        let others: [(&str, Option<&'a Field<f64>>); 6] = [
            ("is mistaken: W_0 stands for it", Some(&seen.carry.initial)),
            ("is mistaken: the weights of the epoch's start stand for it", Some(&seen.carry.weights)),
            ("is mistaken: `weights_before` stands for it", Some(&seen.recorded.weights_before)),
            ("is mistaken: `weights_after` stands for it", Some(&seen.recorded.weights_after)),
            ("is mistaken: the rewind point of before the epoch stands for it", Some(&seen.carry.rewind)),
            (
                STALE,
                previous.map(|(recorded, known)| match operand {
                    "G" => &known.g.low,
                    "rewind" => &known.w_star,
                    _ => &recorded.weights_before,
                }),
            ),
        ];
        for (how, other) in others {
            let Some(other) = other else { continue };
            add(how, Box::new(move |view| stand_for(of(view), other)));
        }
    }
    all
}

/// Operands of a flag an entry.
fn flags<'a>(seen: &Seen<'a>) -> Vec<Way<'a>> {
    let previous = seen.carry.previous.as_deref().map(|(_, known)| known);
    let mut all = Vec::new();
    let mut add = |operand: &'static str, how: &str, change: Box<dyn Fn(&mut View) + 'a>| {
        all.push(Way { operand, told: format!("`{operand}` {how}"), change });
    };
    add(
        "mask_before",
        "is inverted",
        Box::new(|view| {
            view.known.alive.values.iter_mut().for_each(|alive| *alive = !*alive);
        }),
    );
    add(
        "mask_before",
        "is not heeded: every weight counts as alive",
        Box::new(|view| view.known.alive.values.fill(true)),
    );
    add(
        "mask_before",
        "is mistaken: `mask` stands for it",
        Box::new(|view| stand_for(&mut view.known.alive, &view.recorded.mask)),
    );
    add(
        "selected",
        "is inverted",
        Box::new(|view| {
            view.known.selected.values.iter_mut().for_each(|selected| *selected = selected.opposite());
        }),
    );
    add(
        "selected",
        "is not heeded: every weight counts as selected",
        Box::new(|view| {
            view.known.selected.values.fill(Decision::Yes);
        }),
    );
    if let Some(previous) = previous {
        add("mask_before", STALE, Box::new(|view| stand_for(&mut view.known.alive, &previous.alive)));
        add("selected", STALE, Box::new(|view| stand_for(&mut view.known.selected, &previous.selected)));
    }
    all
}

/// Puts another field's entries in the place of this one's; nothing where the other lacks some of them.
fn stand_for<T: Copy + Default>(field: &mut Field<T>, other: &Field<T>) {
    let has_all = field.present.iter().zip(&other.present).all(|(own, theirs)| !own || *theirs);
    if has_all && other.present.len() >= field.present.len() && other.values.len() >= field.values.len() {
        field.values.iter_mut().zip(&other.values).for_each(|(own, theirs)| *own = *theirs);
        field.storage = other.storage;
    }
}
