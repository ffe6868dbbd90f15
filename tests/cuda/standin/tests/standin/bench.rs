//! A device on which a test runs PTX.

use standin::device::{Device, Shape};
use standin::fault::Fault;

pub struct Bench {
    pub device: Device,
    module: usize,
}

/// PTX of one kernel `k` whose parameters are `count` addresses, loaded and made global: %rd1, %rd2, .. are theirs.
pub fn kernel(count: usize, body: &str) -> String {
    let params: Vec<String> = (0..count).map(|i| format!(".param .u64 p{i}")).collect();
    let loads: String = (0..count)
        .map(|i| format!("ld.param.u64 %rd{0}, [p{i}];\ncvta.to.global.u64 %rd{0}, %rd{0};\n", i + 1))
        .collect();
    format!(
        ".version 8.0\n.target sm_70\n.address_size 64\n.visible .entry k({})\n{{\n.reg .pred %p<16>;\n.reg .b16 %rs<16>;\n\
         .reg .f32 %f<16>;\n.reg .b32 %r<32>;\n.reg .f64 %fd<16>;\n.reg .b64 %rd<32>;\n{loads}{body}\nret;\n}}\n",
        params.join(", ")
    )
}

impl Bench {
    pub fn new(ptx: &str) -> Self {
        Self::with("", ptx)
    }

    /// With settings as `standin_configure` takes them.
    pub fn with(settings: &str, ptx: &str) -> Self {
        let mut device = Device::default();
        device.settings.configure(settings).unwrap();
        device.memory.hollow = device.settings.count_only;
        let module = device.load(ptx).unwrap();
        Bench { device, module }
    }

    /// An array with values.
    pub fn upload(&mut self, bytes: &[u8]) -> u64 {
        let address = self.empty(bytes.len());
        self.device.memory.upload(address, bytes).unwrap();
        address
    }

    /// An array without.
    pub fn empty(&mut self, bytes: usize) -> u64 {
        self.device.memory.allocate(bytes, u64::MAX).unwrap()
    }

    pub fn download(&mut self, address: u64, bytes: usize) -> Vec<u8> {
        let mut out = vec![0; bytes];
        self.device.memory.download(address, &mut out).unwrap();
        out
    }

    /// Runs the module's kernel `k` in blocks of `threads`, and waits for it.
    pub fn run(&mut self, blocks: u32, threads: u32, arguments: &[u64]) -> Result<(), Fault> {
        let params: Vec<u8> = arguments.iter().flat_map(|argument| argument.to_le_bytes()).collect();
        self.run_with(&Shape { blocks: [blocks, 1, 1], threads: [threads, 1, 1], dynamic: 0 }, &params)
    }

    pub fn run_with(&mut self, shape: &Shape, params: &[u8]) -> Result<(), Fault> {
        let function = self.device.function(self.module, "k")?;
        self.device.launch(self.module, function, shape, params)?;
        match self.device.pending.take() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
}

pub fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}

pub fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
