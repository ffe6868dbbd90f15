//! A kernel that has each fault, and the fault that is reported; and beside it the same kernel without, which runs.

use crate::bench::{kernel, Bench};
use standin::device::Shape;
use standin::fault::{
    Fault, ILLEGAL_ADDRESS, ILLEGAL_INSTRUCTION, INVALID_VALUE, LAUNCH_FAILED, MISALIGNED_ADDRESS, TIMEOUT,
};

/// %r1 is the thread, %rd9 the address of its word in p0, %rd8 of its word in shared memory.
const PLACES: &str = "mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd10, %r1, 4;\nadd.s64 %rd9, %rd1, %rd10;\n";

const SHARED: &str = ".shared .align 4 .b8 tile[256];\nmov.u32 %r1, %tid.x;\nmul.wide.u32 %rd10, %r1, 4;\n\
                      add.s64 %rd9, %rd1, %rd10;\nmov.u64 %rd8, tile;\nadd.s64 %rd8, %rd8, %rd10;\n";

/// Runs `body` with 64 threads a block and p0 an array of 64 words with values.
fn run(blocks: u32, body: &str) -> Result<(), Fault> {
    let mut results = ["quick", "serial", "reverse", "random", "priority"].map(|schedule| {
        let settings = format!("STANDIN_SCHEDULE={schedule} STANDIN_SEED=5 STANDIN_STEPS=100000");
        let mut bench = Bench::with(&settings, &kernel(1, body));
        let array = bench.upload(&[1; 256]);
        bench.run(blocks, 64, &[array])
    });
    // Whatever the schedule, the same is found.
    let first = results[0].as_ref().map_err(|fault| fault.code).copied();
    for result in &results {
        assert_eq!(result.as_ref().map_err(|fault| fault.code).copied(), first, "{result:?}");
    }
    std::mem::replace(&mut results[0], Ok(()))
}

#[track_caller]
fn found(result: Result<(), Fault>, code: i32, words: &[&str]) {
    let fault = result.expect_err("nothing was found");
    assert_eq!(fault.code, code, "{fault}");
    for word in words {
        assert!(fault.text.contains(word), "`{word}` is not in: {fault}");
    }
}

#[test]
fn a_missing_barrier_is_a_race() {
    let body = |barrier: &str| {
        format!(
            "{SHARED}st.shared.u32 [%rd8], %r1;\n{barrier}\nxor.b32 %r2, %r1, 1;\nmul.wide.u32 %rd11, %r2, 4;\n\
             mov.u64 %rd12, tile;\nadd.s64 %rd12, %rd12, %rd11;\nld.shared.u32 %r3, [%rd12];\nst.global.u32 [%rd9], %r3;"
        )
    };
    assert_eq!(run(1, &body("bar.sync 0;")), Ok(()));
    // In lock-step a warp's threads have all written before one reads: only who wrote tells.
    let fault = run(1, &body(""));
    let fault = fault.expect_err("nothing was found");
    assert_eq!(fault.code, LAUNCH_FAILED);
}

#[test]
fn a_missing_second_barrier_is_a_race_of_a_write_with_a_read() {
    let body = |barrier: &str| {
        format!(
            "{SHARED}st.shared.u32 [%rd8], %r1;\nbar.sync 0;\nmov.u64 %rd12, tile;\nld.shared.u32 %r3, [%rd12+128];\n\
             {barrier}\nst.shared.u32 [%rd8], %r3;\nst.global.u32 [%rd9], %r3;"
        )
    };
    assert_eq!(run(1, &body("bar.sync 0;")), Ok(()));
    found(run(1, &body("")), LAUNCH_FAILED, &["race"]);
}

#[test]
fn threads_of_a_block_that_write_one_word_are_a_race() {
    found(
        run(1, "mov.u32 %r1, 7;\nst.global.u32 [%rd1], %r1;"),
        LAUNCH_FAILED,
        &["a write of what was written", "same block"],
    );
}

#[test]
fn blocks_that_share_a_word_are_a_race_whatever_barriers_they_pass() {
    let body = format!("{PLACES}bar.sync 0;\nld.global.u32 %r2, [%rd9];\nbar.sync 0;\nst.global.u32 [%rd9], %r2;");
    assert_eq!(run(1, &body), Ok(()));
    found(run(2, &body), LAUNCH_FAILED, &["another block"]);
}

