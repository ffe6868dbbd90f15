//! The loss of the test's port, by each of the admitted formulas.

use super::mistake::Mistake;
use super::port::{Formula, Port, Rounding, array, flat};
use ndarray::ArrayD;

impl Port {
    fn exp(&self, x: f64) -> f64 {
        self.elementary(x.exp())
    }

    fn ln(&self, x: f64) -> f64 {
        self.elementary(x.ln())
    }

    /// A library function's result: within 4 ulp, so within 8 u, where the rounding is as bad as the model admits.
    fn elementary(&self, x: f64) -> f64 {
        match self.rounding {
            Rounding::Biased(_) | Rounding::Noisy => x + 8.0 * (self.round(x) - x),
            _ => self.round(x),
        }
    }

    /// The sum of e^(x_j - M) in one pass: rescaled whenever the running maximum M moves.
    fn online_sum(&self, row: &[f64]) -> f64 {
        let (mut maximum, mut sum) = (row[0], 1.0);
        for &x in &row[1..] {
            if x > maximum {
                sum = self.round(self.round(sum * self.exp(self.round(maximum - x))) + 1.0);
                maximum = x;
            } else {
                sum = self.round(sum + self.exp(self.round(x - maximum)));
            }
        }
        sum
    }

    fn plain_sum(&self, terms: &[f64]) -> f64 {
        self.sum(terms.iter().map(|&term| (term, 1.0)).collect(), None)
    }

    /// The mean loss, and its gradient in the logits.
    pub fn loss(&self, logits: &ArrayD<f64>, labels: &[usize], smoothing: f64) -> (f64, ArrayD<f64>) {
        // The mistake is to smooth what is not to be, and the other way around.
        let smoothing = match self.has(Mistake::LabelSmoothing) {
            true if smoothing > 0.0 => 0.0,
            true => 0.1,
            false => smoothing,
        };
        let [n, classes] = [logits.shape()[0], logits.shape()[1]];
        let mut x = flat(logits);
        if self.has(Mistake::Temperature) {
            x.iter_mut().for_each(|x| *x /= 1.01);
        }
        if self.has(Mistake::SoftmaxOverBatch) {
            return self.softmax_over_batch(&x, labels, classes);
        }
        let counted = if self.has(Mistake::LastSampleDropped) { n - 1 } else { n };
        let divisor = match self.mistake {
            Some(Mistake::DividedByClasses) => classes,
            Some(Mistake::DividedByFullBatch) => 128,
            Some(Mistake::SummedLoss) => 1,
            _ => counted,
        } as f64;
        let (mut losses, mut gradient) = (Vec::new(), Vec::new());
        for (i, (row, &label)) in x.chunks(classes).zip(labels).enumerate() {
            let (logs, p) = self.softmax(row);
            if i >= counted {
                gradient.extend(vec![0.0; classes]);
                continue;
            }
            losses.push(self.row_loss(row, (&logs, &p), label, smoothing));
            gradient.extend((0..classes).map(|j| {
                let target = self.target(j == label, classes, smoothing);
                let difference = match self.mistake {
                    Some(Mistake::SquaredError) => 2.0 * (p[j] - target) * p[j] * (1.0 - p[j]),
                    Some(Mistake::LabelNotSubtracted) => p[j],
                    _ => self.round(p[j] - target),
                };
                match self.formula {
                    Formula::ScaledLast => self.store(difference),
                    Formula::Power => self.store(self.round(difference * self.round(1.0 / divisor))),
                    _ => self.store(self.round(difference / divisor)),
                }
            }));
        }
        let sum = self.plain_sum(&losses);
        let summed = matches!(self.mistake, Some(Mistake::SummedLoss | Mistake::SummedLossValueOnly));
        let loss = if summed { sum } else { self.round(sum / counted as f64) };
        (self.store(loss), array(logits.shape(), gradient))
    }

    fn target(&self, is_label: bool, classes: usize, smoothing: f64) -> f64 {
        let target = f64::from(u8::from(is_label));
        if smoothing == 0.0 {
            return target;
        }
        let smoothing = self.round(smoothing);
        self.round(self.round(1.0 - smoothing) * target + self.round(smoothing / classes as f64))
    }

    /// The loss of smoothed targets: of all classes in their shares, or the label's and the mean of all in theirs.
    fn smoothed(&self, logs: &[f64], label: usize, smoothing: f64) -> f64 {
        let classes = logs.len();
        if matches!(self.formula, Formula::Shifted | Formula::Quotient | Formula::Online) {
            let terms = logs.iter().enumerate();
            return -self.sum(terms.map(|(j, &l)| (self.target(j == label, classes, smoothing), l)).collect(), None);
        }
        let (of_label, smoothing) = (self.round(1.0 - self.round(smoothing)), self.round(smoothing));
        let of_all = self.round(self.round(smoothing / classes as f64) * self.plain_sum(logs));
        -self.round(self.round(of_label * logs[label]) + of_all)
    }

    /// ln p and p of a row.
    fn softmax(&self, row: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let shift = match self.formula {
            Formula::Unshifted => 0.0,
            _ => row.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        let t: Vec<f64> = row.iter().map(|&x| if shift == 0.0 { x } else { self.round(x - shift) }).collect();
        let powers: Vec<f64> = t.iter().map(|&t| self.exp(t)).collect();
        let sum = if matches!(self.formula, Formula::Online) { self.online_sum(row) } else { self.plain_sum(&powers) };
        let ln_sum = self.ln(sum);
        let p: Vec<f64> = powers.iter().map(|&e| self.store(self.round(e / sum))).collect();
        let logs: Vec<f64> = match self.formula {
            Formula::Quotient => p.iter().map(|&p| self.ln(p)).collect(),
            Formula::ShiftAddedBack => {
                let total = self.round(shift + ln_sum);
                row.iter().map(|&x| self.round(x - total)).collect()
            }
            _ => t.iter().map(|&t| self.store(self.round(t - ln_sum))).collect(),
        };
        let p = if matches!(self.formula, Formula::Power) { logs.iter().map(|&l| self.exp(l)).collect() } else { p };
        (logs, p)
    }

    fn row_loss(&self, row: &[f64], (logs, p): (&[f64], &[f64]), label: usize, smoothing: f64) -> f64 {
        match self.mistake {
            Some(Mistake::BinaryLogarithm) => -logs[label] / std::f64::consts::LN_2,
            Some(Mistake::SquaredError) => {
                (0..row.len()).map(|j| (p[j] - self.target(j == label, row.len(), 0.0)).powi(2)).sum()
            }
            _ if smoothing > 0.0 => self.smoothed(logs, label, smoothing),
            _ => -logs[label],
        }
    }

    fn softmax_over_batch(&self, x: &[f64], labels: &[usize], classes: usize) -> (f64, ArrayD<f64>) {
        let n = labels.len();
        let (mut loss, mut gradient) = (0.0, vec![0.0; x.len()]);
        for j in 0..classes {
            let column: Vec<f64> = (0..n).map(|i| x[i * classes + j]).collect();
            let (logs, p) = self.softmax(&column);
            for i in 0..n {
                let target = f64::from(u8::from(labels[i] == j));
                gradient[i * classes + j] = (p[i] - target) / n as f64;
                loss -= target * logs[i] / n as f64;
            }
        }
        (loss, array(&[n, classes], gradient))
    }
}
