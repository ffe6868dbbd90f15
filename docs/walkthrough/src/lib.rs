//! The page's half that computes: LeNet-300-100 trained with GDSTAR on the embedded digits, epoch by epoch, and everything
//! that the page shows of it. Numbers go in; what comes out lies in memory, where the page reads it.
//!
//! Everything is the library's own: its training loop, its equations (`gdstar::paper`), its kernel `literal`, which has the
//! same bits in a browser as everywhere else.

mod again;
mod epoch;
mod facts;
mod figures;
mod output;
mod run;
mod settings;
mod weight;

use gdstar::Result;
use output::{give, text};
use run::Live;
use settings::Settings;
use std::cell::RefCell;

/// What is kept between two calls.
#[derive(Default)]
struct Desk {
    settings: Settings,
    live: Option<Live>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Does something with what is kept. What is below 0 is an error, of whose text so many bytes less one are given.
fn with(work: impl FnOnce(&mut Desk) -> Result<i32>) -> i32 {
    DESK.with_borrow_mut(work).unwrap_or_else(|error| -1 - text(error.to_string()))
}

/// The same with the run, if there is one.
fn with_run(work: impl FnOnce(&Live, &Settings) -> Result<i32>) -> i32 {
    with(|desk| match &desk.live {
        Some(live) => work(live, &desk.settings),
        None => Ok(-1),
    })
}

/// Gives the settings that can be changed, a line each: name, value, and for a choice all its names.
#[unsafe(no_mangle)]
pub extern "C" fn settings() -> i32 {
    with(|desk| Ok(text(desk.settings.listed())))
}

/// Changes the setting of this place in the list: to a number, or to the choice of this place in its names.
#[unsafe(no_mangle)]
pub extern "C" fn set(setting: usize, value: f64) -> i32 {
    with(|desk| desk.settings.set(setting, value).map(|()| 0))
}

/// Begins a run with the settings as they are.
#[unsafe(no_mangle)]
pub extern "C" fn begin() -> i32 {
    with(|desk| {
        desk.live = Some(Live::begin(&desk.settings)?);
        Ok(0)
    })
}

/// Trains one epoch: 1 if there are more, 0 if it was the last.
#[unsafe(no_mangle)]
pub extern "C" fn train() -> i32 {
    with(|desk| desk.live.as_mut().map_or(Ok(-1), |live| live.train().map(i32::from)))
}

/// Gives what epoch `k` came to.
#[unsafe(no_mangle)]
pub extern "C" fn facts(k: usize) -> i32 {
    with_run(|live, _| Ok(text(facts::of_epoch(live, k)?.lines())))
}

/// Gives what epoch `k` did with weight `j`.
#[unsafe(no_mangle)]
pub extern "C" fn weight(k: usize, j: usize) -> i32 {
    with_run(|live, _| Ok(text(weight::facts(live, k, j)?.lines())))
}

/// Gives the life of weight `j` to the last epoch that is trained, in sentences.
#[unsafe(no_mangle)]
pub extern "C" fn life(j: usize) -> i32 {
    with_run(|live, _| Ok(text(weight::life(live, j)?)))
}

/// Gives what became of every weight in epoch `k`, a byte each ([`epoch::Fate`]).
#[unsafe(no_mangle)]
pub extern "C" fn fates(k: usize) -> i32 {
    with_run(|live, _| Ok(give(live.epoch(k)?.fates())))
}

/// Gives the fates of epoch `k` if it were done with the settings as they are now.
#[unsafe(no_mangle)]
pub extern "C" fn fates_again(k: usize) -> i32 {
    with_run(|live, settings| Ok(give(again::again(live, k, settings)?.fates)))
}

/// Gives what epoch `k` would come to with the settings as they are now.
#[unsafe(no_mangle)]
pub extern "C" fn facts_again(k: usize) -> i32 {
    with_run(|live, settings| Ok(text(facts::of_again(&again::again(live, k, settings)?).lines())))
}

/// Gives G of epoch `k`, four bytes a weight.
#[unsafe(no_mangle)]
pub extern "C" fn squares(k: usize) -> i32 {
    with_run(|live, _| Ok(give(live.epoch(k)?.g.iter().flat_map(|g| g.to_le_bytes()).collect())))
}

/// Gives the figure of this place in [`figures::FIGURES`] at epoch `k`, for weight `j`, as SVG.
#[unsafe(no_mangle)]
pub extern "C" fn figure(which: usize, k: usize, j: usize) -> i32 {
    with_run(|live, _| Ok(text(figures::draw(which, live, k, j)?)))
}

/// The weight that shows epoch `k` best: one that it eliminates, else one that it selects.
#[unsafe(no_mangle)]
pub extern "C" fn telling(k: usize) -> i32 {
    with_run(|live, _| Ok(live.epoch(k)?.telling() as i32))
}

/// Where in memory lies what was given last.
#[unsafe(no_mangle)]
pub extern "C" fn given() -> usize {
    output::place()
}
