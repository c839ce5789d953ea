//! The least squares fit of the law, with a and b not below 0 and g above 0.
//!
//! Written as X = N / (c0 + c1 (N - 1) + c2 N (N - 1)) the law's reciprocal is linear in c, which gives a
//! start; Levenberg and Marquardt's steps lead from there to the least squares of X itself. If the best fit
//! lies outside the limits, the best one inside has a or b at 0, so those are fitted instead.

use super::Usl;

/// Values at one count, which weigh as one mean: the rest of their squares does not depend on the fit.
struct Group {
    n: f64,
    mean: f64,
    values: f64,
}

impl Group {
    /// What c0, c1 and c2 are multiplied by.
    fn terms(&self) -> [f64; 3] {
        [1.0, self.n - 1.0, self.n * (self.n - 1.0)]
    }
}

/// Which of c are free.
type Free = &'static [usize];
type Matrix = [[f64; 3]; 3];

const STEPS: usize = 100;

/// The law that is nearest to pairs of N and throughput. None with fewer than three different N, or when no
/// throughput is above 0. Pairs that are not above 0 are left out.
pub fn fit(points: &[(f64, f64)]) -> Option<Usl> {
    let groups = grouped(points);
    if groups.len() < 3 {
        return None;
    }
    if let Some((c, _)) = minimum(&groups, &[0, 1, 2]).filter(|(c, _)| inside(c)) {
        return Some(law(&c));
    }
    let edges: [Free; 3] = [&[0, 1], &[0, 2], &[0]];
    edges
        .into_iter()
        .filter_map(|free| minimum(&groups, free))
        .filter(|(c, _)| inside(c))
        .min_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(c, _)| law(&c))
}

fn grouped(points: &[(f64, f64)]) -> Vec<Group> {
    let mut sorted: Vec<_> = points
        .iter()
        .copied()
        .filter(|&(n, x)| n.is_finite() && x.is_finite() && n > 0.0 && x > 0.0)
        .collect();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    let mut groups: Vec<Group> = Vec::new();
    for (n, x) in sorted {
        match groups.last_mut() {
            Some(group) if group.n.to_bits() == n.to_bits() => {
                group.values += 1.0;
                group.mean += (x - group.mean) / group.values;
            }
            _ => groups.push(Group {
                n,
                mean: x,
                values: 1.0,
            }),
        }
    }
    groups
}

fn inside(c: &[f64; 3]) -> bool {
    c[0] > 0.0 && c[1] >= 0.0 && c[2] >= 0.0
}

fn law(c: &[f64; 3]) -> Usl {
    Usl {
        g: 1.0 / c[0],
        a: c[1] / c[0],
        b: c[2] / c[0],
    }
}

/// The least sum of squares over the free ones of c, the others at 0, with that sum.
fn minimum(groups: &[Group], free: Free) -> Option<([f64; 3], f64)> {
    let mut c = start(groups, free)?;
    let mut squares = squares(groups, &c)?;
    let mut damping = 1e-3;
    for _ in 0..STEPS {
        let (matrix, gradient) = normal(groups, &c);
        let Some(step) = solve(&matrix, &gradient, free, damping) else {
            break;
        };
        let next: [f64; 3] = std::array::from_fn(|place| c[place] + step[place]);
        match self::squares(groups, &next) {
            Some(found) if found <= squares => {
                let moved = free.iter().any(|&it| step[it].abs() > 1e-12 * next[it].abs());
                (c, squares) = (next, found);
                damping = (damping / 10.0).max(1e-12);
                if !moved {
                    break;
                }
            }
            // No step gets lower: this is it.
            _ if damping > 1e12 => break,
            _ => damping *= 10.0,
        }
    }
    Some((c, squares))
}

