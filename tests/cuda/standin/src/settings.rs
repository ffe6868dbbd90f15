//! What the environment asks of the stand-in. README.md lists the variables.

use crate::edit::{self, Edit};
use crate::fault::{Code, Fault, INVALID_VALUE};

/// In which order blocks and threads take their steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Block after block, warp after warp, a warp's threads in lock-step: the quickest.
    Quick,
    /// Thread after thread, each to the next barrier, in an order drawn from the seed.
    Serial,
    /// The last block first, the last thread first, each to the next barrier.
    Reverse,
    /// Several blocks at once; any subset of any warp's threads goes on for any small number of steps.
    Random,
    /// The thread of highest priority runs, priorities drawn from the seed and redrawn at a few points (Burckhardt et al.
    /// 2010: finds bugs that need few, but particular, changes of thread).
    Priority,
}

pub const SCHEDULES: [(&str, Schedule); 5] = [
    ("quick", Schedule::Quick),
    ("serial", Schedule::Serial),
    ("reverse", Schedule::Reverse),
    ("random", Schedule::Random),
    ("priority", Schedule::Priority),
];

/// The `nth` call of `function` (counted from 1) fails with `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub function: String,
    pub nth: u64,
    pub code: Code,
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub schedule: Schedule,
    pub seed: u64,
    /// As `cuDriverGetVersion` counts: 12000 is 12.0.
    pub driver: i32,
    /// The device's compute capability, 10 major + minor.
    pub capability: i32,
    pub devices: i32,
    /// Bytes of the device.
    pub memory: u64,
    pub fail: Vec<Planned>,
    /// Planted into kernels when they are loaded.
    pub edits: Vec<Edit>,
    pub count_only: bool,
    /// Steps of the warps of one block, all together, after which a kernel is taken to run for ever.
    pub steps: u64,
    pub log: Option<std::path::PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            schedule: Schedule::Quick,
            seed: 0,
            driver: 12000,
            capability: 70,
            devices: 1,
            memory: 4 << 30,
            fail: Vec::new(),
            edits: Vec::new(),
            count_only: false,
            steps: 2_000_000_000,
            log: None,
        }
    }
}

pub const VARIABLES: [&str; 11] = [
    "STANDIN_SCHEDULE",
    "STANDIN_SEED",
    "STANDIN_DRIVER",
    "STANDIN_CAPABILITY",
    "STANDIN_DEVICES",
    "STANDIN_MEMORY",
    "STANDIN_FAIL",
    "STANDIN_EDIT",
    "STANDIN_COUNT_ONLY",
    "STANDIN_STEPS",
    "STANDIN_LOG",
];

impl Settings {
    /// The environment's.
    pub fn of_environment() -> Result<Self, Fault> {
        let mut settings = Settings::default();
        for name in VARIABLES {
            if let Ok(value) = std::env::var(name) {
                settings.set(name, &value)?;
            }
        }
        Ok(settings)
    }

    /// `NAME=value NAME=value`, changed in what is named.
    pub fn configure(&mut self, text: &str) -> Result<(), Fault> {
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').ok_or_else(|| wrong("a setting", word, "NAME=value"))?;
            self.set(name, value)?;
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        match name {
            "STANDIN_SCHEDULE" => {
                let found = SCHEDULES.iter().find(|(word, _)| *word == value);
                self.schedule =
                    found.ok_or_else(|| wrong(name, value, "quick, serial, reverse, random or priority"))?.1;
            }
            "STANDIN_SEED" => self.seed = number(name, value)?,
            "STANDIN_DRIVER" => self.driver = number(name, value)?,
            "STANDIN_CAPABILITY" => self.capability = number(name, value)?,
            "STANDIN_DEVICES" => self.devices = number(name, value)?,
            "STANDIN_MEMORY" => self.memory = number(name, value)?,
            "STANDIN_FAIL" => {
                self.fail = value.split(',').filter(|text| !text.is_empty()).map(planned).collect::<Result<_, _>>()?;
            }
            "STANDIN_EDIT" => self.edits = edit::parse(value)?,
            "STANDIN_COUNT_ONLY" => self.count_only = number::<u8>(name, value)? != 0,
            "STANDIN_STEPS" => self.steps = number(name, value)?,
            "STANDIN_LOG" => self.log = Some(value.into()),
            _ => return Err(wrong("a setting", name, &VARIABLES.join(", "))),
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Fault> {
    value.parse().map_err(|_| wrong(name, value, "a whole number"))
}

fn planned(text: &str) -> Result<Planned, Fault> {
    let parts: Vec<&str> = text.split(':').collect();
    let [function, nth, code] = parts[..] else {
        return Err(wrong("STANDIN_FAIL", text, "FUNCTION:N:CODE"));
    };
    Ok(Planned {
        function: function.to_string(),
        nth: number("STANDIN_FAIL", nth)?,
        code: number("STANDIN_FAIL", code)?,
    })
}

fn wrong(name: &str, found: &str, expected: &str) -> Fault {
    Fault::new(INVALID_VALUE, format!("{name}: expected {expected}, found `{found}`"))
}
