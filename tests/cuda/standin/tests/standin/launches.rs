//! What the driver's side does: modules, versions, failures that are planned, counting, and `.approx`.

use crate::bench::{bytes_of, kernel, words, Bench};
use standin::device::Device;
use standin::fault::{INVALID_PTX, OUT_OF_MEMORY, UNSUPPORTED_PTX_VERSION};

#[test]
fn ptx_newer_than_the_driver_is_refused() {
    let module = |version: &str, target: &str| format!(".version {version}\n.target {target}\n.address_size 64\n");
    let load = |driver: i32, text: &str| {
        let mut device = Device::default();
        device.settings.driver = driver;
        device.load(text).map_err(|fault| fault.code)
    };
    assert!(load(12000, &module("8.0", "sm_70")).is_ok());
    assert_eq!(load(12000, &module("8.1", "sm_70")), Err(UNSUPPORTED_PTX_VERSION));
    assert_eq!(load(11040, &module("8.0", "sm_70")), Err(UNSUPPORTED_PTX_VERSION));
    assert!(load(11040, &module("7.4", "sm_70")).is_ok());
    assert_eq!(load(12000, &module("8.0", "sm_80")), Err(INVALID_PTX));
    for broken in [
        "",
        ".version 8.0\n.visible .entry k(",
        ".version 8.0\n.entry k() { bra",
        ".version 8.0\n.entry k() { .pragma \"x\"",
    ] {
        assert!(broken.is_empty() || load(12000, broken) == Err(INVALID_PTX), "{broken}");
    }
}

#[test]
fn memory_has_an_end() {
    let mut device = Device::default();
    let one = device.memory.allocate(1000, 4096).unwrap();
    assert_eq!(device.memory.used(), 1024);
    device.memory.allocate(3072, 4096).unwrap();
    let fault = device.memory.allocate(1, 4096).unwrap_err();
    assert_eq!(fault.code, OUT_OF_MEMORY);
    assert!(fault.text.contains("4096 of 4096"), "{fault}");
    device.memory.free(one).unwrap();
    device.memory.allocate(1, 4096).unwrap();
    assert_eq!(device.memory.leaked(), (2, 3073));
}

/// Which bytes have values is kept byte by byte, by copies too.
#[test]
fn copies_take_only_what_has_a_value() {
    let mut device = Device::default();
    let (from, to) = (device.memory.allocate(300, 1 << 20).unwrap(), device.memory.allocate(300, 1 << 20).unwrap());
    for (begin, end) in [(0, 1), (3, 70), (63, 65), (128, 192), (5, 300)] {
        let whole = vec![7; 300];
        device.memory.upload(to, &whole).unwrap();
        let fresh = device.memory.allocate(300, 1 << 20).unwrap();
        device.memory.upload(fresh + begin as u64, &whole[begin..end]).unwrap();
        device.memory.copy(to, fresh, 300).unwrap();
        for at in 0..300 {
            let read = device.memory.download(to + at as u64, &mut [0]);
            assert_eq!(read.is_ok(), at >= begin && at < end, "{begin}..{end} {at}");
        }
        assert!(device.memory.download(to + begin as u64, &mut vec![0; end - begin]).is_ok());
    }
    assert!(device.memory.download(from, &mut [0]).is_err());
    assert!(device.memory.upload(from + 300, &[1]).is_err());
}

#[test]
fn a_launch_fails_when_it_is_planned_to() {
    let mut bench = Bench::with("STANDIN_FAIL=launch:2:700", &kernel(0, ""));
    assert_eq!(bench.run(1, 1, &[]), Ok(()));
    assert_eq!(bench.run(1, 1, &[]).unwrap_err().code, 700);
    assert_eq!(bench.run(1, 1, &[]), Ok(()));
}

#[test]
fn counted_launches_compute_nothing_and_are_checked() {
    let body = "mov.u32 %r1, 7;\nst.global.u32 [%rd1], %r1;";
    let mut bench = Bench::with("STANDIN_COUNT_ONLY=1", &kernel(1, body));
    let array = bench.empty(1 << 34);
    assert_eq!(bench.run(1 << 20, 64, &[array]), Ok(()));
    assert_eq!(bench.run(1, 64, &[array]), Ok(()));
    assert_eq!(bench.device.launches["k"], 2);
    assert_eq!(words(&bench.download(array, 8)), [0, 0]);
    assert!(bench.run(1, 2000, &[array]).is_err());
    assert!(bench.run(1, 64, &[array + (1 << 36)]).is_err());
}

#[test]
fn dimensions_count_x_first() {
    let body = "mov.u32 %r1, %tid.x;\nmov.u32 %r2, %tid.y;\nmov.u32 %r3, %tid.z;\nmov.u32 %r4, %ntid.x;\nmov.u32 %r5, %ntid.y;\n\
                mad.lo.s32 %r6, %r3, %r5, %r2;\nmad.lo.s32 %r6, %r6, %r4, %r1;\nmov.u32 %r7, %ctaid.y;\nmov.u32 %r8, %nctaid.x;\n\
                mov.u32 %r9, %ctaid.x;\nmad.lo.s32 %r9, %r7, %r8, %r9;\nmad.lo.s32 %r6, %r9, 60, %r6;\n\
                mul.wide.u32 %rd10, %r6, 4;\nadd.s64 %rd9, %rd1, %rd10;\nst.global.u32 [%rd9], %r6;";
    let mut bench = Bench::new(&kernel(1, body));
    let out = bench.empty(6 * 60 * 4);
    let shape = standin::device::Shape { blocks: [3, 2, 1], threads: [5, 4, 3], dynamic: 0 };
    bench.run_with(&shape, &out.to_le_bytes()).unwrap();
    assert_eq!(words(&bench.download(out, 1440)), (0..360).collect::<Vec<u32>>());
}

