//! The device: its memory, what was loaded and launched, and the error that it died of.

use std::collections::{BTreeMap, HashMap};

use crate::alu::SEED;
use crate::block::Grid;
use crate::decode::{decode, Globals};
use crate::fault::{
    Code, Fault, INVALID_HANDLE, INVALID_PTX, INVALID_VALUE, NOT_FOUND, UNKNOWN, UNSUPPORTED_PTX_VERSION,
};
use crate::kernel::Kernel;
use crate::memory::Memory;
use crate::ptx::parse;
use crate::random::mix;
use crate::run::Machine;
use crate::schedule;
use crate::settings::Settings;

pub const MAX_THREADS: u64 = 1024;
pub const MAX_BLOCK: [u32; 3] = [1024, 1024, 64];
pub const MAX_GRID: [u32; 3] = [i32::MAX as u32, 65535, 65535];
pub const MAX_SHARED: usize = 48 << 10;

/// A loaded module: its kernels by name, or why one of them cannot run.
struct Module {
    kernels: Vec<(String, Result<Kernel, Fault>)>,
    variables: HashMap<String, (u64, usize)>,
}

#[derive(Default)]
pub struct Device {
    pub settings: Settings,
    pub memory: Memory,
    modules: Vec<Option<Module>>,
    /// Calls of each driver function.
    pub calls: HashMap<&'static str, u64>,
    /// Launches of each kernel.
    pub launches: BTreeMap<String, u64>,
    /// Of all kernels, all threads.
    pub instructions: u64,
    launched: u64,
    /// What was planted, for the log.
    pub edited: Vec<String>,
    /// The next block's serial.
    serial: u32,
    /// What a kernel died of: reported at the next call that waits, and by every call after it.
    pub pending: Option<Fault>,
    pub dead: Option<Code>,
}

/// How a kernel is launched.
pub struct Shape {
    pub blocks: [u32; 3],
    pub threads: [u32; 3],
    pub dynamic: usize,
}

impl Device {
    /// The newest PTX language that the driver's version reads.
    fn ptx_version(&self) -> (u32, u32) {
        let (major, minor) = (self.settings.driver as u32 / 1000, self.settings.driver as u32 % 1000 / 10);
        // CUDA 12.0 came with PTX 8.0, 11.0 with 7.0, 10.0 with 6.3.
        match major {
            0..=9 => (6, 0),
            10 => (6, 3 + minor),
            _ => (major - 4, minor),
        }
    }

    pub fn load(&mut self, text: &str) -> Result<usize, Fault> {
        let mut module = parse(text)?;
        for edit in &self.settings.edits {
            if let Some(line) = edit.apply(&mut module)? {
                self.edited.push(format!("edited {}, line {line}", edit.kernel));
            }
        }
        let newest = self.ptx_version();
        if module.version > newest {
            let ((major, minor), (a, b)) = (module.version, newest);
            let text = format!("PTX {major}.{minor} is newer than this driver reads, {a}.{b}");
            return Err(Fault::new(UNSUPPORTED_PTX_VERSION, text));
        }
        let capability = module.target.trim_start_matches("sm_").trim_end_matches('a').parse::<i32>();
        let own = self.settings.capability;
        if !capability.is_ok_and(|capability| capability <= own) {
            return Err(Fault::new(INVALID_PTX, format!("PTX for {} on a device of sm_{own}", module.target)));
        }
        let (mut globals, mut variables) = (Globals::new(), HashMap::new());
        for variable in module.variables.iter().filter(|variable| variable.space != ".shared") {
            let mut data = variable.data.clone();
            data.resize(variable.size, 0);
            let address = self.memory.of_module(data, variable.space == ".const");
            globals.insert(variable.name.clone(), address);
            variables.insert(variable.name.clone(), (address, variable.size));
        }
        let kernels = module.functions.iter().filter(|function| function.entry);
        let kernels = kernels.map(|function| (function.name.clone(), decode(&module, &globals, function))).collect();
        self.modules.push(Some(Module { kernels, variables }));
        Ok(self.modules.len() - 1)
    }

    fn module(&self, module: usize) -> Result<&Module, Fault> {
        let found = self.modules.get(module).and_then(Option::as_ref);
        found.ok_or_else(|| Fault::new(INVALID_HANDLE, "a module that is not loaded"))
    }

    pub fn unload(&mut self, module: usize) -> Result<(), Fault> {
        self.module(module)?;
        self.modules[module] = None;
        Ok(())
    }

    /// The number of the kernel `name` in its module.
    pub fn function(&self, module: usize, name: &str) -> Result<usize, Fault> {
        let kernels = &self.module(module)?.kernels;
        let at = kernels.iter().position(|(found, _)| found == name);
        at.ok_or_else(|| Fault::new(NOT_FOUND, format!("no kernel `{name}` in the module")))
    }

    pub fn variable(&self, module: usize, name: &str) -> Result<(u64, usize), Fault> {
        let found = self.module(module)?.variables.get(name).copied();
        found.ok_or_else(|| Fault::new(NOT_FOUND, format!("no variable `{name}` in the module")))
    }

