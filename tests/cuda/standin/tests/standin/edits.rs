//! A planted fault changes what it says, and nothing else.

use crate::bench::{kernel, words, Bench};
use standin::edit::parse;

/// Runs `k` on one thread, with p0 for its result, under an edit.
fn result(edit: &str) -> u32 {
    let body =
        "mov.u32 %r1, 20;\nmov.u32 %r2, 3;\nsub.s32 %r3, %r1, %r2;\nsub.s32 %r3, %r3, 1;\nst.global.u32 [%rd1], %r3;";
    let mut bench = Bench::new(".version 8.0\n.target sm_70\n.address_size 64\n");
    bench.device.settings.edits = parse(edit).unwrap();
    let module = bench.device.load(&kernel(1, body)).unwrap();
    assert_eq!(bench.device.edited.len(), edit.split(" & ").filter(|edit| edit.starts_with('k')).count());
    let out = bench.upload(&[0; 4]);
    let function = bench.device.function(module, "k").unwrap();
    let shape = standin::device::Shape { blocks: [1; 3], threads: [1; 3], dynamic: 0 };
    bench.device.launch(module, function, &shape, &out.to_le_bytes()).unwrap();
    assert_eq!(bench.device.pending, None);
    words(&bench.download(out, 4))[0]
}

#[test]
fn each_change_does_what_it_says() {
    assert_eq!(result(""), 16);
    assert_eq!(result("other: sub.s32 #1 -> nothing"), 16);
    assert_eq!(result("k: sub.s32 #2 -> nothing"), 17);
    assert_eq!(result("k: sub.s32 #1 -> add.s32"), 22);
    assert_eq!(result("k: sub.s32 #1 -> swap 2 3"), -18i32 as u32);
    assert_eq!(result("k: sub.s32 #2 -> operand 3 = 5"), 12);
    assert_eq!(result("k: sub.s32 #2 -> operand 3 = %r2"), 14);
    assert_eq!(result("k: sub.s32 @17 -> nothing"), 17);
    assert_eq!(result("k: sub.s32 #1 -> add.s32 & k: sub.s32 #1 -> add.s32"), 24);
}

#[test]
fn what_is_no_edit_is_refused() {
    for wrong in ["k", "k: sub.s32 -> nothing", "k: sub.s32 #0 -> nothing", "k: sub.s32 #1 -> swap 1", "k: sub.s32 #1"]
    {
        assert!(parse(wrong).unwrap_err().text.contains(wrong));
    }
}

/// A torn update is a race, where the whole one is none.
#[test]
fn a_torn_update_is_seen() {
    for operation in
        ["red.global.add.u32 [%rd1], 1;", "atom.global.max.u32 %r1, [%rd1], 1;", "atom.global.exch.b32 %r1, [%rd1], 1;"]
    {
        let ptx = kernel(1, operation);
        let name = operation.split(' ').next().unwrap();
        for (edit, survives) in [(String::new(), true), (format!("k: {name} #1 -> torn"), false)] {
            let mut bench = Bench::new(".version 8.0\n.target sm_70\n.address_size 64\n");
            bench.device.settings.edits = parse(&edit).unwrap();
            let module = bench.device.load(&ptx).unwrap();
            let function = bench.device.function(module, "k").unwrap();
            let array = bench.upload(&[0; 4]);
            let shape = standin::device::Shape { blocks: [1; 3], threads: [8, 1, 1], dynamic: 0 };
            bench.device.launch(module, function, &shape, &array.to_le_bytes()).unwrap();
            assert_eq!(bench.device.pending.is_none(), survives, "{operation} {edit}: {:?}", bench.device.pending);
        }
    }
}
