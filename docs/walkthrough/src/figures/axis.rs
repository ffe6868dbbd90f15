//! [`Log`]: a logarithmic axis.

/// Powers of ten over a length, from `low` to `high`.
pub struct Log {
    /// Exponents of the first and the last power.
    pub low: f64,
    pub high: f64,
    /// Where they lie.
    from: f64,
    to: f64,
}

impl Log {
    /// Whole powers around all positive numbers among these.
    pub fn around(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let exponents = values.filter(|&x| x > 0.0 && x.is_finite()).map(f64::log10);
        let (low, high) =
            exponents.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = if low <= high { (low.floor(), high.ceil()) } else { (0.0, 1.0) };
        Self { low, high: if high > low { high } else { low + 1.0 }, from, to }
    }

    /// Where a number lies; what is smaller than the axis, at its beginning.
    pub fn at(&self, x: f64) -> f64 {
        let share = (x.log10().max(self.low) - self.low) / (self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    /// Its powers, at most eight or so.
    pub fn powers(&self) -> impl Iterator<Item = i32> {
        let step = ((self.high - self.low) / 8.0).ceil().max(1.0) as usize;
        (self.low as i32..=self.high as i32).step_by(step)
    }
}

/// 10 to a power, as SVG writes it.
pub fn power(x: f64, y: f64, anchor: &str, exponent: i32) -> String {
    format!(
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">10<tspan dy="-.35em" font-size=".75em">{exponent}</tspan></text>"#
    )
}