#[test]
fn a_lost_update_is_a_race_and_an_atomic_one_is_none() {
    let plain = "ld.global.u32 %r1, [%rd1];\nadd.s32 %r1, %r1, 1;\nst.global.u32 [%rd1], %r1;";
    found(run(1, plain), LAUNCH_FAILED, &["race"]);
    assert_eq!(run(3, "atom.global.add.u32 %r1, [%rd1], 1;"), Ok(()));
    assert_eq!(run(3, "red.global.add.u32 [%rd1], 1;"), Ok(()));
}

#[test]
fn an_atomic_and_a_plain_access_of_one_word_are_a_race() {
    found(run(1, "atom.global.add.u32 %r1, [%rd1], 1;\nld.global.u32 %r2, [%rd1];"), LAUNCH_FAILED, &["race"]);
    let ordered = "atom.global.add.u32 %r1, [%rd1], 1;\nbar.sync 0;\nld.global.u32 %r2, [%rd1];";
    assert_eq!(run(1, ordered), Ok(()));
    found(run(2, ordered), LAUNCH_FAILED, &["race", "another block"]);
}

#[test]
fn bytes_side_by_side_are_no_race_and_the_same_byte_is_one() {
    let body = |scale: u32| {
        format!(
            "mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd10, %r1, {scale};\nadd.s64 %rd9, %rd1, %rd10;\ncvt.u16.u32 %rs1, %r1;\n\
             st.global.u8 [%rd9], %rs1;"
        )
    };
    assert_eq!(run(1, &body(1)), Ok(()));
    found(run(1, &body(0)), LAUNCH_FAILED, &["race"]);
}

#[test]
fn a_word_read_by_many_and_written_after_a_barrier_is_no_race() {
    let body = format!(
        "{PLACES}ld.global.u32 %r2, [%rd1];\nbar.sync 0;\nsetp.ne.s32 %p1, %r1, 0;\n@%p1 bra $end;\n\
         st.global.u32 [%rd1], %r2;\n$end:"
    );
    assert_eq!(run(1, &body), Ok(()));
}

#[test]
fn launches_are_ordered() {
    let mut bench = Bench::new(&kernel(1, &format!("{PLACES}st.global.u32 [%rd9], %r1;")));
    let array = bench.upload(&[0; 256]);
    assert_eq!(bench.run(1, 64, &[array]), Ok(()));
    assert_eq!(bench.run(1, 64, &[array]), Ok(()));
}

#[test]
fn memory_that_was_never_written_is_not_read() {
    let body = format!("{PLACES}ld.global.u32 %r2, [%rd9];");
    let mut bench = Bench::new(&kernel(1, &body));
    let array = bench.empty(256);
    found(bench.run(1, 64, &[array]), LAUNCH_FAILED, &["never written", "line 17", "thread (0, 0, 0)"]);
    found(run(1, &format!("{SHARED}ld.shared.u32 %r2, [%rd8];")), LAUNCH_FAILED, &["never written"]);
    let local = ".local .align 4 .b8 mine[16];\nmov.u64 %rd2, mine;\nst.local.u32 [%rd2+4], 1;\n";
    assert_eq!(run(1, &format!("{local}ld.local.u32 %r2, [%rd2+4];")), Ok(()));
    found(run(1, &format!("{local}ld.local.u32 %r2, [%rd2];")), LAUNCH_FAILED, &["never written"]);
}

#[test]
fn shared_memory_keeps_no_value_from_the_block_before() {
    // The first block writes, the second reads.
    let body = format!(
        "{SHARED}mov.u32 %r4, %ctaid.x;\nsetp.ne.s32 %p1, %r4, 0;\n@%p1 bra $read;\nst.shared.u32 [%rd8], %r1;\n\
         bra.uni $end;\n$read:\nld.shared.u32 %r2, [%rd8];\n$end:"
    );
    found(run(2, &body), LAUNCH_FAILED, &["never written"]);
}

