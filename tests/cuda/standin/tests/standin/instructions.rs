//! Each instruction's result, at ordinary values and at the edges of its type.

use crate::bench::{kernel, Bench};

/// What `instruction` makes of each row of operands, one thread a row. `types` are the operands' and then the result's; in the
/// instruction they are A, B, C and D.
fn results(instruction: &str, types: &[&str], rows: &[&[u64]]) -> Vec<u64> {
    let mut body = "mov.u32 %r30, %tid.x;\nmul.wide.u32 %rd30, %r30, 8;\n".to_string();
    let mut line = instruction.to_string();
    let (operands, result) = types.split_at(types.len() - 1);
    for (i, (kind, letter)) in operands.iter().zip(["A", "B", "C"]).enumerate() {
        let n = i + 10;
        body += &format!("add.s64 %rd29, %rd{}, %rd30;\nld.global.u64 %rd{n}, [%rd29];\n", i + 2);
        body += &match *kind {
            "16" => format!("cvt.u16.u64 %rs{n}, %rd{n};\n"),
            "32" => format!("cvt.u32.u64 %r{n}, %rd{n};\n"),
            "f32" => format!("cvt.u32.u64 %r{n}, %rd{n};\nmov.b32 %f{n}, %r{n};\n"),
            "f64" => format!("mov.b64 %fd{n}, %rd{n};\n"),
            "p" => format!("setp.ne.s64 %p{n}, %rd{n}, 0;\n"),
            _ => String::new(),
        };
        line = line.replace(letter, &format!("{}{n}", prefix(kind)));
    }
    body += &format!("{};\n", line.replace('D', &format!("{}9", prefix(result[0]))));
    body += match result[0] {
        "16" => "cvt.u64.u16 %rd9, %rs9;\n",
        "32" => "cvt.u64.u32 %rd9, %r9;\n",
        "f32" => "mov.b32 %r9, %f9;\ncvt.u64.u32 %rd9, %r9;\n",
        "f64" => "mov.b64 %rd9, %fd9;\n",
        "p" => "selp.b64 %rd9, 1, 0, %p9;\n",
        _ => "",
    };
    body += "add.s64 %rd29, %rd1, %rd30;\nst.global.u64 [%rd29], %rd9;";
    let mut bench = Bench::new(&kernel(operands.len() + 1, &body));
    let bytes = 8 * rows.len();
    let out = bench.empty(bytes);
    let mut arguments = vec![out];
    for i in 0..operands.len() {
        let column: Vec<u8> = rows.iter().flat_map(|row| row[i].to_le_bytes()).collect();
        arguments.push(bench.upload(&column));
    }
    bench.run(1, rows.len() as u32, &arguments).unwrap_or_else(|fault| panic!("{instruction}: {fault}"));
    let out = bench.download(out, bytes);
    out.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

fn prefix(kind: &str) -> &str {
    match kind {
        "16" => "%rs",
        "32" => "%r",
        "f32" => "%f",
        "f64" => "%fd",
        "p" => "%p",
        _ => "%rd",
    }
}

/// Rows are the operands and then the result.
#[track_caller]
fn check(instruction: &str, types: &[&str], rows: &[&[u64]]) {
    let found = results(instruction, types, rows);
    for (row, found) in rows.iter().zip(found) {
        let expected = row[row.len() - 1];
        assert_eq!(found, expected, "{instruction} of {row:x?}: found {found:x}, expected {expected:x}");
    }
}

/// A negative number of 32 bits, as they stand in a row.
const fn m(x: i32) -> u64 {
    x as u32 as u64
}
const fn l(x: i64) -> u64 {
    x as u64
}
fn f(x: f32) -> u64 {
    u64::from(x.to_bits())
}
fn d(x: f64) -> u64 {
    x.to_bits()
}
const TOP: u64 = 0x8000_0000;
const NAN32: u64 = 0x7fff_ffff;

#[test]
fn sums_and_differences_wrap() {
    check("add.s32 D, A, B", &["32", "32", "32"], &[&[5, m(-7), m(-2)], &[0x7fff_ffff, 1, TOP]]);
    check("add.u32 D, A, B", &["32", "32", "32"], &[&[0xffff_ffff, 2, 1]]);
    check("sub.s32 D, A, B", &["32", "32", "32"], &[&[3, 5, m(-2)], &[TOP, 1, 0x7fff_ffff]]);
    check("add.s64 D, A, B", &["64", "64", "64"], &[&[l(i64::MAX), 1, l(i64::MIN)], &[1 << 32, l(-1), 0xffff_ffff]]);
    check("sub.s64 D, A, B", &["64", "64", "64"], &[&[0, 1, u64::MAX]]);
    check("add.s16 D, A, B", &["16", "16", "16"], &[&[0x7fff, 1, 0x8000], &[0xffff, 1, 0]]);
    check("sub.s16 D, A, B", &["16", "16", "16"], &[&[0, 1, 0xffff]]);
    check("neg.s32 D, A", &["32", "32"], &[&[1, m(-1)], &[TOP, TOP]]);
    check("neg.s64 D, A", &["64", "64"], &[&[1, u64::MAX]]);
    check("abs.s32 D, A", &["32", "32"], &[&[m(-5), 5], &[TOP, TOP]]);
    check("abs.s64 D, A", &["64", "64"], &[&[l(-5), 5]]);
}

#[test]
fn products_give_low_high_and_whole() {
    check("mul.lo.s32 D, A, B", &["32", "32", "32"], &[&[m(-3), 7, m(-21)], &[0x10000, 0x10000, 0]]);
    check("mul.hi.u32 D, A, B", &["32", "32", "32"], &[&[0xffff_ffff, 0xffff_ffff, 0xffff_fffe]]);
    check("mul.hi.s32 D, A, B", &["32", "32", "32"], &[&[m(-1), 2, m(-1)], &[TOP, TOP, 0x4000_0000]]);
    check("mul.hi.u64 D, A, B", &["64", "64", "64"], &[&[u64::MAX, u64::MAX, u64::MAX - 1]]);
    check("mul.hi.s64 D, A, B", &["64", "64", "64"], &[&[l(-1), 2, l(-1)]]);
    check("mul.lo.s64 D, A, B", &["64", "64", "64"], &[&[l(-3), 1 << 40, l(-3 << 40)], &[1 << 32, 1 << 32, 0]]);
    check("mul.wide.u32 D, A, B", &["32", "32", "64"], &[&[0xffff_ffff, 4, 0x3_ffff_fffc]]);
    check("mul.wide.s32 D, A, B", &["32", "32", "64"], &[&[m(-2), 4, l(-8)]]);
    check("mul.wide.u16 D, A, B", &["16", "16", "32"], &[&[0xffff, 0xffff, 0xfffe_0001]]);
    check("mul.wide.s16 D, A, B", &["16", "16", "32"], &[&[0xffff, 3, m(-3)]]);
    check("mul.lo.s16 D, A, B", &["16", "16", "16"], &[&[0x101, 0x101, 0x201]]);
    check("mad.lo.s32 D, A, B, C", &["32", "32", "32", "32"], &[&[m(-3), 7, 1, m(-20)]]);
    check("mad.hi.u32 D, A, B, C", &["32", "32", "32", "32"], &[&[0xffff_ffff, 2, 5, 6]]);
    check("mad.lo.s64 D, A, B, C", &["64", "64", "64", "64"], &[&[3, 5, l(-1), 14]]);
    check("mad.wide.u32 D, A, B, C", &["32", "32", "64", "64"], &[&[0xffff_ffff, 2, 1, 0x1_ffff_ffff]]);
    check("mad.wide.s32 D, A, B, C", &["32", "32", "64", "64"], &[&[m(-1), 2, 1, l(-1)]]);
}

#[test]
fn quotients_are_cut_towards_zero() {
    check("div.s32 D, A, B", &["32", "32", "32"], &[&[m(-7), 2, m(-3)], &[7, m(-2), m(-3)]]);
    check("rem.s32 D, A, B", &["32", "32", "32"], &[&[m(-7), 2, m(-1)], &[7, m(-2), 1]]);
    check("div.u32 D, A, B", &["32", "32", "32"], &[&[m(-7), 2, 0x7fff_fffc]]);
    check("rem.u32 D, A, B", &["32", "32", "32"], &[&[0xffff_ffff, 10, 5]]);
    check("div.s64 D, A, B", &["64", "64", "64"], &[&[l(-7), 2, l(-3)], &[1 << 40, 3, (1 << 40) / 3]]);
    check("rem.s64 D, A, B", &["64", "64", "64"], &[&[l(-7), 2, l(-1)]]);
    check("div.u64 D, A, B", &["64", "64", "64"], &[&[u64::MAX, 2, u64::MAX / 2]]);
    check("rem.u64 D, A, B", &["64", "64", "64"], &[&[u64::MAX, 10, 5]]);
    // PTX leaves it open; the hardware sets all bits.
    check("div.u32 D, A, B", &["32", "32", "32"], &[&[5, 0, 0xffff_ffff]]);
    check("div.s64 D, A, B", &["64", "64", "64"], &[&[5, 0, u64::MAX]]);
}

#[test]
fn the_less_and_the_greater_know_the_sign() {
    check("min.s32 D, A, B", &["32", "32", "32"], &[&[m(-1), 1, m(-1)]]);
    check("min.u32 D, A, B", &["32", "32", "32"], &[&[m(-1), 1, 1]]);
    check("max.s32 D, A, B", &["32", "32", "32"], &[&[m(-1), 1, 1]]);
    check("max.u32 D, A, B", &["32", "32", "32"], &[&[m(-1), 1, m(-1)]]);
    check("min.s64 D, A, B", &["64", "64", "64"], &[&[l(-1), 1, l(-1)]]);
    check("max.u64 D, A, B", &["64", "64", "64"], &[&[l(-1), 1, l(-1)]]);
    check("max.s16 D, A, B", &["16", "16", "16"], &[&[0xffff, 1, 1]]);
}

#[test]
fn bits_are_combined_and_shifted() {
    check("and.b32 D, A, B", &["32", "32", "32"], &[&[0b1100, 0b1010, 0b1000]]);
    check("or.b32 D, A, B", &["32", "32", "32"], &[&[0b1100, 0b1010, 0b1110]]);
    check("xor.b64 D, A, B", &["64", "64", "64"], &[&[u64::MAX, 1 << 63, u64::MAX >> 1]]);
    check("not.b32 D, A", &["32", "32"], &[&[0, 0xffff_ffff]]);
    check("not.b64 D, A", &["64", "64"], &[&[0, u64::MAX]]);
    check("and.b16 D, A, B", &["16", "16", "16"], &[&[0xff0f, 0x00ff, 0x000f]]);
    check("shl.b32 D, A, B", &["32", "32", "32"], &[&[1, 31, TOP], &[1, 32, 0], &[1, 255, 0]]);
    check("shl.b64 D, A, B", &["64", "32", "64"], &[&[1, 63, 1 << 63], &[1, 64, 0]]);
    check("shr.u32 D, A, B", &["32", "32", "32"], &[&[TOP, 31, 1], &[TOP, 32, 0]]);
    check("shr.s32 D, A, B", &["32", "32", "32"], &[&[TOP, 31, 0xffff_ffff], &[TOP, 99, 0xffff_ffff], &[5, 40, 0]]);
    check("shr.u64 D, A, B", &["64", "32", "64"], &[&[1 << 63, 63, 1]]);
    check("shr.s64 D, A, B", &["64", "32", "64"], &[&[1 << 63, 63, u64::MAX], &[1 << 63, 64, u64::MAX]]);
    check("popc.b32 D, A", &["32", "32"], &[&[0xf0f0, 8]]);
    check("popc.b64 D, A", &["64", "32"], &[&[u64::MAX, 64]]);
    check("clz.b32 D, A", &["32", "32"], &[&[1, 31], &[0, 32]]);
    check("clz.b64 D, A", &["64", "32"], &[&[1, 63], &[0, 64]]);
    check("brev.b32 D, A", &["32", "32"], &[&[1, TOP]]);
    check("brev.b64 D, A", &["64", "64"], &[&[1, 1 << 63]]);
    check("bfind.u32 D, A", &["32", "32"], &[&[0x100, 8], &[0, 0xffff_ffff]]);
    check("bfind.shiftamt.u32 D, A", &["32", "32"], &[&[0x100, 23], &[0, 0xffff_ffff]]);
    check("bfe.u32 D, A, B, C", &["32", "32", "32", "32"], &[&[0xabcd_1234, 8, 8, 0x12], &[0xffff_ffff, 28, 32, 0xf]]);
    check("bfe.u64 D, A, B, C", &["64", "32", "32", "64"], &[&[0xabcd_1234_5678_9abc, 16, 16, 0x5678]]);
    check(
        "bfe.s32 D, A, B, C",
        &["32", "32", "32", "32"],
        &[&[0xf0, 4, 4, m(-1)], &[0x70, 4, 4, 7], &[TOP, 28, 9, m(-8)], &[7, 0, 0, 0]],
    );
    check("bfe.s64 D, A, B, C", &["64", "32", "32", "64"], &[&[0xf0, 4, 4, l(-1)], &[1 << 63, 60, 9, l(-8)]]);
    check(
        "bfi.b32 D, A, B, C, 8",
        &["32", "32", "32", "32"],
        &[&[0xabcd, 0xffff_ffff, 4, 0xffff_fcdf], &[0xabcd, 5, 32, 5]],
    );
    check("bfi.b64 D, A, B, C, 32", &["64", "64", "32", "64"], &[&[1, u64::MAX, 32, 0x1_ffff_ffff]]);
    check("bfi.b64 D, A, B, C, 0", &["64", "64", "32", "64"], &[&[1, 7, 0, 7]]);
    check("shf.l.wrap.b32 D, A, B, C", &["32", "32", "32", "32"], &[&[TOP, 1, 1, 3], &[TOP, 1, 33, 3]]);
    check("shf.r.wrap.b32 D, A, B, C", &["32", "32", "32", "32"], &[&[2, 1, 1, TOP | 1]]);
    check("shf.r.clamp.b32 D, A, B, C", &["32", "32", "32", "32"], &[&[2, 7, 40, 7]]);
    check("prmt.b32 D, A, B, C", &["32", "32", "32", "32"], &[&[0x3322_1180, 0x7766_5544, 0x7081, 0x7780_ff11]]);
}

#[test]
fn words_are_packed_and_selected() {
    check("mov.b64 D, {A, B}", &["32", "32", "64"], &[&[1, 2, 0x2_0000_0001]]);
    check("mov.b64 {%r1, %r2}, A;\nsub.s32 D, %r2, %r1", &["64", "32"], &[&[0x5_0000_0003, 2]]);
    check("mov.b32 {%rs1, %rs2}, A;\nsub.s16 D, %rs2, %rs1", &["32", "16"], &[&[0x0005_0003, 2]]);
    check("mov.b32 D, {A, B}", &["16", "16", "32"], &[&[1, 2, 0x2_0001]]);
    check("selp.b32 D, A, B, C", &["32", "32", "p", "32"], &[&[1, 2, 1, 1], &[1, 2, 0, 2]]);
    check("selp.f64 D, A, B, C", &["f64", "f64", "p", "f64"], &[&[d(1.5), d(2.5), 0, d(2.5)]]);
    check("selp.f32 D, A, B, C", &["f32", "f32", "p", "f32"], &[&[f(1.5), f(2.5), 1, f(1.5)]]);
    check("mov.f32 D, 0fc0490fdb", &["32", "f32"], &[&[0, 0xc049_0fdb]]);
    check("mov.f64 D, 0d400921fb54442d18", &["32", "f64"], &[&[0, d(std::f64::consts::PI)]]);
    check("and.pred D, A, B", &["p", "p", "p"], &[&[1, 1, 1], &[1, 0, 0]]);
    check("or.pred D, A, B", &["p", "p", "p"], &[&[0, 1, 1], &[0, 0, 0]]);
    check("xor.pred D, A, B", &["p", "p", "p"], &[&[1, 1, 0], &[1, 0, 1]]);
    check("not.pred D, A", &["p", "p"], &[&[1, 0], &[0, 1]]);
    // Only the threads for which the predicate holds.
    check("mov.u32 D, 5;\n@B add.s32 D, A, 0", &["32", "p", "32"], &[&[7, 1, 7], &[7, 0, 5]]);
    check("mov.u32 D, 5;\n@!B add.s32 D, A, 0", &["32", "p", "32"], &[&[7, 1, 5], &[7, 0, 7]]);
}

#[test]
fn whole_numbers_compare_by_their_sign() {
    for (compare, less, same, more) in
        [("eq", 0, 1, 0), ("ne", 1, 0, 1), ("lt", 1, 0, 0), ("le", 1, 1, 0), ("gt", 0, 0, 1), ("ge", 0, 1, 1)]
    {
        let rows: &[&[u64]] = &[&[l(-1), 1, less], &[5, 5, same], &[1, l(-1), more]];
        check(&format!("setp.{compare}.s64 D, A, B"), &["64", "64", "p"], rows);
        check(&format!("setp.{compare}.s32 D, A, B"), &["32", "32", "p"], rows);
        let rows: &[&[u64]] = &[&[1, l(-1), less], &[5, 5, same], &[l(-1), 1, more]];
        check(&format!("setp.{compare}.u64 D, A, B"), &["64", "64", "p"], rows);
        check(&format!("setp.{compare}.u32 D, A, B"), &["32", "32", "p"], rows);
        check(&format!("setp.{compare}.u16 D, A, B"), &["16", "16", "p"], rows);
    }
    for (compare, less, same, more) in [("lo", 1, 0, 0), ("ls", 1, 1, 0), ("hi", 0, 0, 1), ("hs", 0, 1, 1)] {
        let rows: &[&[u64]] = &[&[1, l(-1), less], &[5, 5, same], &[l(-1), 1, more]];
        check(&format!("setp.{compare}.u64 D, A, B"), &["64", "64", "p"], rows);
    }
    // 32 bits only: what stands above does not count.
    check("setp.eq.s32 D, A, B", &["32", "32", "p"], &[&[1 << 32, 0, 1]]);
    check("setp.lt.and.s32 D, A, 3, B", &["32", "p", "p"], &[&[1, 1, 1], &[1, 0, 0], &[4, 1, 0]]);
    check("setp.lt.or.s32 D|%p1, A, 3, B", &["32", "p", "p"], &[&[4, 0, 0], &[4, 1, 1]]);
    check("setp.lt.or.s32 %p1|D, A, 3, !B", &["32", "p", "p"], &[&[1, 1, 0], &[1, 0, 1], &[4, 1, 1]]);
}

#[test]
fn floats_compare_with_nan_as_they_say() {
    for (compare, less, same, more, nan) in [
        ("eq", 0, 1, 0, 0),
        ("ne", 1, 0, 1, 0),
        ("lt", 1, 0, 0, 0),
        ("le", 1, 1, 0, 0),
        ("gt", 0, 0, 1, 0),
        ("ge", 0, 1, 1, 0),
        ("equ", 0, 1, 0, 1),
        ("neu", 1, 0, 1, 1),
        ("ltu", 1, 0, 0, 1),
        ("leu", 1, 1, 0, 1),
        ("gtu", 0, 0, 1, 1),
        ("geu", 0, 1, 1, 1),
        ("num", 1, 1, 1, 0),
        ("nan", 0, 0, 0, 1),
    ] {
        let (x, y, z) = (f(1.0), f(2.0), f(-0.0));
        let rows: &[&[u64]] = &[
            &[x, y, less],
            &[f(0.0), z, same],
            &[y, x, more],
            &[f(f32::NAN), x, nan],
            &[x, f(f32::NAN), nan],
            &[f(f32::NEG_INFINITY), f(f32::INFINITY), less],
        ];
        check(&format!("setp.{compare}.f32 D, A, B"), &["f32", "f32", "p"], rows);
        let wide: Vec<Vec<u64>> = rows
            .iter()
            .map(|row| {
                vec![d(f64::from(f32::from_bits(row[0] as u32))), d(f64::from(f32::from_bits(row[1] as u32))), row[2]]
            })
            .collect();
        let wide: Vec<&[u64]> = wide.iter().map(Vec::as_slice).collect();
        check(&format!("setp.{compare}.f64 D, A, B"), &["f64", "f64", "p"], &wide);
    }
    let tiny = f(f32::from_bits(1));
    check("setp.gt.f32 D, A, B", &["f32", "f32", "p"], &[&[tiny, 0, 1]]);
    check("setp.gt.ftz.f32 D, A, B", &["f32", "f32", "p"], &[&[tiny, 0, 0]]);
    for (what, one, infinite, nan, small) in [
        ("finite", 1, 0, 0, 1),
        ("infinite", 0, 1, 0, 0),
        ("number", 1, 1, 0, 1),
        ("notanumber", 0, 0, 1, 0),
        ("normal", 1, 0, 0, 0),
        ("subnormal", 0, 0, 0, 1),
    ] {
        let rows: &[&[u64]] = &[&[f(1.0), one], &[f(f32::INFINITY), infinite], &[f(f32::NAN), nan], &[tiny, small]];
        check(&format!("testp.{what}.f32 D, A"), &["f32", "p"], rows);
    }
}

#[test]
fn single_precision_rounds_once_and_keeps_subnormals() {
    let (tiny, huge, nan) = (f(f32::from_bits(1)), f(f32::MAX), f(f32::from_bits(0xffc0_1234)));
    let two: &[&str] = &["f32", "f32", "f32"];
    check(
        "add.rn.f32 D, A, B",
        two,
        &[&[f(0.1), f(0.2), f(0.1f32 + 0.2)], &[huge, huge, f(f32::INFINITY)], &[nan, f(1.0), NAN32], &[tiny, tiny, 2]],
    );
    check("add.f32 D, A, B", two, &[&[f(1.0), f(2f32.powi(-24)), f(1.0)]]);
    check("add.ftz.f32 D, A, B", two, &[&[tiny, tiny, 0], &[TOP | 1, TOP | 1, TOP]]);
    check("sub.rn.f32 D, A, B", two, &[&[f(1.0), f(1.0), 0], &[f(f32::INFINITY), f(f32::INFINITY), NAN32]]);
    check(
        "mul.rn.f32 D, A, B",
        two,
        &[
            &[f(0.1), f(0.3), f(0.1f32 * 0.3)],
            &[0, f(f32::INFINITY), NAN32],
            &[f(2f32.powi(-75)), f(2f32.powi(-74)), 1],
        ],
    );
    check("mul.rn.sat.f32 D, A, B", two, &[&[f(2.0), f(3.0), f(1.0)], &[f(2.0), f(-3.0), 0], &[nan, f(1.0), 0]]);
    check(
        "div.rn.f32 D, A, B",
        two,
        &[&[f(1.0), f(3.0), f(1.0 / 3.0)], &[0, 0, NAN32], &[f(-1.0), 0, f(f32::NEG_INFINITY)], &[tiny, f(2.0), 0]],
    );
    // (1 + e)(1 - e) - 1 is -e^2, which a product that is rounded loses.
    let e = 2f32.powi(-13);
    check("fma.rn.f32 D, A, B, C", &["f32"; 4], &[&[f(1.0 + e), f(1.0 - e), f(-1.0), f(-e * e)], &[nan, 0, 0, NAN32]]);
    check("rcp.rn.f32 D, A", &["f32", "f32"], &[&[f(3.0), f(1.0 / 3.0)], &[TOP, f(f32::NEG_INFINITY)]]);
    check(
        "sqrt.rn.f32 D, A",
        &["f32", "f32"],
        &[&[f(2.0), f(2f32.sqrt())], &[TOP, TOP], &[f(-1.0), NAN32], &[1, f(f32::from_bits(1).sqrt())]],
    );
    check("neg.f32 D, A", &["f32", "f32"], &[&[f(1.5), f(-1.5)], &[0, TOP]]);
    check("abs.f32 D, A", &["f32", "f32"], &[&[f(-1.5), f(1.5)], &[TOP, 0]]);
    check("abs.ftz.f32 D, A", &["f32", "f32"], &[&[TOP | 1, 0]]);
    check("copysign.f32 D, A, B", two, &[&[f(-1.0), f(2.0), f(-2.0)]]);
    check(
        "min.f32 D, A, B",
        two,
        &[
            &[f(1.0), f(2.0), f(1.0)],
            &[nan, f(2.0), f(2.0)],
            &[f(2.0), nan, f(2.0)],
            &[nan, nan, NAN32],
            &[0, TOP, TOP],
            &[TOP, 0, TOP],
        ],
    );
    check("max.f32 D, A, B", two, &[&[f(1.0), f(2.0), f(2.0)], &[nan, f(2.0), f(2.0)], &[TOP, 0, 0], &[0, TOP, 0]]);
    check("min.NaN.f32 D, A, B", two, &[&[nan, f(2.0), NAN32], &[f(1.0), f(2.0), f(1.0)]]);
}

#[test]
fn double_precision_rounds_once_and_keeps_subnormals() {
    let two: &[&str] = &["f64", "f64", "f64"];
    check("add.rn.f64 D, A, B", two, &[&[d(0.1), d(0.2), d(0.1 + 0.2)], &[1, 1, 2]]);
    check("add.f64 D, A, B", two, &[&[d(f64::MAX), d(f64::MAX), d(f64::INFINITY)]]);
    check("sub.rn.f64 D, A, B", two, &[&[d(1.0), d(0.9), d(1.0 - 0.9)]]);
    check("mul.rn.f64 D, A, B", two, &[&[d(0.1), d(0.3), d(0.1 * 0.3)], &[d(2f64.powi(-537)), d(2f64.powi(-537)), 1]]);
    check("div.rn.f64 D, A, B", two, &[&[d(1.0), d(3.0), d(1.0 / 3.0)], &[d(-1.0), 0, d(f64::NEG_INFINITY)]]);
    let e = 2f64.powi(-30);
    check("fma.rn.f64 D, A, B, C", &["f64"; 4], &[&[d(1.0 + e), d(1.0 - e), d(-1.0), d(-e * e)]]);
    check("rcp.rn.f64 D, A", &["f64", "f64"], &[&[d(3.0), d(1.0 / 3.0)]]);
    check("sqrt.rn.f64 D, A", &["f64", "f64"], &[&[d(2.0), d(2f64.sqrt())], &[1 << 63, 1 << 63]]);
    check("neg.f64 D, A", &["f64", "f64"], &[&[0, 1 << 63]]);
    check("abs.f64 D, A", &["f64", "f64"], &[&[d(-1.5), d(1.5)]]);
    check("copysign.f64 D, A, B", two, &[&[d(-1.0), d(2.0), d(-2.0)]]);
    check("min.f64 D, A, B", two, &[&[d(f64::NAN), d(2.0), d(2.0)], &[0, 1 << 63, 1 << 63]]);
    check("max.f64 D, A, B", two, &[&[d(2.0), d(f64::NAN), d(2.0)], &[1 << 63, 0, 0]]);
}

#[test]
fn whole_numbers_widen_by_their_sign_and_are_cut() {
    check("cvt.s64.s32 D, A", &["32", "64"], &[&[m(-1), u64::MAX]]);
    check("cvt.u64.u32 D, A", &["32", "64"], &[&[m(-1), 0xffff_ffff]]);
    check("cvt.u32.u64 D, A", &["64", "32"], &[&[0x5_0000_0007, 7]]);
    check("cvt.s32.s8 D, A", &["32", "32"], &[&[0x1ff, m(-1)], &[0x17f, 0x7f]]);
    check("cvt.s32.s16 D, A", &["16", "32"], &[&[0xffff, m(-1)]]);
    check("cvt.u32.u16 D, A", &["16", "32"], &[&[0xffff, 0xffff]]);
    check("cvt.u16.u32 D, A", &["32", "16"], &[&[0x12345, 0x2345]]);
    check("cvt.s64.s16 D, A", &["16", "64"], &[&[0x8000, l(-32768)]]);
    check("cvt.u64.u8 D, A", &["16", "64"], &[&[0x1ff, 0xff]]);
    check("cvt.s16.s8 D, A", &["16", "16"], &[&[0xff, 0xffff]]);
    check("cvt.s8.s32 D, A", &["32", "16"], &[&[0x1ff, 0xffff]]);
}

#[test]
fn numbers_become_floats_rounded_to_the_nearest() {
    check(
        "cvt.rn.f32.s32 D, A",
        &["32", "f32"],
        &[&[m(-3), f(-3.0)], &[0x0100_0001, f(16777216.0)], &[0x0100_0003, f(16777220.0)]],
    );
    check("cvt.rn.f32.u32 D, A", &["32", "f32"], &[&[0xffff_ffff, f(4294967296.0)]]);
    check("cvt.rn.f32.u64 D, A", &["64", "f32"], &[&[u64::MAX, f(18446744073709551616.0)]]);
    check("cvt.rn.f32.s64 D, A", &["64", "f32"], &[&[l(-1), f(-1.0)]]);
    check("cvt.rn.f64.s64 D, A", &["64", "f64"], &[&[(1 << 53) + 1, d(9007199254740992.0)], &[l(-5), d(-5.0)]]);
    check("cvt.rn.f64.u64 D, A", &["64", "f64"], &[&[l(-1), d(18446744073709551616.0)]]);
    check("cvt.rn.f64.s32 D, A", &["32", "f64"], &[&[m(-5), d(-5.0)]]);
    check("cvt.rn.f64.u32 D, A", &["32", "f64"], &[&[m(-5), d(4294967291.0)]]);
    check("cvt.rn.f32.u8 D, A", &["16", "f32"], &[&[0x1ff, f(255.0)]]);
    check("cvt.f64.f32 D, A", &["f32", "f64"], &[&[f(0.1), d(f64::from(0.1f32))], &[1, d(2f64.powi(-149))]]);
    check(
        "cvt.rn.f32.f64 D, A",
        &["f64", "f32"],
        &[&[d(0.1), f(0.1)], &[d(1e300), f(f32::INFINITY)], &[d(2f64.powi(-150)), 0], &[d(f64::NAN), NAN32]],
    );
    check("cvt.rz.f32.f64 D, A", &["f64", "f32"], &[&[d(0.1), f(0.1f32.next_down())], &[d(1e300), f(f32::MAX)]]);
    check("cvt.rp.f32.f64 D, A", &["f64", "f32"], &[&[d(-1e300), f(f32::MIN)], &[d(2f64.powi(-150)), 1]]);
    check(
        "cvt.sat.f32.f32 D, A",
        &["f32", "f32"],
        &[&[f(1.5), f(1.0)], &[f(-1.0), 0], &[f(f32::NAN), 0], &[f(0.25), f(0.25)]],
    );
}

#[test]
fn floats_become_whole_numbers_within_the_range() {
    for (how, up, even, down) in [("rni", 3i32, 2, -2), ("rzi", 2, 2, -2), ("rmi", 2, 2, -3), ("rpi", 3, 3, -2)] {
        let rows: &[&[u64]] = &[&[f(2.75), m(up)], &[f(2.5), m(even)], &[f(-2.5), m(down)]];
        check(&format!("cvt.{how}.s32.f32 D, A"), &["f32", "32"], rows);
        let rows: &[&[u64]] = &[&[d(2.75), l(up.into())], &[d(2.5), l(even.into())], &[d(-2.5), l(down.into())]];
        check(&format!("cvt.{how}.s64.f64 D, A"), &["f64", "64"], rows);
        let rows: &[&[u64]] =
            &[&[f(2.75), f(up as f32)], &[f(2.5), f(even as f32)], &[f(-2.5), f(down as f32)], &[f(f32::NAN), NAN32]];
        check(&format!("cvt.{how}.f32.f32 D, A"), &["f32", "f32"], rows);
        let rows: &[&[u64]] = &[&[d(2.75), d(up.into())], &[d(2.5), d(even.into())], &[d(-2.5), d(down.into())]];
        check(&format!("cvt.{how}.f64.f64 D, A"), &["f64", "f64"], rows);
    }
    check("cvt.rzi.f32.f32 D, A", &["f32", "f32"], &[&[f(-0.5), TOP]]);
    check("cvt.rzi.s32.f32 D, A", &["f32", "32"], &[&[f(1e20), 0x7fff_ffff], &[f(-1e20), TOP], &[f(f32::NAN), 0]]);
    check("cvt.rzi.u32.f32 D, A", &["f32", "32"], &[&[f(-5.0), 0], &[f(1e20), 0xffff_ffff], &[f(f32::NAN), 0]]);
    check("cvt.rzi.s64.f32 D, A", &["f32", "64"], &[&[f(f32::NAN), 1 << 63]]);
    check("cvt.rzi.u64.f64 D, A", &["f64", "64"], &[&[d(1e300), u64::MAX], &[d(f64::NAN), 1 << 63]]);
    check("cvt.rzi.s32.f64 D, A", &["f64", "32"], &[&[d(f64::NAN), TOP], &[d(-2147483649.0), TOP]]);
}

#[test]
fn memory_is_read_and_written_in_every_width() {
    // p1 holds the operand; %rd2 is its array.
    let at = "mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd20, %r1, 8;\nadd.s64 %rd21, %rd2, %rd20;\n";
    let row = 0x8182_8384_8586_8788u64;
    check(&format!("{at}ld.global.u8 D, [%rd21]"), &["64", "32"], &[&[row, 0x88]]);
    check(&format!("{at}ld.global.s8 D, [%rd21+1]"), &["64", "32"], &[&[row, 0xffff_ff87]]);
    check(&format!("{at}ld.global.u16 D, [%rd21+2]"), &["64", "16"], &[&[row, 0x8586]]);
    check(&format!("{at}ld.global.s16 D, [%rd21+2]"), &["64", "32"], &[&[row, 0xffff_8586]]);
    check(&format!("{at}ld.global.s32 D, [%rd21]"), &["64", "64"], &[&[row, 0xffff_ffff_8586_8788]]);
    check(&format!("{at}ld.global.nc.u64 D, [%rd21]"), &["64", "64"], &[&[row, row]]);
    check(&format!("{at}ld.u64 D, [%rd21]"), &["64", "64"], &[&[row, row]]);
    check(&format!("{at}ld.global.v2.u32 {{%r2, D}}, [%rd21]"), &["64", "32"], &[&[row, 0x8182_8384]]);
    check(
        &format!("{at}st.global.u8 [%rd21+7], 5;\nld.global.u64 D, [%rd21]"),
        &["64", "64"],
        &[&[row, 0x0582_8384_8586_8788]],
    );
    check(
        &format!("{at}st.global.v2.u32 [%rd21], {{1, 2}};\nld.global.u64 D, [%rd21]"),
        &["64", "64"],
        &[&[row, 0x2_0000_0001]],
    );
    // Shared and local memory, by themselves and by generic addresses.
    let shared = ".shared .align 8 .b8 tile[64];\nmov.u64 %rd22, tile;\ncvta.shared.u64 %rd23, %rd22;\n";
    check(&format!("{shared}st.shared.u64 [%rd22+8], A;\nld.u64 D, [%rd23+8]"), &["64", "64"], &[&[row, row]]);
    check(&format!("{shared}st.u64 [%rd23+8], A;\nld.shared.u64 D, [tile+8]"), &["64", "64"], &[&[row, row]]);
    let local = ".local .align 8 .b8 mine[16];\nmov.u64 %rd22, mine;\ncvta.local.u64 %rd23, %rd22;\n";
    check(&format!("{local}st.local.u64 [%rd22+8], A;\nld.u64 D, [%rd23+8]"), &["64", "64"], &[&[row, row], &[7, 7]]);
}

#[test]
fn atomic_operations_give_what_was_there() {
    let at = "mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd20, %r1, 8;\nadd.s64 %rd21, %rd2, %rd20;\n";
    let after = |operation: &str| format!("{at}{operation};\nld.global.u64 D, [%rd21]");
    for (operation, before, expected) in [
        ("atom.global.add.u32 %r2, [%rd21], 3", 0xffff_ffff, 2),
        ("atom.global.add.u64 %rd22, [%rd21], 3", 0xffff_ffff, 0x1_0000_0002),
        ("red.global.add.u32 [%rd21], 3", 5, 8),
        ("atom.global.min.u32 %r2, [%rd21], 3", m(-1), 3),
        ("atom.global.min.s32 %r2, [%rd21], 3", m(-1), m(-1)),
        ("atom.global.max.s32 %r2, [%rd21], 3", m(-1), 3),
        ("atom.global.min.u64 %rd22, [%rd21], 3", l(-1), 3),
        ("atom.global.max.s64 %rd22, [%rd21], 3", l(-1), 3),
        ("atom.global.and.b32 %r2, [%rd21], 6", 3, 2),
        ("atom.global.or.b32 %r2, [%rd21], 6", 3, 7),
        ("red.global.or.b32 [%rd21], 6", 3, 7),
        ("atom.global.xor.b64 %rd22, [%rd21], 6", 3, 5),
        ("atom.global.exch.b64 %rd22, [%rd21], 6", 3, 6),
        ("atom.global.cas.b32 %r2, [%rd21], 3, 9", 3, 9),
        ("atom.global.cas.b32 %r2, [%rd21], 4, 9", 3, 3),
        ("atom.global.inc.u32 %r2, [%rd21], 4", 4, 0),
        ("atom.global.inc.u32 %r2, [%rd21], 4", 3, 4),
        ("atom.global.dec.u32 %r2, [%rd21], 4", 0, 4),
        ("atom.global.dec.u32 %r2, [%rd21], 4", 3, 2),
    ] {
        check(&after(operation), &["64", "64"], &[&[before, expected]]);
    }
    check(&format!("{at}atom.global.add.u32 D, [%rd21], 3"), &["64", "32"], &[&[7, 7]]);
    check(&format!("{at}atom.global.add.u64 _, [%rd21], 3;\nld.global.u64 D, [%rd21]"), &["64", "64"], &[&[7, 10]]);
}

#[test]
fn scopes_have_registers_of_their_own() {
    let nested = "mov.u32 %r1, 1;\n{\n.reg .b64 %r1;\nmov.u64 %r1, 5;\n{\n.reg .f32 %t;\nmov.f32 %t, 0f00000000;\n}\n}\nadd.s32 D, A, %r1";
    check(nested, &["32", "32"], &[&[10, 11]]);
}
