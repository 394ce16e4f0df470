//! `G` in AVX-512F. The whole block is in 16 vectors of eight words.
//!
//! A vector holds the same quarter of two rows: words `4 * quarter..4 * quarter + 4` of row `2 * pair`, then those of
//! row `2 * pair + 1`. This order has two virtues:
//!
//! * For the rows, the four quarters of a pair are `a`, `b`, `c` and `d` of `P`, for two rows at a time.
//! * For the columns, the four pairs of a quarter are `a`, `b`, `c` and `d`, for two columns at a time: column `n` has
//!   its words `2 * n` and `2 * n + 1` in each row, hence all four words of `a` in rows 0 and 1, which are one vector.
//!
//! So no vector is ever taken apart. Only the diagonals need words to move inside a vector, and what one diagonal moved
//! the next move takes into account instead of moving it back.

use core::arch::x86_64::*;

use super::{Block, Vectors as _};

type V = __m512i;

/// Where in a block `word` is kept.
#[inline]
pub(in crate::backend) const fn place(word: usize) -> usize {
    let (row, quarter, n) = (word / 16, word / 4 % 4, word % 4);
    32 * (row / 2) + 8 * quarter + 4 * (row % 2) + n
}

/// How far the diagonals of the rows move the words of each quarter: at `n` is then word `(n + MOVED) % 4` of its row.
/// Quarter 1 is `b`, which is computed last; it stays where it is and the others move.
const MOVED: [usize; 4] = [3, 0, 1, 2];

/// For each word of a vector, the place in the same vector that it comes from.
type Order = [u64; 8];

/// After the rows, the place of word `n` (0 to 3) of `column` (0 or 1) in a vector of `quarter`.
const fn column_place(quarter: usize, column: usize, n: usize) -> usize {
    4 * (n / 2) + (2 * column + n % 2 + 4 - MOVED[quarter]) % 4
}

/// The order that puts word `n + by` of each column where word `n` was. If `home`, it puts it where [`place`] keeps
/// word `n`, and so also undoes what the diagonals of the rows moved.
const fn order(quarter: usize, by: usize, home: bool) -> Order {
    let mut order = [0; 8];
    let mut at = 0;
    while at < 8 {
        let (column, n) = (at / 2 % 2, at / 4 * 2 + at % 2);
        let to = if home { at } else { column_place(quarter, column, n) };
        order[to] = column_place(quarter, column, (n + by) % 4) as u64;
        at += 1;
    }
    order
}

/// All orders of one kind: for each pair, for each quarter.
const fn orders(by: [usize; 4], home: bool) -> [[Order; 4]; 4] {
    let mut orders = [[[0; 8]; 4]; 4];
    let mut at = 0;
    while at < 16 {
        orders[at / 4][at % 4] = order(at % 4, by[at / 4], home);
        at += 1;
    }
    orders
}

/// To the diagonals of the columns. They move the pairs as far as those of the rows move the quarters.
const DIAGONALS: [[Order; 4]; 4] = orders(MOVED, false);

/// From there to where [`place`] says.
const HOME: [[Order; 4]; 4] = orders([1, 0, 3, 2], true);

#[inline]
#[target_feature(enable = "avx512f")]
fn reorder(order: &Order, x: V) -> V {
    let [a, b, c, d, e, f, g, h] = order.map(u64::cast_signed);
    _mm512_permutexvar_epi64(_mm512_setr_epi64(a, b, c, d, e, f, g, h), x)
}

/// `x + y + 2 * low(x) * low(y)`.
#[inline]
#[target_feature(enable = "avx512f")]
fn multiply_add(x: V, y: V) -> V {
    let product = _mm512_mul_epu32(x, y);
    _mm512_add_epi64(_mm512_add_epi64(x, y), _mm512_add_epi64(product, product))
}

/// A fourth of `GB` on four vectors: multiplies and adds `y` to `x`, adds `x` to `z` and turns `z` right by `BITS`.
#[inline]
#[target_feature(enable = "avx512f")]
fn step<const BITS: i32>(x: &mut [V; 4], y: &[V; 4], z: &mut [V; 4]) {
    for n in 0..4 {
        x[n] = multiply_add(x[n], y[n]);
    }
    for n in 0..4 {
        z[n] = _mm512_ror_epi64::<BITS>(_mm512_xor_si512(z[n], x[n]));
    }
}

/// `GB` (RFC 9106, section 3.6). A macro, because a function of this size would not be inlined everywhere.
macro_rules! round {
    ($a:ident, $b:ident, $c:ident, $d:ident) => {
        step::<32>(&mut $a, &$b, &mut $d);
        step::<24>(&mut $c, &$d, &mut $b);
        step::<16>(&mut $a, &$b, &mut $d);
        step::<63>(&mut $c, &$d, &mut $b);
    };
}

/// Sets `target` to `G(previous, reference)`, or adds that to it if `ADD`.
#[target_feature(enable = "avx512f")]
pub(in crate::backend) fn compress<const ADD: bool>(target: &mut Block, previous: &Block, reference: &Block) {
    let target: &mut [V; 16] = target.vectors_mut();
    let (previous, reference): (&[V; 16], &[V; 16]) = (previous.vectors(), reference.vectors());
    let mut quarters = [[_mm512_setzero_si512(); 4]; 4];
    for at in 0..16 {
        let sum = _mm512_xor_si512(previous[at], reference[at]);
        quarters[at % 4][at / 4] = sum;
        // To store the sum here and to load it at the end is faster than to add the two blocks again.
        target[at] = if ADD { _mm512_xor_si512(target[at], sum) } else { sum };
    }
    let [mut a, mut b, mut c, mut d] = quarters;
    round!(a, b, c, d);
    for n in 0..4 {
        a[n] = _mm512_permutex_epi64::<0x93>(a[n]);
        c[n] = _mm512_permutex_epi64::<0x39>(c[n]);
        d[n] = _mm512_permutex_epi64::<0x4e>(d[n]);
    }
    round!(a, b, c, d);
    // From here on a letter is a pair of rows, and `n` counts quarters.
    let [mut a, mut b, mut c, mut d] =
        [[a[0], b[0], c[0], d[0]], [a[1], b[1], c[1], d[1]], [a[2], b[2], c[2], d[2]], [a[3], b[3], c[3], d[3]]];
    round!(a, b, c, d);
    for n in 0..4 {
        a[n] = reorder(&DIAGONALS[0][n], a[n]);
        c[n] = reorder(&DIAGONALS[2][n], c[n]);
        d[n] = reorder(&DIAGONALS[3][n], d[n]);
    }
    round!(a, b, c, d);
    for (pair, vectors) in [a, b, c, d].into_iter().enumerate() {
        for n in 0..4 {
            let at = 4 * pair + n;
            target[at] = _mm512_xor_si512(target[at], reorder(&HOME[pair][n], vectors[n]));
        }
    }
}