    pub fn kernel(&self, module: usize, function: usize) -> Result<&Kernel, Fault> {
        match self.module(module)?.kernels.get(function) {
            Some((_, kernel)) => kernel.as_ref().map_err(Fault::clone),
            None => Err(Fault::new(INVALID_HANDLE, "a kernel that is not loaded")),
        }
    }

    /// Checks the launch and runs it. What goes wrong in the kernel itself is `pending` afterwards.
    pub fn launch(&mut self, module: usize, function: usize, shape: &Shape, params: &[u8]) -> Result<(), Fault> {
        let kernel = self.kernel(module, function)?;
        let named = |fault: Fault| Fault::new(fault.code, format!("launch of `{}`: {}", kernel.name, fault.text));
        check_shape(kernel, shape).map_err(named)?;
        check_addresses(kernel, &self.memory, params).map_err(named)?;
        let name = kernel.name.clone();
        *self.launches.entry(name).or_default() += 1;
        self.launched += 1;
        let planned = self.settings.fail.iter().find(|plan| plan.function == "launch" && plan.nth == self.launched);
        if let Some(plan) = planned {
            self.pending.get_or_insert(Fault::new(plan.code, "a launch that was planned to fail"));
            return Ok(());
        }
        if self.settings.count_only || self.pending.is_some() {
            return Ok(());
        }
        if let Err(fault) = self.execute(module, function, shape, params) {
            self.pending = Some(fault);
        }
        Ok(())
    }

    fn execute(&mut self, module: usize, function: usize, shape: &Shape, params: &[u8]) -> Result<(), Fault> {
        // Taken apart by fields: the kernel stays borrowed while memory changes.
        let Device { settings, memory, modules, instructions, launched, serial, .. } = self;
        let kernel = modules[module].as_ref().and_then(|module| module.kernels[function].1.as_ref().ok());
        let kernel = kernel.ok_or_else(|| Fault::new(UNKNOWN, "the kernel was lost"))?;
        let grid = Grid { kernel, blocks: shape.blocks, threads: shape.threads, dynamic: shape.dynamic, params };
        let blocks = u32::try_from(grid.block_count()).ok().and_then(|blocks| (*serial).max(1).checked_add(blocks));
        let end = blocks.ok_or_else(|| Fault::new(UNKNOWN, "more blocks than the stand-in can number"))?;
        let launch = (*serial).max(1);
        *serial = end;
        SEED.set(settings.seed);
        let mut machine = Machine { grid: &grid, memory, launch, begun: 0, limit: settings.steps, instructions: 0 };
        let seed = if settings.seed == 0 { 0 } else { mix(settings.seed ^ mix(*launched)) };
        let result = schedule::run(&mut machine, settings.schedule, seed);
        *instructions += machine.instructions;
        result.map_err(|fault| Fault::new(fault.code, format!("kernel `{}`: {}", kernel.name, fault.text)))
    }
}

fn check_shape(kernel: &Kernel, shape: &Shape) -> Result<(), Fault> {
    let wrong = |text: String| Err(Fault::new(INVALID_VALUE, text));
    for (what, sizes, most) in [("block", shape.threads, MAX_BLOCK), ("grid", shape.blocks, MAX_GRID)] {
        for axis in 0..3 {
            if sizes[axis] == 0 || sizes[axis] > most[axis] {
                return wrong(format!("a {what} of {sizes:?}: each size is at least 1 and at most {most:?}"));
            }
        }
    }
    let threads = shape.threads.iter().map(|&n| u64::from(n)).product::<u64>();
    let most = kernel.max_threads.unwrap_or(MAX_THREADS).min(MAX_THREADS);
    if threads > most {
        return wrong(format!("{threads} threads per block, at most {most}"));
    }
    let declared: usize = kernel.shared_variables.iter().map(|(from, to)| to - from).sum();
    if declared + shape.dynamic > MAX_SHARED {
        return wrong(format!("{declared} + {} bytes of shared memory, at most {MAX_SHARED}", shape.dynamic));
    }
    if shape.dynamic > 0 && kernel.dynamic.is_none() {
        return wrong(format!("{} bytes of dynamic shared memory for a kernel that takes none", shape.dynamic));
    }
    Ok(())
}

/// A parameter that the kernel takes for an address must be one, or null.
fn check_addresses(kernel: &Kernel, memory: &Memory, params: &[u8]) -> Result<(), Fault> {
    for (at, param) in kernel.params.iter().enumerate() {
        if !kernel.addresses[at] {
            continue;
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&params[param.offset..param.offset + 8]);
        let value = u64::from_le_bytes(bytes);
        if value != 0 && !memory.is_address(value) {
            let text = format!("argument {at} (`{}`) is {value:#x}, which is no address of living memory", param.name);
            return Err(Fault::new(INVALID_VALUE, text));
        }
    }
    Ok(())
}
