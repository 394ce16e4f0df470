//! `G` in AVX2. A vector holds a quarter of a row: `block[row][quarter]`, in the order of RFC 9106.
//!
//! Eight vectors at a time: two rows, then two columns. What does not fit into registers waits in `scratch`.

use core::arch::x86_64::*;

use super::{Block, Vectors as _};

type V = __m256i;

/// `x + y + 2 * low(x) * low(y)`.
#[inline]
#[target_feature(enable = "avx2")]
fn multiply_add(x: V, y: V) -> V {
    let product = _mm256_mul_epu32(x, y);
    _mm256_add_epi64(_mm256_add_epi64(x, y), _mm256_add_epi64(product, product))
}

/// What turns each word right by 24 and by 16 bits, as orders of bytes.
struct Turns(V, V);

impl Turns {
    /// The compiler must not know the orders: it would take two shuffles of halves for one of bytes.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        let by_24 = _mm_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
        let by_16 = _mm_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
        let [by_24, by_16] = core::hint::black_box([by_24, by_16]);
        Self(_mm256_broadcastsi128_si256(by_24), _mm256_broadcastsi128_si256(by_16))
    }

    /// Turns each word right by `BITS`: 32, 24, 16 or 63.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn turn<const BITS: i32>(&self, x: V) -> V {
        match BITS {
            32 => _mm256_shuffle_epi32::<0xb1>(x),
            24 => _mm256_shuffle_epi8(x, self.0),
            16 => _mm256_shuffle_epi8(x, self.1),
            _ => _mm256_or_si256(_mm256_add_epi64(x, x), _mm256_srli_epi64::<63>(x)),
        }
    }
}

/// A fourth of `GB` on four vectors: multiplies and adds `y` to `x`, adds `x` to `z` and turns `z` right by `BITS`.
#[inline]
#[target_feature(enable = "avx2")]
fn step<const BITS: i32>(turns: &Turns, x: &mut [V; 4], y: &[V; 4], z: &mut [V; 4]) {
    for n in 0..4 {
        x[n] = multiply_add(x[n], y[n]);
    }
    for n in 0..4 {
        z[n] = turns.turn::<BITS>(_mm256_xor_si256(z[n], x[n]));
    }
}

/// `GB` (RFC 9106, section 3.6). A macro, because a function of this size would not be inlined everywhere.
macro_rules! round {
    ($turns:expr, $a:ident, $b:ident, $c:ident, $d:ident) => {
        step::<32>($turns, &mut $a, &$b, &mut $d);
        step::<24>($turns, &mut $c, &$d, &mut $b);
        step::<16>($turns, &mut $a, &$b, &mut $d);
        step::<63>($turns, &mut $c, &$d, &mut $b);
    };
}

/// The upper half of `low` and the lower half of `high`, in each 128 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn middle(low: V, high: V) -> V {
    _mm256_alignr_epi8::<8>(high, low)
}

/// Sets `target` to `G(previous, reference)`, or adds that to it if `ADD`.
#[target_feature(enable = "avx2")]
pub(in crate::backend) fn compress<const ADD: bool>(
    target: &mut Block,
    previous: &Block,
    reference: &Block,
    scratch: &mut Block,
) {
    let (target, scratch): (&mut [[V; 4]; 8], &mut [[V; 4]; 8]) = (target.vectors_mut(), scratch.vectors_mut());
    let (previous, reference): (&[[V; 4]; 8], &[[V; 4]; 8]) = (previous.vectors(), reference.vectors());
    let turns = Turns::new();
    for row in (0..8).step_by(4) {
        let mut rows = [[_mm256_setzero_si256(); 4]; 4];
        for n in 0..4 {
            for quarter in 0..4 {
                let (old, row) = (&mut target[row + n][quarter], row + n);
                let sum = _mm256_xor_si256(previous[row][quarter], reference[row][quarter]);
                rows[quarter][n] = sum;
                *old = if ADD { _mm256_xor_si256(*old, sum) } else { sum };
            }
        }
        let [mut a, mut b, mut c, mut d] = rows;
        round!(&turns, a, b, c, d);
        // The diagonals: `b` is computed last, so it stays where it is and the others move.
        for n in 0..4 {
            a[n] = _mm256_permute4x64_epi64::<0x93>(a[n]);
            c[n] = _mm256_permute4x64_epi64::<0x39>(c[n]);
            d[n] = _mm256_permute4x64_epi64::<0x4e>(d[n]);
        }
        round!(&turns, a, b, c, d);
        for n in 0..4 {
            scratch[row + n] = [
                _mm256_permute4x64_epi64::<0x39>(a[n]),
                b[n],
                _mm256_permute4x64_epi64::<0x93>(c[n]),
                _mm256_permute4x64_epi64::<0x4e>(d[n]),
            ];
        }
    }
    for q in (0..4).step_by(2) {
        // Four columns. Each row gives two words of each: `a` of a column are words of rows 0 and 1.
        let mut a = [scratch[0][q], scratch[1][q], scratch[0][q + 1], scratch[1][q + 1]];
        let mut b = [scratch[2][q], scratch[3][q], scratch[2][q + 1], scratch[3][q + 1]];
        let mut c = [scratch[4][q], scratch[5][q], scratch[4][q + 1], scratch[5][q + 1]];
        let mut d = [scratch[6][q], scratch[7][q], scratch[6][q + 1], scratch[7][q + 1]];
        round!(&turns, a, b, c, d);
        a = [middle(a[1], a[0]), middle(a[0], a[1]), middle(a[3], a[2]), middle(a[2], a[3])];
        c = [middle(c[0], c[1]), middle(c[1], c[0]), middle(c[2], c[3]), middle(c[3], c[2])];
        d = [d[1], d[0], d[3], d[2]];
        round!(&turns, a, b, c, d);
        a = [middle(a[0], a[1]), middle(a[1], a[0]), middle(a[2], a[3]), middle(a[3], a[2])];
        c = [middle(c[1], c[0]), middle(c[0], c[1]), middle(c[3], c[2]), middle(c[2], c[3])];
        d = [d[1], d[0], d[3], d[2]];
        for (pair, x) in [a, b, c, d].into_iter().enumerate() {
            for n in 0..4 {
                let target = &mut target[2 * pair + n % 2][q + n / 2];
                *target = _mm256_xor_si256(*target, x[n]);
            }
        }
    }
}
