//! Section 3.2: Eq. 8, 6, 7 and 5.

use super::arithmetic::Unit;
use super::fault::Fault;
use super::method::Port;
use super::record::Epoch;
use super::settings::{AlphaForm, LerpForm, Width};

impl Port<'_> {
    /// A decimal of the header as a unit of this width sees it.
    pub fn decimal(&self, width: Width, x: f64) -> f64 {
        if width == Width::Dtype { self.config.arithmetic.unit().round(x) } else { x }
    }

    /// Eq. 8.
    pub fn alpha(&self, k: usize) -> f64 {
        let (forms, hyper) = (&self.config.forms, &self.config.hyper);
        let unit = self.config.arithmetic.width(forms.alpha_width);
        let start = self.decimal(forms.alpha_width, hyper.alpha_0);
        let end = self.decimal(forms.alpha_width, hyper.alpha_end);
        let (k, total) = match self.fault {
            Fault::AlphaOfPreviousEpoch => (k as f64 - 1.0, hyper.epochs as f64),
            Fault::AlphaOfNextEpoch => (k as f64 + 1.0, hyper.epochs as f64),
            Fault::AlphaOverKMinus1 => (k as f64, hyper.epochs as f64 - 1.0),
            Fault::AlphaIntegerDivision => ((k / hyper.epochs) as f64, 1.0),
            Fault::AlphaQuadratic => ((k * k) as f64, (hyper.epochs * hyper.epochs) as f64),
            _ => (k as f64, hyper.epochs as f64),
        };
        let fraction = unit.div(k, total);
        match forms.alpha {
            AlphaForm::Difference => unit.mul_add(fraction, unit.sub(end, start), start),
            AlphaForm::ProductFirst => unit.add(start, unit.div(unit.mul(k, unit.sub(end, start)), total)),
            AlphaForm::Weighted => unit.add(unit.mul(unit.sub(1.0, fraction), start), unit.mul(fraction, end)),
        }
    }

    /// Eq. 6.
    pub fn chunk_quantiles(&self, epoch: &Epoch) -> Vec<f64> {
        let alpha = match (self.fault, &self.previous) {
            (Fault::QuantileOfOneMinusAlpha, _) => 1.0 - epoch.alpha,
            (Fault::QuantileOfStaleAlpha, Some(previous)) => previous.alpha,
            (Fault::QuantileAlphaInF32, _) => f64::from(epoch.alpha as f32),
            _ => epoch.alpha,
        };
        let g = match (self.fault, &self.previous) {
            (Fault::QuantileOfStaleG, Some(previous)) => previous.g.clone(),
            (Fault::ChunksInReversedOrder, _) => {
                let segments = self.config.segments();
                segments.iter().rev().flat_map(|&(_, start, end)| epoch.g[start..end].iter().copied()).collect()
            }
            (Fault::ChunksInSizeOrder, _) => {
                let mut segments = self.config.segments();
                segments.sort_by_key(|&(_, start, end)| end - start);
                segments.iter().flat_map(|&(_, start, end)| epoch.g[start..end].iter().copied()).collect()
            }
            (Fault::ChunksColumnMajor, _) => self.column_major(&epoch.g),
            (Fault::ChunksOfSorted, _) => {
                let mut sorted = epoch.g.clone();
                sorted.sort_by(f64::total_cmp);
                sorted
            }
            _ => epoch.g.clone(),
        };
        let leaves = |j: usize| match self.fault {
            Fault::QuantileOfAliveUnderDense => !epoch.mask_before[j],
            Fault::QuantileOfAllUnderExcluded => false,
            Fault::QuantileWithoutZeros => g[j] == 0.0,
            _ => self.config.reading.is("masked_gradient", "excluded") && !epoch.mask_before[j],
        };
        let set: Vec<f64> = (0..g.len()).filter(|&j| !leaves(j)).map(|j| g[j]).collect();
        let quantile = |mut chunk: Vec<f64>| {
            if self.fault != Fault::QuantileUnsorted {
                chunk.sort_by(f64::total_cmp);
            }
            if self.fault == Fault::QuantileIsShareOfLargest {
                let largest = chunk.last().copied().unwrap_or(0.0);
                return self.config.arithmetic.unit().mul(alpha, largest);
            }
            self.quantile(&chunk, alpha)
        };
        self.chunks(&set).into_iter().map(quantile).collect()
    }

    /// Each parameter's values in the order of Fortran's arrays: the first axis runs fastest.
    fn column_major(&self, g: &[f64]) -> Vec<f64> {
        let mut flat = Vec::with_capacity(g.len());
        for (position, start, end) in self.config.segments() {
            let shape = &self.config.parameters[position].shape;
            for mut place in 0..end - start {
                let (mut at, mut stride) = (start, end - start);
                for &axis in shape {
                    stride /= axis;
                    at += place % axis * stride;
                    place /= axis;
                }
                flat.push(g[at]);
            }
        }
        flat
    }

    fn chunks(&self, set: &[f64]) -> Vec<Vec<f64>> {
        let n = set.len();
        let c = self.config.hyper.chunks.min(n);
        if c == 0 {
            return Vec::new();
        }
        let cut = |sizes: Vec<usize>| {
            let mut start = 0;
            let mut chunk = |size: usize| {
                start += size;
                set[start - size..start].to_vec()
            };
            sizes.into_iter().map(&mut chunk).collect::<Vec<_>>()
        };
        match self.fault {
            Fault::ChunkRemainderDropped => cut(vec![n / c; c]),
            Fault::ChunkRemainderLast => cut((1..=c).map(|i| n / c + if i == c { n % c } else { 0 }).collect()),
            Fault::ChunksStrided => (0..c).map(|i| set.iter().skip(i).step_by(c).copied().collect()).collect(),
            Fault::ChunkPerParameter => {
                let segments = self.config.segments();
                segments.iter().map(|&(_, start, end)| set[start..end].to_vec()).collect()
            }
            _ if self.config.reading.is("chunking", "ceil") => set.chunks(n.div_ceil(c)).map(<[f64]>::to_vec).collect(),
            _ => cut((0..c).map(|i| n / c + usize::from(i < n % c)).collect()),
        }
    }

    /// The value at rank `alpha (n - 1)` of sorted values.
    fn quantile(&self, sorted: &[f64], alpha: f64) -> f64 {
        let forms = &self.config.forms;
        let unit = self.config.arithmetic.width(forms.rank_width);
        let last = sorted.len() - 1;
        let count = match self.fault {
            Fault::RankOfN => sorted.len(),
            _ => last,
        } as f64;
        let rank = unit.mul(unit.round(alpha), count).clamp(0.0, last as f64);
        if self.fault == Fault::QuantileKth {
            return sorted[((alpha * sorted.len() as f64) as usize).clamp(1, sorted.len()) - 1];
        }
        let at = rank.floor() as usize;
        let (low, high) = (sorted[at], sorted[(at + 1).min(last)]);
        let fraction = unit.sub(rank, at as f64);
        if fraction == 0.0 {
            return low;
        }
        let lerp = self.config.arithmetic.width(forms.lerp_width);
        let value = match self.config.reading.get("quantile") {
            "linear" => interpolate(&lerp, forms.lerp, low, high, lerp.round(fraction)),
            "lower" => low,
            "higher" => high,
            "nearest" => sorted[rank.round_ties_even() as usize],
            "midpoint" => lerp.mul(0.5, lerp.add(low, high)),
            other => unreachable!("{other} is not in the table"),
        };
        self.config.arithmetic.unit().round(value)
    }

    /// Eq. 7.
    pub fn tau(&self, epoch: &Epoch) -> f64 {
        let q = &epoch.chunk_quantiles;
        if q.is_empty() {
            return 0.0;
        }
        let unit = self.config.arithmetic.width(self.config.forms.mean_width);
        let sum = q.iter().fold(0.0, |sum, &q| unit.add(sum, q));
        let mut sorted = q.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let tau = match (self.fault, &self.previous) {
            (Fault::ThresholdMedian, _) if sorted.len() % 2 == 1 => sorted[middle],
            (Fault::ThresholdMedian, _) => 0.5 * (sorted[middle - 1] + sorted[middle]),
            (Fault::ThresholdSum, _) => sum,
            (Fault::ThresholdFirstChunk, _) => q[0],
            (Fault::ThresholdLastChunk, _) => q[q.len() - 1],
            (Fault::ThresholdMaximum, _) => sorted[sorted.len() - 1],
            (Fault::ThresholdMinimum, _) => sorted[0],
            (Fault::ThresholdGeometricMean, _) => {
                libm::exp(q.iter().map(|&q| libm::log(q)).sum::<f64>() / q.len() as f64)
            }
            (Fault::ThresholdHarmonicMean, _) => q.len() as f64 / q.iter().map(|q| 1.0 / q).sum::<f64>(),
            (Fault::ThresholdRootMeanSquare, _) => (q.iter().map(|q| q * q).sum::<f64>() / q.len() as f64).sqrt(),
            (Fault::ThresholdMidrange, _) => 0.5 * (sorted[0] + sorted[sorted.len() - 1]),
            (Fault::ThresholdOverCMinus1, _) => sum / (q.len() - 1) as f64,
            (Fault::ThresholdOverCPlus1, _) => sum / (q.len() + 1) as f64,
            (Fault::ThresholdStale, Some(previous)) => previous.tau,
            _ => unit.div(sum, q.len() as f64),
        };
        self.config.arithmetic.unit().round(tau)
    }

    /// Eq. 5.
    pub fn selected(&self, epoch: &Epoch) -> Vec<bool> {
        let n = epoch.g.len();
        let excluded = self.config.reading.is("masked_gradient", "excluded");
        let previous = self.previous.as_ref();
        let weights = self.config.flat(&epoch.weights_before);
        let mut ranked: Vec<usize> = (0..n).collect();
        ranked.sort_by(|&a, &b| epoch.g[a].total_cmp(&epoch.g[b]));
        let transposed = if self.fault == Fault::SelectColumnMajor { self.column_major(&epoch.g) } else { Vec::new() };
        let top = (epoch.alpha * n as f64) as usize;
        let mean = epoch.g.iter().sum::<f64>() / n as f64;
        let is_selected = |j: usize| match (self.fault, previous) {
            (Fault::SelectOrEqual, _) => epoch.g[j] <= epoch.tau,
            (Fault::SelectGreater, _) => epoch.g[j] > epoch.tau,
            (Fault::SelectTopK, _) => ranked[..top].contains(&j),
            (Fault::SelectByMagnitude, _) => weights[j].abs() < epoch.tau,
            (Fault::SelectPerParameter, _) => epoch.g[j] < self.threshold_of_parameter(epoch, j),
            (Fault::SelectPerChunk, _) => epoch.g[j] < epoch.chunk_quantiles[self.chunk_of(j)],
            (Fault::SelectByLastBatch, _) => {
                epoch.batches.last().is_some_and(|batch| batch.squared[j] * batch.squared[j] < epoch.tau)
            }
            (Fault::SelectBelowMean, _) => epoch.g[j] < mean,
            (Fault::SelectByRoot, _) => epoch.g[j].sqrt() < epoch.tau,
            (Fault::SelectColumnMajor, _) => transposed[j] < epoch.tau,
            (Fault::SelectMissesParameter, _) => epoch.g[j] < epoch.tau && j < self.last_segment().1,
            (Fault::SelectByStaleTau, Some(previous)) => epoch.g[j] < previous.tau,
            (Fault::SelectByStaleG, Some(previous)) => previous.g[j] < epoch.tau,
            (Fault::SelectAccumulates, Some(previous)) => epoch.g[j] < epoch.tau || previous.selected[j],
            _ => epoch.g[j] < epoch.tau,
        };
        let cleared = excluded || self.config.recording.clears_selected;
        (0..n).map(|j| is_selected(j) && (!cleared || epoch.mask_before[j])).collect()
    }

    /// Which near-equal chunk weight j is in, where none has left the set.
    fn chunk_of(&self, j: usize) -> usize {
        let (n, c) = (self.mask.len(), self.config.hyper.chunks);
        let long = n % c * n.div_ceil(c); // the weights in the longer chunks
        if j < long { j / n.div_ceil(c) } else { n % c + (j - long) / (n / c) }
    }

    /// The quantile of the one parameter that weight j is in.
    fn threshold_of_parameter(&self, epoch: &Epoch, j: usize) -> f64 {
        let segments = self.config.segments();
        let own = segments.iter().find(|&&(_, start, end)| (start..end).contains(&j));
        own.map_or(0.0, |&(_, start, end)| {
            let mut g = epoch.g[start..end].to_vec();
            g.sort_by(f64::total_cmp);
            self.quantile(&g, epoch.alpha)
        })
    }
}

fn interpolate(unit: &Unit, form: LerpForm, low: f64, high: f64, f: f64) -> f64 {
    let gap = unit.sub(high, low);
    match form {
        LerpForm::FromNearer if f >= 0.5 => unit.mul_add(-gap, unit.sub(1.0, f), high),
        LerpForm::FromLow | LerpForm::FromNearer => unit.mul_add(f, gap, low),
        LerpForm::Convex => unit.mul_add(f, high, unit.mul(unit.sub(1.0, f), low)),
    }
}