#[test]
fn parameters_have_their_sizes_and_places() {
    let body = "ld.param.u32 %r1, [n];\nld.param.f64 %fd1, [x];\nld.param.u64 %rd2, [shape+8];\nmov.b64 %rd3, shape;\n\
                ld.param.u64 %rd4, [%rd3+16];\nadd.s64 %rd2, %rd2, %rd4;\ncvt.rn.f64.s32 %fd2, %r1;\nadd.rn.f64 %fd1, %fd1, %fd2;\n\
                cvt.rn.f64.s64 %fd3, %rd2;\nadd.rn.f64 %fd1, %fd1, %fd3;\nst.global.f64 [%rd1], %fd1;";
    let ptx = kernel(1, body)
        .replace("k(.param .u64 p0)", "k(.param .u64 p0, .param .u32 n, .param .f64 x, .param .align 8 .b8 shape[24])");
    let mut bench = Bench::new(&ptx);
    let out = bench.empty(8);
    let mut params = out.to_le_bytes().to_vec();
    params.extend_from_slice(&(-3i32).to_le_bytes());
    params.extend_from_slice(&[0; 4]);
    params.extend_from_slice(&0.5f64.to_le_bytes());
    for part in [1u64, 10, 100] {
        params.extend_from_slice(&part.to_le_bytes());
    }
    let shape = standin::device::Shape { blocks: [1; 3], threads: [1; 3], dynamic: 0 };
    bench.run_with(&shape, &params).unwrap();
    assert_eq!(bench.download(out, 8), 107.5f64.to_le_bytes());
    let mut outside = Bench::new(&ptx.replace("[%rd3+16]", "[%rd3+24]"));
    outside.empty(8);
    let outside = outside.run_with(&shape, &params).unwrap_err();
    assert!(outside.text.contains("out of bounds of every parameter"), "{outside}");
}

/// `.approx` stays within what PTX allows, reaches both sides, and follows the seed.
#[test]
fn approximate_results_fill_the_interval_that_is_allowed() {
    for (instruction, exact, bound) in [
        ("rcp.approx.f32 %f2, %f1", (|x: f64| 1.0 / x) as fn(f64) -> f64, 2f64.powi(-23)),
        ("sqrt.approx.f32 %f2, %f1", f64::sqrt, 2f64.powi(-23)),
        ("rsqrt.approx.f32 %f2, %f1", |x| 1.0 / x.sqrt(), 2f64.powf(-22.9)),
        ("ex2.approx.f32 %f2, %f1", f64::exp2, 2f64.powi(-22)),
        ("tanh.approx.f32 %f2, %f1", f64::tanh, 2f64.powi(-11)),
        ("lg2.approx.f32 %f2, %f1", f64::log2, 2f64.powi(-22)),
        ("sin.approx.f32 %f2, %f1", f64::sin, 2f64.powf(-20.9)),
    ] {
        let body = format!(
            "mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd10, %r1, 4;\nadd.s64 %rd9, %rd1, %rd10;\nld.global.f32 %f1, [%rd9];\n\
             {instruction};\nadd.s64 %rd9, %rd2, %rd10;\nst.global.f32 [%rd9], %f2;"
        );
        let inputs: Vec<f32> = (0..256).map(|i| 0.51 + i as f32 / 100.0).collect();
        let run = |seed: u64| {
            let mut bench = Bench::with(&format!("STANDIN_SEED={seed}"), &kernel(2, &body));
            let bits: Vec<u32> = inputs.iter().map(|x| x.to_bits()).collect();
            let (array, out) = (bench.upload(&bytes_of(&bits)), bench.empty(1024));
            bench.run(1, 256, &[array, out]).unwrap();
            words(&bench.download(out, 1024))
        };
        let (mut above, mut below) = (false, false);
        for seed in 1..4 {
            for (&x, result) in inputs.iter().zip(run(seed)) {
                let (exact, result) = (exact(f64::from(x)), f64::from(f32::from_bits(result)));
                let absolute = instruction.starts_with("sin") || instruction.starts_with("lg2") && x < 2.0;
                let most = bound * if absolute { 1.0 } else { exact.abs() };
                // The nearest f32 may itself be half a unit away where the bound is below that.
                let unit = f64::from((exact as f32).abs().next_up()) - f64::from((exact as f32).abs());
                assert!(
                    (result - exact).abs() <= most.max(unit / 2.0),
                    "{instruction} of {x}: {result}, exact {exact}"
                );
                above |= result > exact;
                below |= result < exact;
            }
        }
        assert!(above && below, "{instruction}");
        assert_ne!(run(1), run(2), "{instruction}");
        assert_eq!(run(1), run(1), "{instruction}");
    }
}
