//! Joined tensors: which part of a join's gradient is which operand's.

use super::step::{Written, call, named, step};
use gdstar::oracle::Verdict;
use gdstar::tensor_file::Tensor;
use serde_json::json;

fn numbers(written: &Written, name: &str) -> Vec<f32> {
    written.tensors[name].numbers().iter().map(|&x| x as f32).collect()
}

fn put(written: &mut Written, name: &str, shape: &[usize], numbers: &[f32]) {
    written.tensors.insert(name.to_string(), Tensor::from_slice(shape, numbers));
}

fn product(a: &[f32], b: &[f32], [n, k, m]: [usize; 3]) -> Vec<f32> {
    (0..n * m).map(|at| (0..k).map(|l| a[at / m * k + l] * b[l * m + at % m]).sum()).collect()
}

fn turned(a: &[f32], [n, m]: [usize; 2]) -> Vec<f32> {
    (0..n * m).map(|at| a[at % n * m + at / n]).collect()
}

/// h = x w1, r = relu(h), z = stack(h, r), q = z[1], y = q w2: a recurrent network's last state of all. h is used by the ReLU and by
/// the stack, whose contribution is all 0. `parts`: what the port takes of the stack's gradient for h and for r.
fn stacked(parts: [usize; 2]) -> Written {
    let mut written = step();
    let (h, r, x) = (numbers(&written, "h"), numbers(&written, "r"), numbers(&written, "x"));
    put(&mut written, "z", &[2, 2, 3], &[h.clone(), r.clone()].concat());
    let y = product(&r, &numbers(&written, "w2"), [2, 3, 2]);
    put(&mut written, "loss", &[1, 1], &[y.iter().sum()]);
    put(&mut written, "y", &[2, 2], &y);
    put(&mut written, "rt", &[3, 2], &turned(&r, [2, 3]));
    put(&mut written, "dw2", &[3, 2], &product(&turned(&r, [2, 3]), &[1.0; 4], [3, 2, 2]));
    let dq = numbers(&written, "ds");
    let dz = [vec![0.0; 6], dq].concat();
    put(&mut written, "dz", &[2, 2, 3], &dz);
    let part = |i: usize| dz[6 * i..6 * i + 6].to_vec();
    put(&mut written, "dz0", &[2, 3], &part(0));
    let gated: Vec<f32> = part(parts[1]).iter().zip(&r).map(|(d, r)| if *r > 0.0 { *d } else { 0.0 }).collect();
    let met: Vec<f32> = part(parts[0]).iter().zip(&gated).map(|(a, b)| a + b).collect();
    put(&mut written, "dr", &[2, 3], &gated);
    put(&mut written, "dh", &[2, 3], &met);
    put(&mut written, "dw1", &[3, 3], &product(&turned(&x, [2, 3]), &met, [3, 2, 3]));
    let of_part = ["dz0", "ds"];
    let (forward, backward) = ("forward", "backward");
    let select = |name: &str, i: usize| {
        call(name, "aten.select.int", backward, Some("stack"), json!([named("dz"), 0, i]), of_part[i])
    };
    let threshold = json!([named(of_part[parts[1]]), named("r"), 0]);
    let added = json!([named(of_part[parts[0]]), named("dr")]);
    let cases = [
        call("mm1", "aten.mm.default", forward, None, json!([named("x"), named("w1")]), "h"),
        call("relu", "aten.relu.default", forward, None, json!([named("h")]), "r"),
        call("stack", "aten.stack.default", forward, None, json!([[named("h"), named("r")]]), "z"),
        call("last", "aten.select.int", forward, None, json!([named("z"), 0, 1]), "r"),
        call("mm2", "aten.mm.default", forward, None, json!([named("r"), named("w2")]), "y"),
        written.case("sum").clone(),
        written.case("sum.expand").clone(),
        call("mm2.rt", "aten.t.default", backward, Some("mm2"), json!([named("r")]), "rt"),
        call("mm2.dw", "aten.mm.default", backward, Some("mm2"), json!([named("rt"), named("dy")]), "dw2"),
        written.case("mm2.wt").clone(),
        written.case("mm2.dx").clone(),
        call(
            "last.bwd",
            "aten.select_backward.default",
            backward,
            Some("last"),
            json!([named("ds"), [2, 2, 3], 0, 1]),
            "dz",
        ),
        select("stack.0", 0),
        select("stack.1", 1),
        call("relu.bwd", "aten.threshold_backward.default", backward, Some("relu"), threshold, "dr"),
        call("meet", "aten.add.Tensor", backward, None, added, "dh"),
        written.case("mm1.xt").clone(),
        written.case("mm1.dw").clone(),
    ];
    written.header["cases"] = json!(cases);
    written
}