#[test]
fn no_access_leaves_its_array() {
    found(
        run(1, &format!("{PLACES}ld.global.u32 %r2, [%rd9+4];")),
        ILLEGAL_ADDRESS,
        &["out of bounds", "256..260 of 256", "thread (63, 0, 0)"],
    );
    found(run(1, &format!("{PLACES}ld.global.u32 %r2, [%rd9+-4];")), ILLEGAL_ADDRESS, &["-4..0 of 256"]);
    found(run(1, &format!("{PLACES}st.global.u32 [%rd9+4], %r1;")), ILLEGAL_ADDRESS, &["out of bounds"]);
    found(run(1, &format!("{SHARED}st.shared.u32 [%rd8+4], %r1;")), ILLEGAL_ADDRESS, &["every shared variable"]);
    let local = ".local .align 4 .b8 mine[16];\nmov.u64 %rd2, mine;\nst.local.u32 [%rd2+16], 1;";
    found(run(1, local), ILLEGAL_ADDRESS, &["out of bounds"]);
}

#[test]
fn two_shared_variables_do_not_touch() {
    let body =
        ".shared .align 4 .b8 one[4];\n.shared .align 4 .b8 two[4];\nmov.u32 %r1, %tid.x;\nsetp.ne.s32 %p1, %r1, 0;\n\
                @%p1 bra $end;\nmov.u64 %rd8, one;\nst.shared.u32 [%rd8+OFFSET], %r1;\n$end:";
    assert_eq!(run(1, &body.replace("OFFSET", "0")), Ok(()));
    found(run(1, &body.replace("OFFSET", "4")), ILLEGAL_ADDRESS, &["every shared variable"]);
}

#[test]
fn null_is_no_address() {
    let mut bench = Bench::new(&kernel(1, "ld.global.u32 %r1, [%rd1];"));
    found(bench.run(1, 1, &[0]), ILLEGAL_ADDRESS, &["no memory"]);
}

#[test]
fn freed_memory_is_not_used() {
    let mut bench = Bench::new(&kernel(2, "ld.global.u64 %rd3, [%rd1];\nld.global.u32 %r1, [%rd3];"));
    let gone = bench.upload(&[1; 64]);
    let pointer = bench.upload(&gone.to_le_bytes());
    assert_eq!(bench.run(1, 1, &[pointer, 0]), Ok(()));
    bench.device.memory.free(gone).unwrap();
    found(bench.run(1, 1, &[pointer, 0]), ILLEGAL_ADDRESS, &["after it was freed"]);
    // As an argument it does not come so far.
    found(bench.run(1, 1, &[gone, 0]), INVALID_VALUE, &["argument 0 (`p0`)", "no address of living memory"]);
    assert_eq!(bench.device.memory.free(gone).unwrap_err().code, INVALID_VALUE);
}

#[test]
fn addresses_are_aligned() {
    found(run(1, "ld.global.u32 %r1, [%rd1+2];"), MISALIGNED_ADDRESS, &["misaligned"]);
    found(run(1, "ld.global.v2.u32 {%r1, %r2}, [%rd1+4];"), MISALIGNED_ADDRESS, &["misaligned"]);
    assert_eq!(run(1, "ld.global.v2.u32 {%r1, %r2}, [%rd1+8];"), Ok(()));
    found(run(1, &format!("{SHARED}st.shared.u32 [%rd8+2], %r1;")), MISALIGNED_ADDRESS, &["misaligned"]);
}

#[test]
fn all_threads_come_to_the_same_barrier() {
    let returned = format!("{PLACES}setp.gt.u32 %p1, %r1, 40;\n@%p1 ret;\nbar.sync 0;");
    found(run(1, &returned), LAUNCH_FAILED, &["barrier divergence", "returned"]);
    let two = format!(
        "{PLACES}setp.gt.u32 %p1, %r1, 40;\n@%p1 bra $other;\nbar.sync 0;\nbra.uni $end;\n$other:\nbar.sync 0;\n$end:"
    );
    found(run(1, &two), LAUNCH_FAILED, &["barrier divergence", "another"]);
}

#[test]
fn a_loop_without_end_is_ended() {
    found(run(1, "$loop:\nbra.uni $loop;"), TIMEOUT, &["does not end"]);
}

#[test]
fn a_trap_is_reported() {
    found(
        run(1, "mov.u32 %r1, %tid.x;\nsetp.eq.s32 %p1, %r1, 3;\n@%p1 trap;"),
        LAUNCH_FAILED,
        &["trap", "thread (3, 0, 0)"],
    );
}

