//! Section 3.1: Eq. 1 to 4.

use super::fault::Fault;
use super::method::Port;
use super::record::{Batch, Epoch};
use super::settings::{SquareSum, Summed};

impl Port<'_> {
    /// Eq. 1, batch by batch.
    pub fn s_abs(&self, epoch: &Epoch) -> f64 {
        let (order, sums) = (self.config.arithmetic.order, self.config.arithmetic.sums());
        let batches = match self.fault {
            Fault::AbsOfLastBatch => &epoch.batches[epoch.batches.len() - 1..],
            Fault::AbsSkipsFirstBatch => &epoch.batches[1..],
            _ => &epoch.batches[..],
        };
        let norm = |batch: &Batch| {
            let terms: Vec<f64> = match self.fault {
                Fault::AbsWithoutAbs => batch.summed.clone(),
                Fault::AbsOfSquares => batch.summed.iter().map(|&g| sums.mul(g, g)).collect(),
                Fault::AbsOverBiases => batch.used.iter().flatten().map(|g| g.abs()).collect(),
                Fault::AbsMissesParameter => {
                    let (_, start, _) = self.last_segment();
                    batch.summed[..start].iter().map(|g| g.abs()).collect()
                }
                Fault::AbsOfNorms => self.of_parameters(|part| order.sum_of_squares(&sums, &batch.summed[part]).sqrt()),
                Fault::AbsOfLargest => {
                    self.of_parameters(|part| batch.summed[part].iter().fold(0.0, |largest, g| g.abs().max(largest)))
                }
                Fault::AbsMeanOfParameters => self.of_parameters(|part| {
                    let sizes: Vec<f64> = batch.summed[part].iter().map(|g| g.abs()).collect();
                    sums.div(order.sum(&sums, &sizes), sizes.len() as f64)
                }),
                _ => batch.summed.iter().map(|g| g.abs()).collect(),
            };
            order.sum(&sums, &terms)
        };
        let norms: Vec<f64> = match self.fault {
            Fault::AbsOfSum => {
                let total = |j: usize| batches.iter().map(|b| b.summed[j]).sum::<f64>().abs();
                (0..self.mask.len()).map(total).collect()
            }
            _ => batches.iter().map(norm).collect(),
        };
        let s_abs = order.sum(&sums, &norms);
        let s_abs = match (self.fault, &self.previous) {
            (Fault::AbsMeanOverBatches, _) => s_abs / batches.len() as f64,
            (Fault::AbsMeanOverWeights, _) => s_abs / self.mask.len() as f64,
            (Fault::AbsNotReset, Some(previous)) => s_abs + previous.s_abs,
            _ => s_abs,
        };
        self.config.arithmetic.unit().round(s_abs)
    }

    /// Eq. 2.
    pub fn g(&self, epoch: &Epoch) -> Vec<f64> {
        let unit = self.config.arithmetic.unit();
        let n = self.mask.len();
        let batches = match self.fault {
            Fault::GOfLastBatch => &epoch.batches[epoch.batches.len() - 1..],
            Fault::GSkipsFirstBatch => &epoch.batches[1..],
            _ => &epoch.batches[..],
        };
        let column = |j: usize| -> Vec<f64> { batches.iter().map(|batch| self.term(batch, epoch, j)).collect() };
        let mut g: Vec<f64> = (0..n).map(|j| unit.round(self.sum_of_column(&column(j)))).collect();
        match (self.fault, &self.previous) {
            (Fault::GMeanOverBatches, _) => g.iter_mut().for_each(|g| *g = unit.div(*g, batches.len() as f64)),
            (Fault::GRoot, _) => g.iter_mut().for_each(|g| *g = unit.sqrt(*g)),
            (Fault::GCountsFirstBatchTwice, _) => {
                g.iter_mut().zip(&batches[0].squared).for_each(|(g, &x)| *g = unit.mul_add(x, x, *g));
            }
            (Fault::GMissesParameter, _) => g[self.last_segment().1..].fill(0.0),
            (Fault::GNotReset, Some(previous)) => {
                g.iter_mut().zip(&previous.g).for_each(|(g, &x)| *g = unit.add(*g, x));
            }
            (Fault::GMovingAverage, Some(previous)) => {
                g.iter_mut().zip(&previous.g).for_each(|(g, &x)| *g = unit.round(0.9 * x + 0.1 * *g));
            }
            (Fault::GStale, Some(previous)) => g.clone_from(&previous.g),
            _ => {}
        }
        g
    }

    /// What batch `batch` adds the square of to G_j.
    fn term(&self, batch: &Batch, epoch: &Epoch, j: usize) -> f64 {
        let x = batch.squared[j];
        match self.fault {
            Fault::GMaskedUnderDense if !epoch.mask_before[j] => 0.0,
            Fault::GUnmaskedUnderZero => self.config.flat(&batch.used)[j],
            Fault::GTimesRate => x * self.config.hyper.lr,
            Fault::GOfPositive => x.max(0.0),
            Fault::GCentred => {
                let segments = self.config.segments();
                let (_, start, end) =
                    segments.into_iter().find(|(_, start, end)| (*start..*end).contains(&j)).expect("j is in W");
                let (order, sums) = (self.config.arithmetic.order, self.config.arithmetic.sums());
                sums.sub(x, sums.div(order.sum(&sums, &batch.squared[start..end]), (end - start) as f64))
            }
            _ => x,
        }
    }

    fn sum_of_column(&self, column: &[f64]) -> f64 {
        let (order, sums) = (self.config.arithmetic.order, self.config.arithmetic.sums());
        match (self.fault, self.config.forms.summed) {
            (Fault::GAbsolute, _) => order.sum(&sums, &column.iter().map(|x| x.abs()).collect::<Vec<f64>>()),
            (Fault::GCubed, _) => {
                order.sum(&sums, &column.iter().map(|&x| sums.mul(sums.mul(x, x), x)).collect::<Vec<f64>>())
            }
            (Fault::GSquareOfSum, _) => {
                let total = order.sum(&sums, column);
                sums.mul(total, total)
            }
            (Fault::GSquareOfMean, _) => {
                let mean = sums.div(order.sum(&sums, column), column.len() as f64);
                sums.mul(mean, mean)
            }
            (_, Summed::PerBatch) => column.iter().fold(0.0, |g, &x| sums.mul_add(x, x, g)),
            (_, Summed::AtEnd) => order.sum_of_squares(&sums, column),
        }
    }

    /// Eq. 3, from its middle or its right-hand side.
    pub fn s_sq(&self, epoch: &Epoch) -> f64 {
        let (order, sums) = (self.config.arithmetic.order, self.config.arithmetic.sums());
        let unit = self.config.arithmetic.unit();
        let square = |x: &f64| sums.mul(*x, *x);
        let terms: Vec<f64> = match (self.fault, self.config.forms.square_sum) {
            (Fault::SquareSumSquaresTwice, _) => epoch.g.iter().map(square).collect(),
            (Fault::SquareSumOfFirstParameter, _) => epoch.g[..self.config.segments()[0].2].to_vec(),
            (Fault::SquareSumOfLastBatch, _) => last(epoch).squared.iter().map(square).collect(),
            (Fault::SquareSumOfRoots, _) => epoch.g.iter().map(|g| g.sqrt()).collect(),
            (Fault::SquareSumCountsBiases, _) => {
                let biases = |batch: &Batch| -> Vec<f64> {
                    let used = self.config.parameters.iter().zip(&batch.used);
                    used.filter(|(p, _)| !p.prunable).flat_map(|(_, g)| g.iter().map(square)).collect()
                };
                epoch.g.iter().copied().chain(epoch.batches.iter().flat_map(biases)).collect()
            }
            (Fault::None, SquareSum::FromGradients) => {
                epoch.batches.iter().map(|batch| order.sum_of_squares(&sums, &batch.squared)).collect()
            }
            _ => epoch.g.clone(),
        };
        let s_sq = order.sum(&sums, &terms);
        let s_sq = match (self.fault, &self.previous) {
            (Fault::SquareSumMeanOverWeights, _) => s_sq / terms.len() as f64,
            (Fault::SquareSumMeanOverBatches, _) => s_sq / epoch.batches.len() as f64,
            (Fault::SquareSumMaximum, _) => epoch.g.iter().fold(0.0, |a, &b| f64::max(a, b)),
            (Fault::SquareSumStale, Some(previous)) => previous.s_sq,
            (Fault::SquareSumNotReset, Some(previous)) => s_sq + previous.s_sq,
            _ => s_sq,
        };
        unit.round(s_sq)
    }

    /// Eq. 4.
    pub fn s_f(&self, epoch: &Epoch) -> f64 {
        let unit = self.config.arithmetic.unit();
        let (order, sums) = (self.config.arithmetic.order, self.config.arithmetic.sums());
        let norm = |batch: &Batch| order.sum_of_squares(&sums, &batch.squared).sqrt();
        let s_f = match (self.fault, &self.previous) {
            (Fault::NormWithoutRoot, _) => epoch.s_sq,
            (Fault::NormOfLastBatch, _) => norm(last(epoch)),
            (Fault::NormSumOfBatchNorms, _) => epoch.batches.iter().map(norm).sum(),
            (Fault::NormRootMean, _) => (epoch.s_sq / epoch.g.len() as f64).sqrt(),
            (Fault::NormRootMeanOverBatches, _) => (epoch.s_sq / epoch.batches.len() as f64).sqrt(),
            (Fault::NormIsL1, _) => epoch.s_abs,
            (Fault::NormIsLogarithm, _) => libm::log(epoch.s_sq),
            (Fault::NormOfParameters, _) => {
                let segments = self.config.segments();
                segments.iter().map(|&(_, start, end)| epoch.g[start..end].iter().sum::<f64>().sqrt()).sum()
            }
            (Fault::NormStale, Some(previous)) => previous.s_f,
            _ => return unit.sqrt(epoch.s_sq),
        };
        unit.round(s_f)
    }

    /// A number of each parameter of W, given where it lies.
    fn of_parameters(&self, number: impl Fn(std::ops::Range<usize>) -> f64) -> Vec<f64> {
        self.config.segments().into_iter().map(|(_, start, end)| number(start..end)).collect()
    }

    pub fn last_segment(&self) -> (usize, usize, usize) {
        *self.config.segments().last().expect("W has parameters")
    }
}

fn last(epoch: &Epoch) -> &Batch {
    epoch.batches.last().expect("an epoch has batches")
}