/// Linear least squares of N / X, weighted as an error of X would show there. Where it comes out impossible (a
/// throughput below 0), the start is a straight line.
fn start(groups: &[Group], free: Free) -> Option<[f64; 3]> {
    let (mut matrix, mut right) = (Matrix::default(), [0.0; 3]);
    for group in groups {
        let weight = group.values * (group.mean * group.mean / group.n).powi(2);
        add(
            &mut matrix,
            &mut right,
            group.terms(),
            weight,
            group.n / group.mean,
        );
    }
    let linear = solve(&matrix, &right, free, 0.0);
    linear.filter(|c| squares(groups, c).is_some()).or_else(|| {
        let mean = groups.iter().map(|group| group.n / group.mean).sum::<f64>();
        let count = groups.iter().map(|_| 1.0).sum::<f64>();
        Some([mean / count, 0.0, 0.0]).filter(|c| squares(groups, c).is_some())
    })
}

/// The sum of squares; none where the curve has no throughput above 0.
fn squares(groups: &[Group], c: &[f64; 3]) -> Option<f64> {
    let mut sum = 0.0;
    for group in groups {
        let below = below(group, c);
        if !below.is_finite() || below <= 0.0 {
            return None;
        }
        sum += group.values * (group.mean - group.n / below).powi(2);
    }
    Some(sum)
}

fn below(group: &Group, c: &[f64; 3]) -> f64 {
    group.terms().iter().zip(c).map(|(term, c)| term * c).sum()
}

/// The normal equations of one step.
fn normal(groups: &[Group], c: &[f64; 3]) -> (Matrix, [f64; 3]) {
    let (mut matrix, mut right) = (Matrix::default(), [0.0; 3]);
    for group in groups {
        let curve = group.n / below(group, c);
        let slope = -curve * curve / group.n;
        add(
            &mut matrix,
            &mut right,
            group.terms().map(|term| slope * term),
            group.values,
            group.mean - curve,
        );
    }
    (matrix, right)
}

fn add(matrix: &mut Matrix, right: &mut [f64; 3], terms: [f64; 3], weight: f64, value: f64) {
    for row in 0..3 {
        right[row] += weight * terms[row] * value;
        for column in 0..3 {
            matrix[row][column] += weight * terms[row] * terms[column];
        }
    }
}

/// The free unknowns of a symmetric system whose diagonal is damped, by elimination; the others are 0. The
/// unknowns are scaled to a diagonal of 1 first: those of N (N - 1) are larger by powers of ten.
fn solve(matrix: &Matrix, right: &[f64; 3], free: Free, damping: f64) -> Option<[f64; 3]> {
    let mut scale = [0.0; 3];
    for &place in free {
        scale[place] = matrix[place][place].sqrt().recip();
    }
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(3);
    for &row in free {
        let scaled = |&column: &usize| {
            let damped = if row == column { 1.0 + damping } else { 1.0 };
            matrix[row][column] * scale[row] * scale[column] * damped
        };
        let value = right[row] * scale[row];
        rows.push(free.iter().map(scaled).chain([value]).collect());
    }
    // Symmetric and positive definite: no need to exchange rows.
    for pivot in 0..rows.len() {
        let (above, below) = rows.split_at_mut(pivot + 1);
        let pivot_row = &above[pivot];
        if !pivot_row[pivot].is_finite() || pivot_row[pivot] < 1e-14 {
            return None;
        }
        for row in below {
            let factor = row[pivot] / pivot_row[pivot];
            row.iter_mut()
                .zip(pivot_row)
                .for_each(|(cell, other)| *cell -= factor * other);
        }
    }
    let mut solved = [0.0; 3];
    for (place, row) in rows.iter().enumerate().rev() {
        let known: f64 = (place + 1..rows.len()).map(|it| row[it] * solved[it]).sum();
        solved[place] = (row[rows.len()] - known) / row[place];
    }
    let mut unknowns = [0.0; 3];
    for (&place, value) in free.iter().zip(solved) {
        unknowns[place] = value * scale[place];
    }
    unknowns.iter().all(|it| it.is_finite()).then_some(unknowns)
}

#[cfg(test)]
mod tests;
