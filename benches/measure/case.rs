//! What is measured, and how: a [`Case`] prepares its work once, then does it as often as its [`Meter`] wants.

use crate::ALLOCATOR;
use crate::table::median;
use gdstar::Result;
use gdstar::kernel::Pool;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// A measurement goes on for at least so many seconds, by repeating what is shorter: a thousand times the few hundred
/// microseconds by which a timer interrupt or the start of two threads can disturb it.
const LEAST_SECONDS: f64 = 0.2;

/// How long one side repeats before the other has its turn: shorter than what disturbs a machine mostly lasts.
const TURN: Duration = Duration::from_millis(10);

/// One measurement.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Measured {
    /// Mean over the repetitions; their median, where two cases take turns.
    pub seconds: f64,
    /// The same of what the case takes turns with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_seconds: Option<f64>,
    /// The most bytes allocated at any time, beyond those from before the case (and beyond a data set).
    pub peak_bytes: usize,
    /// The most bytes allocated at any time by the program, a data set included.
    pub program_peak_bytes: usize,
    /// What a run tells of the epoch that was measured.
    #[serde(flatten)]
    pub epoch: Option<Epoch>,
}

/// A measured epoch of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Epoch {
    pub epoch: usize,
    /// 0 to 1.
    pub sparsity: f64,
    /// On the test set, 0 to 1.
    pub accuracy: f64,
}

type Work = dyn Fn(&mut Meter) -> Result<()> + Send + Sync;

/// Something to be measured.
pub struct Case {
    pub name: String,
    /// Multiply-accumulates of one repetition, where their rate is of interest.
    pub macs: Option<f64>,
    /// The case that this one is compared with: by rate where both have multiply-accumulates, else by seconds.
    pub baseline: Option<String>,
    /// A whole run, every epoch of which is a measurement; it ends by itself.
    pub is_run: bool,
    /// Measured only where it is named.
    pub on_demand: bool,
    work: Box<Work>,
}

impl Case {
    pub fn new(name: String, work: impl Fn(&mut Meter) -> Result<()> + Send + Sync + 'static) -> Self {
        Self { name, macs: None, baseline: None, is_run: false, on_demand: false, work: Box::new(work) }
    }

    /// With so many multiply-accumulates a repetition.
    pub fn with_macs(self, macs: f64) -> Self {
        Self { macs: Some(macs), ..self }
    }

    /// A whole run.
    pub fn of_run(self) -> Self {
        Self { is_run: true, on_demand: true, ..self }
    }

    pub fn on_demand(self, on_demand: bool) -> Self {
        Self { on_demand, ..self }
    }

    pub fn against(self, baseline: impl Into<String>) -> Self {
        Self { baseline: Some(baseline.into()), ..self }
    }

    pub fn measure(&self, meter: &mut Meter) -> Result<()> {
        Pool::new().install(|| (self.work)(meter))
    }
}

/// A stopwatch that also watches memory. Between a report and the next [`start`](Self::start) nothing is counted:
/// whoever asked may take their time there.
pub struct Meter<'a> {
    /// Takes a measurement, and says whether another is wanted.
    report: &'a mut (dyn FnMut(Measured) -> bool + Send),
    bytes_before: usize,
    started: Instant,
    seconds: f64,
    repetitions: usize,
}

impl<'a> Meter<'a> {
    pub fn new(report: &'a mut (dyn FnMut(Measured) -> bool + Send)) -> Self {
        let bytes_before = ALLOCATOR.0.current_usage();
        Self { report, bytes_before, started: Instant::now(), seconds: 0.0, repetitions: 0 }
    }

    /// What is allocated by now does not count.
    pub fn disregard_memory(&mut self) {
        self.bytes_before = ALLOCATOR.0.current_usage();
    }

    /// Before a repetition.
    pub fn start(&mut self) {
        if self.repetitions == 0 {
            ALLOCATOR.0.reset_peak_usage();
        }
        self.started = Instant::now();
    }

    /// After a repetition: whether another is wanted.
    pub fn stop(&mut self) -> bool {
        self.count();
        self.seconds < LEAST_SECONDS || self.report(None)
    }

    /// After an epoch, which is a measurement however long it took: whether another is wanted.
    pub fn stop_epoch(&mut self, epoch: Epoch) -> bool {
        self.count();
        self.report(Some(epoch))
    }

    fn count(&mut self) {
        self.seconds += self.started.elapsed().as_secs_f64();
        self.repetitions += 1;
    }

    fn report(&mut self, epoch: Option<Epoch>) -> bool {
        let program_peak_bytes = ALLOCATOR.0.peak_usage();
        let peak_bytes = program_peak_bytes.saturating_sub(self.bytes_before);
        let seconds = self.seconds / self.repetitions as f64;
        (self.seconds, self.repetitions) = (0.0, 0);
        (self.report)(Measured { seconds, peak_bytes, program_peak_bytes, epoch, baseline_seconds: None })
    }

    /// Measures `work`, whose input `prepare` makes outside the measured time.
    pub fn repeat<I, T>(&mut self, mut prepare: impl FnMut() -> I, mut work: impl FnMut(I) -> Result<T>) -> Result<()> {
        loop {
            let input = prepare();
            self.start();
            black_box(work(input)?);
            if !self.stop() {
                return Ok(());
            }
        }
    }

    /// Measures `work` and `baseline` by turns of some repetitions, now the one first and now the other, so that whatever
    /// slows the machine meets both; of their repetitions' seconds the medians. Memory is not watched.
    pub fn by_turns<I>(
        &mut self,
        mut prepare: impl FnMut() -> I,
        mut work: impl FnMut(I) -> Result<()>,
        mut baseline: impl FnMut(I) -> Result<()>,
    ) -> Result<()> {
        loop {
            let [mut of_work, mut of_baseline] = [Vec::new(), Vec::new()];
            while [&of_work, &of_baseline].iter().any(|seconds| seconds.iter().sum::<f64>() < LEAST_SECONDS) {
                turn(&mut prepare, &mut baseline, &mut of_baseline)?;
                turn(&mut prepare, &mut work, &mut of_work)?;
                turn(&mut prepare, &mut work, &mut of_work)?;
                turn(&mut prepare, &mut baseline, &mut of_baseline)?;
            }
            let (seconds, baseline_seconds) = (median(of_work), Some(median(of_baseline)));
            if !(self.report)(Measured { seconds, baseline_seconds, ..Measured::default() }) {
                return Ok(());
            }
        }
    }
}

/// Adds the seconds of each repetition of `work`, after one that is not counted, unless they are as long as a turn: it
/// brings what it works on back into the caches.
fn turn<I>(
    prepare: &mut impl FnMut() -> I,
    work: &mut impl FnMut(I) -> Result<()>,
    seconds: &mut Vec<f64>,
) -> Result<()> {
    if seconds.last().is_none_or(|&last| last < TURN.as_secs_f64()) {
        work(prepare())?;
    }
    let until = Instant::now() + TURN;
    loop {
        let input = prepare();
        let started = Instant::now();
        work(input)?;
        seconds.push(started.elapsed().as_secs_f64());
        if Instant::now() >= until {
            return Ok(());
        }
    }
}
