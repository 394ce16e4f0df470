//! `G` in plain arithmetic. Four columns at a time, in loops that a compiler turns into whatever vectors there are.

use crate::block::Block;

type Row = [u64; 4];

/// Sets `target` to `G(previous, reference)`, or adds that to it if `add`.
pub(super) fn compress(add: bool, target: &mut Block, previous: &Block, reference: &Block, scratch: &mut Block) {
    for ((word, old), (x, y)) in scratch.0.iter_mut().zip(&mut target.0).zip(previous.0.iter().zip(&reference.0)) {
        *word = x ^ y;
        *old = if add { *old ^ *word } else { *word };
    }
    let words = &mut scratch.0;
    for row in 0..8 {
        permute(words, |quarter| core::array::from_fn(|n| 16 * row + 4 * quarter + n));
    }
    for column in 0..8 {
        permute(words, |quarter| core::array::from_fn(|n| 2 * column + 32 * quarter + 16 * (n / 2) + n % 2));
    }
    for (word, new) in target.0.iter_mut().zip(words) {
        *word ^= *new;
    }
}

/// Applies the permutation `P` (RFC 9106, section 3.6) to the 16 words whose places `places` gives, four for each
/// quarter.
#[inline(always)]
fn permute(words: &mut [u64; 128], places: impl Fn(usize) -> [usize; 4]) {
    let [mut a, mut b, mut c, mut d]: [Row; 4] = core::array::from_fn(|quarter| places(quarter).map(|at| words[at]));
    round(&mut a, &mut b, &mut c, &mut d);
    (b, c, d) = (turn::<1>(b), turn::<2>(c), turn::<3>(d));
    round(&mut a, &mut b, &mut c, &mut d);
    (b, c, d) = (turn::<3>(b), turn::<2>(c), turn::<1>(d));
    for (quarter, row) in [a, b, c, d].into_iter().enumerate() {
        for (at, word) in places(quarter).into_iter().zip(row) {
            words[at] = word;
        }
    }
}

/// `GB` (RFC 9106, section 3.6) on four columns.
#[inline(always)]
fn round(a: &mut Row, b: &mut Row, c: &mut Row, d: &mut Row) {
    step::<32>(a, b, d);
    step::<24>(c, d, b);
    step::<16>(a, b, d);
    step::<63>(c, d, b);
}

/// A fourth of `GB`: multiplies and adds `y` to `x`, then adds `x` to `z` and turns `z` right by `TURN` bits.
#[inline(always)]
fn step<const TURN: u32>(x: &mut Row, y: &Row, z: &mut Row) {
    for n in 0..4 {
        let product = u64::from(x[n] as u32) * u64::from(y[n] as u32);
        x[n] = x[n].wrapping_add(y[n]).wrapping_add(product << 1);
        z[n] = (z[n] ^ x[n]).rotate_right(TURN);
    }
}

/// Turns a row left by `BY` places.
#[inline(always)]
fn turn<const BY: usize>(row: Row) -> Row {
    core::array::from_fn(|n| row[(n + BY) % 4])
}