/// The sum of a gradient and of zeros has the gradient's bits: the part that adds nothing is not missing.
#[test]
fn a_part_that_is_all_0_is_not_missed() {
    let report = stacked([0, 1]).judged();
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
}

/// Each op is right on its own operands; that the parts are the other way round, the wiring tells.
#[test]
fn parts_that_are_swapped_are_named() {
    let report = stacked([1, 0]).judged();
    assert_eq!(report.verdict, Verdict::Fail, "{report}");
    let first = &report.findings[0];
    assert_eq!((first.label.as_str(), first.case.as_str()), ("wiring.gradient", "mm1.dw"), "{report}");
    assert!(report.findings.iter().all(|finding| finding.label.starts_with("wiring")), "every op is right: {report}");
}

/// h = x w1, r = relu(h), s = h + r, z = stack(r, s), q = z[1], y = q w2, as a gated network's states are formed. q has the bits of s,
/// so that nobody can say whether it is s or q that y is formed of: what flows back is there once.
#[test]
fn what_is_cut_out_again_is_no_second_use() {
    let mut written = step();
    let (r, s, x, ds) = {
        let of = |name| numbers(&written, name);
        (of("r"), of("s"), of("x"), of("ds"))
    };
    put(&mut written, "z", &[2, 2, 3], &[r.clone(), s].concat());
    put(&mut written, "dz", &[2, 2, 3], &[vec![0.0; 6], ds.clone()].concat());
    put(&mut written, "dz0", &[2, 3], &[0.0; 6]);
    let gated: Vec<f32> = ds.iter().zip(&r).map(|(d, r)| if *r > 0.0 { *d } else { 0.0 }).collect();
    let met: Vec<f32> = ds.iter().zip(&gated).map(|(a, b)| a + b).collect();
    put(&mut written, "dr", &[2, 3], &gated);
    put(&mut written, "dh", &[2, 3], &met);
    put(&mut written, "dw1", &[3, 3], &product(&turned(&x, [2, 3]), &met, [3, 2, 3]));
    let (forward, backward) = ("forward", "backward");
    let select = |name: &str, i: usize, result: &str| {
        call(name, "aten.select.int", backward, Some("stack"), json!([named("dz"), 0, i]), result)
    };
    let cut = json!([named("ds"), [2, 2, 3], 0, 1]);
    let added = [
        (3, call("stack", "aten.stack.default", forward, None, json!([[named("r"), named("s")]]), "z")),
        (4, call("last", "aten.select.int", forward, None, json!([named("z"), 0, 1]), "s")),
        (12, call("last.bwd", "aten.select_backward.default", backward, Some("last"), cut, "dz")),
        (13, select("stack.0", 0, "dz0")),
        (14, select("stack.1", 1, "ds")),
        (15, call("first", "aten.add.Tensor", backward, None, json!([named("dz0"), named("ds")]), "ds")),
    ];
    let cases = written.header["cases"].as_array_mut().unwrap();
    added.into_iter().for_each(|(at, case)| cases.insert(at, case));
    let report = written.judged();
    assert_eq!(report.verdict, Verdict::Pass, "{report}");
}
