//! Logarithm and exponential on integers, from tables of 64 steps. Exact to about 2^-13.
//!
//! Numbers in "Q16" count 65,536ths.

/// One in Q16.
pub(super) const ONE: i32 = 65_536;

/// ln(1 + i/64).
const LN: [i32; 65] = [
    0, 1016, 2017, 3002, 3973, 4930, 5873, 6802, 7719, 8623, 9515, 10394, 11262, 12119, 12965, 13800, 14624,
    15438, 16242, 17037, 17821, 18597, 19364, 20121, 20870, 21611, 22343, 23067, 23783, 24492, 25193, 25886,
    26573, 27252, 27924, 28589, 29248, 29900, 30546, 31185, 31818, 32445, 33067, 33682, 34292, 34896, 35494,
    36087, 36675, 37258, 37835, 38407, 38975, 39537, 40095, 40648, 41196, 41740, 42280, 42815, 43345, 43872,
    44394, 44912, 45426,
];
/// 2^(i/64).
const EXP: [u32; 65] = [
    65536, 66250, 66971, 67700, 68438, 69183, 69936, 70698, 71468, 72246, 73032, 73828, 74632, 75444, 76266,
    77096, 77936, 78785, 79642, 80510, 81386, 82273, 83169, 84074, 84990, 85915, 86851, 87796, 88752, 89719,
    90696, 91684, 92682, 93691, 94711, 95743, 96785, 97839, 98905, 99982, 101070, 102171, 103283, 104408,
    105545, 106694, 107856, 109031, 110218, 111418, 112631, 113858, 115098, 116351, 117618, 118899, 120194,
    121502, 122825, 124163, 125515, 126882, 128263, 129660, 131072,
];
const LN_2: i32 = 45_426;
/// 1 / ln 2.
const LOG2_E: i64 = 94_548;

/// ln `x` in Q16; that of 1 for 0.
pub(super) fn ln(x: u64) -> i32 {
    let Some(power) = x.checked_ilog2() else { return 0 };
    // The leading one, then 16 bits.
    let mantissa = if power >= 16 { x >> (power - 16) } else { x << (16 - power) };
    let index = (mantissa >> 10) as usize & 63;
    let rest = (mantissa & 1023) as i32;
    let (low, high) = (entry(&LN, index), entry(&LN, index + 1));
    power as i32 * LN_2 + low + (((high - low) * rest) >> 10)
}

/// e to the power of `x`, both in Q16; the bounds are e^-11 and e^30.
pub(super) fn exp(x: i32) -> u64 {
    let x = i64::from(x.clamp(-11 * ONE, 30 * ONE));
    let two = (x * LOG2_E) >> 16;
    let index = (two >> 10) as usize & 63;
    let rest = (two & 1023) as u32;
    let (low, high) = (entry(&EXP, index), entry(&EXP, index + 1));
    let mantissa = u64::from(low + (((high - low) * rest) >> 10));
    let power = two >> 16;
    if power >= 0 { mantissa << (power as u32 & 63) } else { mantissa >> (power.unsigned_abs() as u32 & 63) }
}

fn entry<T: Copy + Default>(table: &[T; 65], index: usize) -> T {
    table.get(index).copied().unwrap_or_default()
}

/// The square root of a number in Q16, in Q16; 0 for less than 0.
pub(super) fn sqrt(x: i32) -> i32 {
    let x = u64::from(x.max(0).unsigned_abs());
    (x << 16).isqrt() as i32
}

/// The product of two numbers in Q16, within an i32.
pub(super) fn mul(a: i32, b: i32) -> i32 {
    narrow((i64::from(a) * i64::from(b)) >> 16)
}

/// The quotient of two numbers in Q16, within an i32; of a divisor below one 65,536th as if it were that.
pub(super) fn div(a: i32, b: i32) -> i32 {
    narrow((i64::from(a) << 16) / i64::from(b.max(1)))
}

/// `x`, or the nearest that an i32 holds.
pub(super) fn narrow(x: i64) -> i32 {
    x.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}
