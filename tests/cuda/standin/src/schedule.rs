//! Who goes on next. Every order here is one that a GPU may choose.

use crate::block::{Block, Grid};
use crate::fault::Fault;
use crate::random::Random;
use crate::registers::{Mask, LANES};
use crate::run::Machine;
use crate::settings::Schedule;

/// Steps that threads take before the choice is made anew, where nothing else ends their turn.
const LONG: u64 = 1 << 16;
/// Blocks that are under way at once where blocks are interleaved.
const TOGETHER: usize = 4;
/// Blocks up to which their order is drawn.
const DRAWN: u64 = 1 << 20;

/// Runs all blocks of the grid.
pub fn run(machine: &mut Machine, schedule: Schedule, seed: u64) -> Result<(), Fault> {
    let mut random = Random::new(seed);
    let order = order(machine.grid, schedule, seed, &mut random);
    match schedule {
        Schedule::Quick | Schedule::Serial | Schedule::Reverse => {
            let mut block = Block::new(machine.grid, random.draw());
            for number in order {
                machine.begin(&mut block, number);
                loop {
                    match schedule {
                        Schedule::Quick => in_lock_step(machine, &mut block, seed, &mut random)?,
                        _ => one_by_one(machine, &mut block, schedule, &mut random)?,
                    }
                    if !block.pass_barrier()? {
                        break;
                    }
                }
            }
            Ok(())
        }
        Schedule::Random | Schedule::Priority => together(machine, order, schedule, &mut random),
    }
}

fn order(grid: &Grid, schedule: Schedule, seed: u64, random: &mut Random) -> Box<dyn Iterator<Item = u64>> {
    let count = grid.block_count();
    match schedule {
        Schedule::Reverse => Box::new((0..count).rev()),
        Schedule::Quick if seed == 0 => Box::new(0..count),
        _ if count > DRAWN => Box::new(0..count),
        _ => {
            let mut numbers: Vec<u64> = (0..count).collect();
            random.shuffle(&mut numbers);
            Box::new(numbers.into_iter())
        }
    }
}

/// Each warp to the next barrier, its threads together where they can: those that are behind go first.
fn in_lock_step(machine: &mut Machine, block: &mut Block, seed: u64, random: &mut Random) -> Result<(), Fault> {
    let mut warps: Vec<usize> = (0..block.warps.len()).collect();
    if seed != 0 {
        random.shuffle(&mut warps);
    }
    for w in warps {
        loop {
            let warp = &block.warps[w];
            let ready = warp.ready();
            if ready == 0 {
                break;
            }
            let first = lanes(ready).map(|lane| warp.at[lane]).min().unwrap_or(0);
            let mask = standing(ready, &warp.at, first);
            machine.run(block, w, mask, LONG, true)?;
        }
    }
    Ok(())
}

/// Each thread by itself to the next barrier.
fn one_by_one(machine: &mut Machine, block: &mut Block, schedule: Schedule, random: &mut Random) -> Result<(), Fault> {
    let mut threads: Vec<usize> = (0..block.warps.len() * LANES).rev().collect();
    if schedule == Schedule::Serial {
        random.shuffle(&mut threads);
    }
    for thread in threads {
        let (w, lane) = (thread / LANES, thread % LANES);
        while block.warps[w].ready() >> lane & 1 == 1 {
            machine.run(block, w, 1 << lane, LONG, false)?;
        }
    }
    Ok(())
}

/// A block under way, and how urgent each of its threads is.
struct Running {
    block: Block,
    priorities: Vec<u64>,
}

/// Several blocks at once.
fn together(
    machine: &mut Machine,
    mut order: Box<dyn Iterator<Item = u64>>,
    schedule: Schedule,
    random: &mut Random,
) -> Result<(), Fault> {
    let mut running: Vec<Running> = Vec::new();
    let places = 1 + random.below(TOGETHER);
    for number in order.by_ref().take(places) {
        let mut block = Block::new(machine.grid, random.draw());
        machine.begin(&mut block, number);
        let priorities = (0..block.warps.len() * LANES).map(|_| random.draw()).collect();
        running.push(Running { block, priorities });
    }
    while !running.is_empty() {
        let chosen = match schedule {
            Schedule::Priority => most_urgent(&running, random),
            _ => random.below(running.len()),
        };
        let Running { block, priorities } = &mut running[chosen];
        if block.stands() {
            if !block.pass_barrier()? {
                match order.next() {
                    Some(number) => machine.begin(block, number),
                    None => drop(running.swap_remove(chosen)),
                }
            }
        } else if schedule == Schedule::Priority {
            urgent_turn(machine, block, priorities, random)?;
        } else {
            random_turn(machine, block, random)?;
        }
    }
    Ok(())
}

/// Some threads of some warp that stand at the same step take some steps.
fn random_turn(machine: &mut Machine, block: &mut Block, random: &mut Random) -> Result<(), Fault> {
    let ready: Vec<usize> = (0..block.warps.len()).filter(|&w| block.warps[w].ready() != 0).collect();
    let w = ready[random.below(ready.len())];
    let warp = &block.warps[w];
    let nth = random.below(warp.ready().count_ones() as usize);
    let one = lanes(warp.ready()).nth(nth).unwrap_or(0);
    let fellows = standing(warp.ready(), &warp.at, warp.at[one]);
    let mask = match random.below(3) {
        0 => fellows,
        1 => 1 << one,
        _ => fellows & random.draw() as Mask | 1 << one,
    };
    let longest = [1, 8, 64, 1024][random.below(4)];
    machine.run(block, w, mask, 1 + random.below(longest) as u64, false)
}

/// The block whose most urgent thread is the most urgent of all; one whose threads all stand comes before.
fn most_urgent(running: &[Running], random: &mut Random) -> usize {
    let urgency = |running: &Running| match top(&running.block, &running.priorities) {
        None => u64::MAX,
        Some(thread) => running.priorities[thread],
    };
    (0..running.len()).max_by_key(|&at| urgency(&running[at])).unwrap_or_else(|| random.below(running.len()))
}

fn top(block: &Block, priorities: &[u64]) -> Option<usize> {
    let threads = (0..block.warps.len()).flat_map(|w| lanes(block.warps[w].ready()).map(move |lane| w * LANES + lane));
    threads.max_by_key(|&thread| priorities[thread])
}

/// The most urgent thread goes on; when its turn ends before a barrier it becomes the least urgent, now and then.
fn urgent_turn(
    machine: &mut Machine,
    block: &mut Block,
    priorities: &mut [u64],
    random: &mut Random,
) -> Result<(), Fault> {
    let Some(thread) = top(block, priorities) else { return Ok(()) };
    let (w, lane) = (thread / LANES, thread % LANES);
    machine.run(block, w, 1 << lane, 1 + random.below(2000) as u64, false)?;
    priorities[thread] = random.draw() >> (8 * random.below(3));
    Ok(())
}

fn lanes(mask: Mask) -> impl Iterator<Item = usize> {
    let mut left = mask;
    std::iter::from_fn(move || {
        let lane = (left != 0).then(|| left.trailing_zeros() as usize)?;
        left &= left - 1;
        Some(lane)
    })
}

/// Those of `ready` that stand at the step `at`.
fn standing(ready: Mask, steps: &[u32; LANES], at: u32) -> Mask {
    lanes(ready).filter(|&lane| steps[lane] == at).fold(0, |mask, lane| mask | 1 << lane)
}
