//! Least squares with few coefficients, none negative.

/// The coefficients `c >= 0` that make `sum_i (c . x_i / t_i - 1)^2` least over the rows `(x_i, t_i)`, and that sum;
/// `None` for fewer rows than coefficients.
///
/// The optimum is the unconstrained one over the coefficients that are not 0 there, so the best of the unconstrained
/// optima over all subsets that is nowhere negative is it: with four coefficients, 15 systems of equations.
pub fn fit_relative<const TERMS: usize>(rows: &[([f64; TERMS], f64)]) -> Option<([f64; TERMS], f64)> {
    if rows.len() < TERMS {
        return None;
    }
    let rows: Vec<[f64; TERMS]> = rows.iter().map(|(x, t)| x.map(|x| x / t)).collect();
    let error = |c: &[f64; TERMS]| rows.iter().map(|x| (dot(x, c) - 1.0) * (dot(x, c) - 1.0)).sum::<f64>();
    (1..1 << TERMS)
        .filter_map(|subset: usize| {
            let chosen: Vec<usize> = (0..TERMS).filter(|i| subset >> i & 1 == 1).collect();
            let solution = normal_equations(&rows, &chosen)?;
            let mut c = [0.0; TERMS];
            chosen.iter().zip(solution).for_each(|(&i, value)| c[i] = value);
            c.iter().all(|&value| value >= 0.0).then(|| (c, error(&c)))
        })
        .min_by(|(_, a), (_, b)| a.total_cmp(b))
}

fn dot<const TERMS: usize>(a: &[f64; TERMS], b: &[f64; TERMS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves `X^T X c = X^T 1` for the chosen columns by elimination with pivots on the diagonal, which a positive
/// definite matrix allows; columns are scaled to length 1 first, since their units differ. `None` where they depend on
/// each other.
fn normal_equations<const TERMS: usize>(rows: &[[f64; TERMS]], chosen: &[usize]) -> Option<Vec<f64>> {
    let column = |i: usize| rows.iter().map(move |row| row[i]);
    let lengths: Vec<f64> = chosen.iter().map(|&i| column(i).map(|x| x * x).sum::<f64>().sqrt()).collect();
    let n = chosen.len();
    // The system, each row followed by its right side.
    let mut system: Vec<Vec<f64>> = (0..n)
        .map(|a| {
            let products = (0..n).map(|b| {
                let sum: f64 = column(chosen[a]).zip(column(chosen[b])).map(|(x, y)| x * y).sum();
                sum / (lengths[a] * lengths[b])
            });
            products.chain([column(chosen[a]).sum::<f64>() / lengths[a]]).collect()
        })
        .collect();
    for pivot in 0..n {
        // Pivots are at most 1; one this small is rounding, what is left of a column that the others make up: with
        // fewer than 2^10 rows, sums of products of numbers up to 1 err by less than 2^10 half-ulps of 1.
        const ROUNDING: f64 = f64::EPSILON * 1024.0;
        let found = system[pivot][pivot];
        if found.is_nan() || found <= ROUNDING {
            return None;
        }
        for row in 0..n {
            if row != pivot {
                let factor = system[row][pivot] / found;
                let (upper, lower) = (system[pivot].clone(), &mut system[row]);
                lower.iter_mut().zip(upper).for_each(|(x, y)| *x -= factor * y);
            }
        }
    }
    Some((0..n).map(|i| system[i][n] / system[i][i] / lengths[i]).collect())
}
