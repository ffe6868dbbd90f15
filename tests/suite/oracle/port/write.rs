//! The trace: header and tensors as the format has them.

use super::arithmetic::Precision;
use super::record::{Epoch, Trace};
use super::settings::{Config, Method, Parameter, Store};
use gdstar::tensor_file::Tensor;
use safetensors::tensor::Dtype;
use serde_json::{Map, Value, json};

/// The kinds of tensors that a producer may leave out.
pub const KINDS: [&str; 21] = [
    "init",
    "indices",
    "loss",
    "grad",
    "weights",
    "weights_before",
    "mask_before",
    "G",
    "S_abs",
    "S_sq",
    "S_F",
    "min_before",
    "k_star",
    "rewind",
    "alpha",
    "chunk_quantiles",
    "tau",
    "selected",
    "t",
    "weights_after",
    "mask",
];

/// As Python's `float.hex` writes it.
fn hex(x: f64) -> String {
    let sign = if x.is_sign_negative() { "-" } else { "" };
    if x == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let exponent = libm::frexp(x).1 - 1;
    let significand = libm::ldexp(x.abs(), -exponent);
    let fraction = (libm::ldexp(significand, 52) as u64) & ((1 << 52) - 1);
    format!("{sign}0x1.{fraction:013x}p{exponent:+}")
}

/// The value of the metadata key `gdstar`.
pub fn header(config: &Config) -> Value {
    let number = |x: f64| if config.recording.hex_floats { json!(hex(x)) } else { json!(x) };
    let (hyper, arithmetic, recording) = (&config.hyper, &config.arithmetic, &config.recording);
    let narrower = |store: Store| match store {
        Store::As(precision) if precision.unit_roundoff() > arithmetic.dtype.unit_roundoff() => Some(precision),
        _ => None,
    };
    let mut declared = Map::new();
    let mut declare = |key: &str, precision: Option<Precision>| {
        if let Some(precision) = precision {
            declared.insert(key.to_string(), number(precision.unit_roundoff()));
        }
    };
    declare("u_in", narrower(recording.gradients));
    declare("u_acc", (arithmetic.sums != arithmetic.dtype).then_some(arithmetic.sums));
    declare("u_out", narrower(recording.floats));
    if arithmetic.fma || arithmetic.ftz {
        declared.insert("fma".to_string(), json!(arithmetic.fma));
        declared.insert("ftz".to_string(), json!(arithmetic.ftz));
    }
    let reading = |(key, value): (&&str, &&str)| {
        let is_number = *key == "epoch_origin";
        (key.to_string(), if is_number { json!(usize::from(*value == "1")) } else { json!(value) })
    };
    let mut header = json!({
        "format": "gdstar-trace/1",
        "producer": "a simulated port",
        "dtype": if arithmetic.dtype == Precision::F64 { "f64" } else { "f32" },
        "hyper": {
            "epochs": hyper.epochs, "alpha_0": number(hyper.alpha_0), "alpha_K": number(hyper.alpha_end),
            "lambda": number(hyper.lambda), "eps": number(hyper.eps), "chunks": hyper.chunks,
            "lr": number(hyper.lr), "momentum": number(hyper.momentum),
            "weight_decay": number(hyper.weight_decay), "batch_size": hyper.batch_size,
        },
        "reading": Map::from_iter(config.reading.0.iter().map(reading)),
        "params": config.parameters.iter().filter(|p| p.prunable).map(|p| &p.name).collect::<Vec<_>>(),
    });
    match &config.method {
        Method::Gdstar => {}
        Method::Reset => header["method"] = json!("reset"),
        Method::RandomRewind { probability, .. } => {
            header["method"] = json!("random-rewind");
            header["hyper"]["rewind_probability"] = number(*probability);
        }
    }
    if let Some(keys) = header.as_object_mut() {
        keys.extend(config.declared_optimizer());
    }
    if !declared.is_empty() {
        header["arithmetic"] = Value::Object(declared);
    }
    header
}

/// The tensors of one trace, under construction.
struct Tensors<'a> {
    config: &'a Config,
    all: Vec<(String, Tensor)>,
}

