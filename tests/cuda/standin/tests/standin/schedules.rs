//! All schedules run all threads of all blocks once, and differ in their order.

use crate::bench::{kernel, words, Bench};
use standin::settings::SCHEDULES;

/// The order in which 4 blocks of 40 threads take their tickets.
fn order(schedule: &str, seed: u64) -> Vec<u32> {
    let body = "mov.u32 %r1, %tid.x;\nmov.u32 %r2, %ctaid.x;\nmov.u32 %r3, %ntid.x;\nmad.lo.s32 %r4, %r2, %r3, %r1;\n\
                atom.global.add.u32 %r5, [%rd1], 1;\nmul.wide.u32 %rd10, %r4, 4;\nadd.s64 %rd9, %rd2, %rd10;\n\
                st.global.u32 [%rd9], %r5;";
    let settings = format!("STANDIN_SCHEDULE={schedule} STANDIN_SEED={seed}");
    let mut bench = Bench::with(&settings, &kernel(2, body));
    let (ticket, out) = (bench.upload(&[0; 4]), bench.empty(640));
    bench.run(4, 40, &[ticket, out]).unwrap();
    words(&bench.download(out, 640))
}

#[test]
fn every_thread_runs_once_in_every_schedule() {
    for (schedule, _) in SCHEDULES {
        for seed in 0..8 {
            let mut tickets = order(schedule, seed);
            tickets.sort_unstable();
            assert_eq!(tickets, (0..160).collect::<Vec<u32>>(), "{schedule} {seed}");
        }
    }
}

#[test]
fn the_order_follows_from_the_seed_and_differs_with_it() {
    assert_eq!(order("quick", 0), (0..160).collect::<Vec<u32>>());
    assert_eq!(order("reverse", 0), (0..160).rev().collect::<Vec<u32>>());
    for schedule in ["quick", "serial", "random", "priority"] {
        assert_eq!(order(schedule, 3), order(schedule, 3), "{schedule}");
        assert_ne!(order(schedule, 3), order(schedule, 4), "{schedule}");
    }
}

#[test]
fn blocks_are_interleaved_where_they_may_be() {
    let interleaved = |tickets: &[u32]| {
        let mut blocks: Vec<(u32, usize)> = tickets.iter().enumerate().map(|(i, &ticket)| (ticket, i / 40)).collect();
        blocks.sort_unstable();
        blocks.windows(2).filter(|pair| pair[0].1 != pair[1].1).count() > 3
    };
    assert!(!interleaved(&order("serial", 1)));
    for schedule in ["random", "priority"] {
        assert!((0..8).any(|seed| interleaved(&order(schedule, seed))), "{schedule}");
    }
}

/// Threads of a warp that part in a loop come together again, and each goes round as often as it must.
#[test]
fn threads_part_and_meet() {
    let body = "mov.u32 %r1, %tid.x;\nmov.u32 %r2, 0;\nmov.u32 %r3, 0;\n$loop:\nsetp.ge.u32 %p1, %r2, %r1;\n@%p1 bra $end;\n\
                add.s32 %r2, %r2, 1;\nand.b32 %r4, %r2, 1;\nsetp.eq.s32 %p2, %r4, 0;\n@%p2 bra $loop;\nadd.s32 %r3, %r3, %r2;\n\
                bra.uni $loop;\n$end:\nbar.sync 0;\nmul.wide.u32 %rd10, %r1, 4;\nadd.s64 %rd9, %rd1, %rd10;\n\
                st.global.u32 [%rd9], %r3;";
    for (schedule, _) in SCHEDULES {
        let settings = format!("STANDIN_SCHEDULE={schedule} STANDIN_SEED=2");
        let mut bench = Bench::with(&settings, &kernel(1, body));
        let out = bench.empty(400);
        bench.run(1, 100, &[out]).unwrap();
        // The sum of the odd numbers up to t is ((t + 1) / 2)^2.
        let expected: Vec<u32> = (0..100u32).map(|t| t.div_ceil(2).pow(2)).collect();
        assert_eq!(words(&bench.download(out, 400)), expected, "{schedule}");
    }
}
