//! A block of threads: its warps, its shared memory, its barrier.

use crate::bytes::Bytes;
use crate::fault::{Fault, LAUNCH_FAILED};
use crate::kernel::{Constant, Kernel, Special};
use crate::registers::{Mask, Registers, LANES};
use crate::shadow::EPOCHS;

pub struct Warp {
    pub registers: Registers,
    /// The step that each thread takes next.
    pub at: [u32; LANES],
    /// Threads that have not returned.
    pub living: Mask,
    /// Threads that wait at the block's barrier.
    pub waiting: Mask,
    /// Local memory: of each thread `kernel.local` bytes, and a flag per byte that has a value.
    pub local: Vec<u8>,
    pub local_valued: Vec<bool>,
}

impl Warp {
    pub fn ready(&self) -> Mask {
        self.living & !self.waiting
    }
}

pub struct Block {
    pub warps: Vec<Warp>,
    pub shared: Bytes,
    pub index: [u32; 3],
    /// The block's number among the blocks of all launches.
    pub serial: u32,
    /// Barriers passed.
    pub epoch: u32,
    /// The step of the barrier at which threads wait.
    pub barrier: Option<u32>,
    threads: [u32; 3],
    /// Steps of all warps.
    pub steps: u64,
}

/// What all blocks of a launch share.
pub struct Grid<'a> {
    pub kernel: &'a Kernel,
    pub blocks: [u32; 3],
    pub threads: [u32; 3],
    pub dynamic: usize,
    pub params: &'a [u8],
}

impl Grid<'_> {
    pub fn block_count(&self) -> u64 {
        self.blocks.iter().map(|&n| u64::from(n)).product()
    }

    /// Bytes of shared memory of a block.
    pub fn shared_bytes(&self) -> usize {
        self.kernel.dynamic.map_or(self.kernel.shared, |at| at + self.dynamic)
    }
}

impl Block {
    /// Room for one block at a time; `garbage` fills the registers, which have no value before they are written.
    pub fn new(grid: &Grid, garbage: u64) -> Self {
        let kernel = grid.kernel;
        let count = grid.threads.iter().product::<u32>() as usize;
        let warps = (0..count.div_ceil(LANES))
            .map(|_| {
                let mut registers = Registers {
                    r32: vec![[garbage as u32; LANES]; kernel.r32],
                    r64: vec![[garbage; LANES]; kernel.r64],
                    predicates: vec![garbage as u32; kernel.predicates],
                };
                for &(register, constant) in &kernel.constants {
                    registers.fill(register, constant_value(constant, grid));
                }
                Warp {
                    registers,
                    at: [0; LANES],
                    living: 0,
                    waiting: 0,
                    local: vec![0; kernel.local * LANES],
                    local_valued: vec![false; kernel.local * LANES],
                }
            })
            .collect();
        Block {
            warps,
            shared: Bytes::new(grid.shared_bytes()),
            index: [0; 3],
            serial: 0,
            epoch: 0,
            barrier: None,
            threads: grid.threads,
            steps: 0,
        }
    }

    /// Makes this the block number `number` of the grid, at its beginning.
    pub fn begin(&mut self, grid: &Grid, number: u64, serial: u32) {
        let [x, y, _] = grid.blocks.map(u64::from);
        self.index = [(number % x) as u32, (number / x % y) as u32, (number / (x * y)) as u32];
        self.serial = serial;
        (self.epoch, self.steps, self.barrier) = (0, 0, None);
        self.shared.forget();
        let count = self.threads.iter().product::<u32>();
        for (w, warp) in self.warps.iter_mut().enumerate() {
            let first = (w * LANES) as u32;
            let here = (count - first).min(LANES as u32);
            warp.living = if here == LANES as u32 { Mask::MAX } else { (1 << here) - 1 };
            warp.waiting = 0;
            warp.at = [0; LANES];
            warp.local_valued.fill(false);
            for &(at, special) in &grid.kernel.specials {
                let file = &mut warp.registers.r32[at];
                for (lane, value) in file.iter_mut().enumerate() {
                    let thread = position(first + lane as u32, self.threads);
                    *value = match special {
                        Special::Thread(axis) => thread[axis],
                        Special::Threads(axis) => grid.threads[axis],
                        Special::Block(axis) => self.index[axis],
                        Special::Blocks(axis) => grid.blocks[axis],
                    };
                }
            }
        }
    }

    /// "thread (x, y, z) of block (x, y, z)".
    pub fn name(&self, thread: u32) -> String {
        let ([x, y, z], [bx, by, bz]) = (position(thread, self.threads), self.index);
        format!("thread ({x}, {y}, {z}) of block ({bx}, {by}, {bz})")
    }

    /// Once no thread can go on: opens the barrier if all wait at it. False when all have returned.
    pub fn pass_barrier(&mut self) -> Result<bool, Fault> {
        let waiting: u32 = self.warps.iter().map(|warp| warp.waiting.count_ones()).sum();
        if waiting == 0 {
            return Ok(false);
        }
        let count = self.threads.iter().product::<u32>();
        if waiting != count {
            let [x, y, z] = self.index;
            let text = format!(
                "barrier divergence: {waiting} of {count} threads of block ({x}, {y}, {z}) wait, the others have returned"
            );
            return Err(Fault::new(LAUNCH_FAILED, text));
        }
        if self.epoch == EPOCHS {
            return Err(Fault::new(
                LAUNCH_FAILED,
                format!("more than {EPOCHS} barriers: the stand-in cannot number them"),
            ));
        }
        self.epoch += 1;
        self.barrier = None;
        for warp in &mut self.warps {
            warp.waiting = 0;
        }
        Ok(true)
    }

    /// Whether no thread of the block can go on by itself.
    pub fn stands(&self) -> bool {
        self.warps.iter().all(|warp| warp.ready() == 0)
    }
}

fn position(thread: u32, [x, y, _]: [u32; 3]) -> [u32; 3] {
    [thread % x, thread / x % y, thread / (x * y)]
}

fn constant_value(constant: Constant, grid: &Grid) -> u64 {
    match constant {
        Constant::Bits(bits) => bits,
        Constant::DynamicBytes => grid.dynamic as u64,
        Constant::Param { offset, size, signed } => {
            let mut bytes = [0; 8];
            bytes[..size].copy_from_slice(&grid.params[offset..offset + size]);
            extended(u64::from_le_bytes(bytes), size, signed)
        }
    }
}

/// `size` low bytes of `value`, as a number of 64 bits.
pub fn extended(value: u64, size: usize, signed: bool) -> u64 {
    if !signed {
        return value;
    }
    let unused = 64 - 8 * size as u32;
    (((value << unused) as i64) >> unused) as u64
}