impl Tensors<'_> {
    fn keeps(&self, kind: &str) -> bool {
        !self.config.recording.omitted.contains(&kind)
    }

    fn floats(&mut self, kind: &str, name: String, store: Store, shape: &[usize], values: &[f64]) {
        if !self.keeps(kind) {
            return;
        }
        let precision = match store {
            Store::Dtype => self.config.arithmetic.dtype,
            Store::As(precision) => precision,
        };
        let negative_zeros = self.config.recording.negative_zeros;
        let sign = |x: f64| if x == 0.0 && negative_zeros { -0.0 } else { x };
        let values: Vec<f64> = values.iter().map(|&x| sign(precision.round(x))).collect();
        self.all.push((name, float_tensor(precision, shape, &values)));
    }

    /// A tensor of this kind for each parameter.
    fn parameters(&mut self, kind: &str, prefix: &str, values: &[Vec<f64>]) {
        let store = if kind == "grad" { self.config.recording.gradients } else { self.config.recording.floats };
        for (Parameter { name, shape, .. }, values) in self.config.parameters.iter().zip(values) {
            self.floats(kind, format!("{prefix}/{name}"), store, shape, values);
        }
    }

    /// A tensor of this kind for each parameter of W.
    fn flat(&mut self, kind: &str, prefix: &str, flat: &[f64]) {
        for (position, start, end) in self.config.segments() {
            let Parameter { name, shape, .. } = &self.config.parameters[position];
            self.floats(kind, format!("{prefix}/{name}"), self.config.recording.floats, shape, &flat[start..end]);
        }
    }

    fn flags(&mut self, kind: &str, prefix: &str, flags: &[bool]) {
        for (position, start, end) in
            self.config.segments().into_iter().filter(|_| self.keeps(kind)).collect::<Vec<_>>()
        {
            let Parameter { name, shape, .. } = &self.config.parameters[position];
            let bytes: Vec<u8> = flags[start..end].iter().map(|&flag| u8::from(flag)).collect();
            self.all.push((format!("{prefix}/{name}"), Tensor::from_slice(shape, &bytes)));
        }
    }

    fn integers(&mut self, kind: &str, name: String, values: &[i64]) {
        if self.keeps(kind) {
            self.all.push((name, Tensor::from_slice(&[values.len()], values)));
        }
    }

    fn epoch(&mut self, epoch: &Epoch) {
        let at = format!("epoch/{}", epoch.k);
        for (i, batch) in epoch.batches.iter().enumerate() {
            self.integers("indices", format!("{at}/batch/{i}/indices"), &batch.indices);
            self.floats("loss", format!("{at}/batch/{i}/loss"), self.config.recording.floats, &[1], &[batch.loss]);
            self.parameters("grad", &format!("{at}/batch/{i}/grad"), &batch.recorded);
            if self.config.recording.weights_within {
                self.parameters("weights", &format!("{at}/batch/{i}/weights"), &batch.weights);
            }
        }
        self.parameters("weights_before", &format!("{at}/weights_before"), &epoch.weights_before);
        self.flags("mask_before", &format!("{at}/mask_before"), &epoch.mask_before);
        self.flat("G", &format!("{at}/G"), &epoch.g);
        let scalars = [("S_abs", epoch.s_abs), ("S_sq", epoch.s_sq), ("S_F", epoch.s_f), ("tau", epoch.tau)];
        let of_method = match self.config.method {
            Method::Gdstar => Some(("min_before", epoch.min_before)),
            _ => epoch.draw.map(|draw| ("draw", draw)),
        };
        for (kind, value) in scalars.into_iter().chain(of_method) {
            self.floats(kind, format!("{at}/{kind}"), self.config.recording.floats, &[1], &[value]);
        }
        self.floats("alpha", format!("{at}/alpha"), self.config.recording.alpha, &[1], &[epoch.alpha]);
        self.integers("k_star", format!("{at}/k_star"), &[epoch.k_star]);
        self.parameters("rewind", &format!("{at}/rewind"), &epoch.rewind);
        let q = &epoch.chunk_quantiles;
        self.floats("chunk_quantiles", format!("{at}/chunk_quantiles"), self.config.recording.floats, &[q.len()], q);
        self.flags("selected", &format!("{at}/selected"), &epoch.selected);
        self.integers("t", format!("{at}/t"), &[epoch.t]);
        self.parameters("weights_after", &format!("{at}/weights_after"), &epoch.weights_after);
        self.flags("mask", &format!("{at}/mask"), &epoch.mask);
    }
}

/// Little-endian numbers of a format that holds the values exactly.
fn float_tensor(precision: Precision, shape: &[usize], values: &[f64]) -> Tensor {
    let halves = |dtype: Dtype, bits: fn(f64) -> u16| Tensor {
        dtype,
        shape: shape.to_vec(),
        bytes: values.iter().flat_map(|&x| bits(x).to_le_bytes()).collect(),
    };
    match precision {
        Precision::F64 => Tensor::from_slice(shape, values),
        Precision::F32 => Tensor::from_slice(shape, &values.iter().map(|&x| x as f32).collect::<Vec<f32>>()),
        Precision::Bf16 => halves(Dtype::BF16, |x| ((x as f32).to_bits() >> 16) as u16),
        Precision::F16 => halves(Dtype::F16, |x| {
            let sign = u16::from(x.is_sign_negative()) << 15;
            let exponent = (libm::frexp(x).1 - 1).max(-14);
            let significand = libm::ldexp(x.abs(), 10 - exponent) as u16; // 2^10 and more where normal
            let biased = if significand < 1 << 10 { 0 } else { (exponent + 15) as u16 };
            sign | biased << 10 | significand & 0x3ff
        }),
    }
}

/// The tensors of `trace` as `config` records them.
pub fn serialize(config: &Config, trace: &Trace) -> Vec<(String, Tensor)> {
    let mut tensors = Tensors { config, all: Vec::new() };
    tensors.parameters("init", "init", &trace.init);
    for epoch in trace.epochs.iter().step_by(config.recording.every) {
        tensors.epoch(epoch);
    }
    tensors.all
}
