//! Threads of one warp take steps together.

use crate::block::{Block, Grid};
use crate::bytes::Refusal;
use crate::fault::{Fault, LAUNCH_FAILED, TIMEOUT};
use crate::kernel::Act;
use crate::memory::Memory;
use crate::registers::{Mask, LANES};

/// What runs: the memory that all blocks see, and what is counted.
pub struct Machine<'a> {
    pub grid: &'a Grid<'a>,
    pub memory: &'a mut Memory,
    /// The serial of the launch's first block.
    pub launch: u32,
    /// Blocks begun.
    pub begun: u32,
    /// Steps allowed to a block.
    pub limit: u64,
    /// Instructions of all threads.
    pub instructions: u64,
}

impl Machine<'_> {
    /// The block number `number` of the grid begins. Serials grow with time: what a block of a lower one left in shared
    /// memory is nobody's.
    pub fn begin(&mut self, block: &mut Block, number: u64) {
        block.begin(self.grid, number, self.launch + self.begun);
        self.begun += 1;
    }

    /// The threads `mask` of a warp, which stand at the same step, go on together for at most `quantum` steps: until they
    /// part, wait, or return, and, if `join`, until others may join them.
    pub fn run(&mut self, block: &mut Block, warp: usize, mask: Mask, quantum: u64, join: bool) -> Result<(), Fault> {
        let steps = &self.grid.kernel.steps;
        let mut at = block.warps[warp].at[mask.trailing_zeros() as usize] as usize;
        let alone = !join || block.warps[warp].ready() == mask;
        let mut left = quantum;
        let lanes = u64::from(mask.count_ones());
        loop {
            let step = &steps[at];
            let acting = match step.guard {
                None => mask,
                Some((p, negated)) => {
                    let p = block.warps[warp].registers.predicates[p];
                    mask & if negated { !p } else { p }
                }
            };
            let next = at + 1;
            match &step.act {
                Act::Alu(alu) => {
                    if acting != 0 {
                        alu(&mut block.warps[warp].registers, acting);
                    }
                    at = next;
                }
                Act::Branch(target) => {
                    if acting == mask {
                        at = *target;
                    } else if acting == 0 {
                        at = next;
                    } else {
                        stand(&mut block.warps[warp].at, acting, *target);
                        stand(&mut block.warps[warp].at, mask & !acting, next);
                        return self.count(block, quantum - left + 1, lanes);
                    }
                }
                Act::Nothing => at = next,
                Act::Return => {
                    let warp = &mut block.warps[warp];
                    warp.living &= !acting;
                    stand(&mut warp.at, mask & !acting, next);
                    return self.count(block, quantum - left + 1, lanes);
                }
                Act::Barrier => {
                    if acting != 0 {
                        arrive(block, warp, acting, at, step.line)?;
                    }
                    stand(&mut block.warps[warp].at, mask, next);
                    return self.count(block, quantum - left + 1, lanes);
                }
                Act::Trap => {
                    if acting != 0 {
                        let thread = (warp * LANES) as u32 + acting.trailing_zeros();
                        let text = format!("line {}: trap, {}", step.line, block.name(thread));
                        return Err(Fault::new(LAUNCH_FAILED, text));
                    }
                    at = next;
                }
                memory => {
                    self.touch_all(block, warp, acting, memory)
                        .map_err(|(lane, refusal)| refused(block, warp, lane, step.line, refusal))?;
                    at = next;
                }
            }
            left -= 1;
            if left == 0 || (!alone && steps[at].leader) {
                stand(&mut block.warps[warp].at, mask, at);
                return self.count(block, quantum - left, lanes);
            }
        }
    }

    fn count(&mut self, block: &mut Block, steps: u64, lanes: u64) -> Result<(), Fault> {
        self.instructions += steps * lanes;
        block.steps += steps;
        if block.steps > self.limit {
            let [x, y, z] = block.index;
            let text = format!("block ({x}, {y}, {z}) has taken {} steps and does not end", block.steps);
            return Err(Fault::new(TIMEOUT, text));
        }
        Ok(())
    }
}

fn stand(at: &mut [u32; LANES], mask: Mask, step: usize) {
    let mut threads = mask;
    while threads != 0 {
        at[threads.trailing_zeros() as usize] = step as u32;
        threads &= threads - 1;
    }
}

/// Threads arrive at the barrier of step `at`: all threads of a block must arrive at the same.
fn arrive(block: &mut Block, warp: usize, acting: Mask, at: usize, line: u32) -> Result<(), Fault> {
    match block.barrier {
        Some(other) if other != at as u32 => {
            let thread = (warp * LANES) as u32 + acting.trailing_zeros();
            let text = format!(
                "barrier divergence: {} is at the barrier of line {line} while others wait at another",
                block.name(thread)
            );
            return Err(Fault::new(LAUNCH_FAILED, text));
        }
        _ => block.barrier = Some(at as u32),
    }
    block.warps[warp].waiting |= acting;
    Ok(())
}

#[cold]
fn refused(block: &Block, warp: usize, lane: usize, line: u32, refusal: Refusal) -> Fault {
    let thread = (warp * LANES + lane) as u32;
    Fault::new(refusal.0, format!("line {line}, {}: {}", block.name(thread), refusal.1))
}