#[test]
fn the_read_only_cache_does_not_see_what_the_launch_writes() {
    let body = format!("{PLACES}ld.global.u32 %r2, [%rd9];\nst.global.u32 [%rd9], %r2;\nld.global.nc.u32 %r3, [%rd9];");
    found(run(1, &body), LAUNCH_FAILED, &["read-only cache"]);
}

#[test]
fn constant_memory_is_not_written() {
    let ptx = kernel(0, "mov.u64 %rd1, table;\nst.global.u32 [%rd1], 1;")
        .replace(".visible", ".const .align 4 .b8 table[8] = {1, 0, 0, 0, 2};\n.visible");
    found(Bench::new(&ptx).run(1, 1, &[]), ILLEGAL_ADDRESS, &["constant memory"]);
}

#[test]
fn an_instruction_that_is_not_known_fails_the_launch_by_name() {
    for unknown in [
        "atom.global.add.f32 %f1, [%rd1], %f2;",
        "red.global.add.f64 [%rd1], %fd2;",
        "shfl.sync.down.b32 %r1|%p1, %r2, 1, 31, -1;",
        "vote.sync.ballot.b32 %r1, %p1, -1;",
        "activemask.b32 %r1;",
        "bar.warp.sync -1;",
        "bar.sync 1;",
        "bar.red.popc.u32 %r1, 0, %p1;",
        "add.rz.f64 %fd1, %fd2, %fd3;",
        "mov.u32 %r1, %laneid;",
        "mov.u32 %r1, %clock;",
        "dp4a.s32.s32 %r1, %r2, %r3, %r4;",
    ] {
        let name = unknown.split_whitespace().next().unwrap();
        let name =
            if name == "mov.u32" { unknown.trim_end_matches(';').split_whitespace().last().unwrap() } else { name };
        let mut bench = Bench::new(&kernel(1, unknown));
        let array = bench.upload(&[0; 256]);
        let fault = bench.run(1, 1, &[array]).expect_err(unknown);
        assert!(fault.text.contains(name) && fault.text.contains("kernel `k`"), "{fault}");
        assert!(name.starts_with('%') || fault.code == ILLEGAL_INSTRUCTION, "{fault}");
    }
}

#[test]
fn a_launch_keeps_the_limits() {
    let ptx =
        kernel(0, ".shared .align 4 .b8 tile[1024];\nmov.u64 %rd1, tile;").replace(")\n{", ")\n.maxntid 128, 1, 1\n{");
    let shape = |blocks: [u32; 3], threads: [u32; 3], dynamic| Shape { blocks, threads, dynamic };
    let mut bench = Bench::new(&ptx);
    assert_eq!(bench.run_with(&shape([1, 1, 1], [128, 1, 1], 0), &[]), Ok(()));
    for (wrong, word) in [
        (shape([0, 1, 1], [1, 1, 1], 0), "a grid of [0, 1, 1]"),
        (shape([1, 65536, 1], [1, 1, 1], 0), "a grid of"),
        (shape([1, 1, 1], [1, 0, 1], 0), "a block of"),
        (shape([1, 1, 1], [1, 1, 65], 0), "a block of"),
        (shape([1, 1, 1], [129, 1, 1], 0), "129 threads per block, at most 128"),
        (shape([1, 1, 1], [1, 1, 1], 16), "takes none"),
    ] {
        found(bench.run_with(&wrong, &[]), INVALID_VALUE, &[word, "launch of `k`"]);
    }
    let dynamic = kernel(0, "mov.u64 %rd1, pool;\nst.shared.u8 [%rd1+AT], %rs1;")
        .replace(".visible", ".extern .shared .align 16 .b8 pool[];\n.visible");
    let mut bench = Bench::new(&dynamic.replace("AT", "15"));
    assert_eq!(bench.run_with(&shape([1, 1, 1], [1, 1, 1], 16), &[]), Ok(()));
    found(bench.run_with(&shape([1, 1, 1], [1, 1, 1], 49153), &[]), INVALID_VALUE, &["shared memory, at most 49152"]);
    found(
        Bench::new(&dynamic.replace("AT", "16")).run_with(&shape([1, 1, 1], [1, 1, 1], 16), &[]),
        ILLEGAL_ADDRESS,
        &["shared"],
    );
}
