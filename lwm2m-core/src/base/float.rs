//! What is asked of floats, by their bits: a core that computes with 32 at most takes a library for it else.

use core::cmp::Ordering;

/// Bits of a double's mantissa that a single has not.
const BEYOND: u32 = 52 - 23;
/// How much larger the exponent of a double counts.
const MORE: u64 = 1023 - 127;

/// How two numbers compare; not at all when one is no number.
pub(crate) fn compare(one: f64, other: f64) -> Option<Ordering> {
    let comparable = !is_nan(one) && !is_nan(other);
    comparable.then(|| in_order(one).cmp(&in_order(other)))
}

/// How far apart two numbers are, compared with a step that is taken some times: for steps, which are
/// finite and not negative. Nothing is apart from what is no number.
///
/// As exact as a subtraction: of numbers far apart, what is below 2^-61 of the largest does not count.
pub(crate) fn apart(one: f64, other: f64, (times, step): (u64, f64)) -> Option<Ordering> {
    let top = [one, other, step].into_iter().map(exponent).max()?;
    let [one_there, other_there] = [one, other].map(|number| {
        let (there, _) = aligned(number, top);
        if number.is_sign_negative() { -there } else { there }
    });
    let (step, rest) = aligned(step, top);
    let steps = (step as u64).saturating_add(rest.into()).saturating_mul(times);
    let comparable = !is_nan(one) && !is_nan(other);
    comparable.then(|| one_there.abs_diff(other_there).cmp(&steps))
}

/// What a finite number with this exponent at most is a multiple of, so often; and whether that leaves a rest.
fn aligned(number: f64, top: u32) -> (i64, bool) {
    let exponent = exponent(number);
    let hidden = if exponent > 0 { 1 << 52 } else { 0 };
    let mantissa = (number.to_bits() & ((1 << 52) - 1) | hidden) << 9;
    let lower = top.saturating_sub(exponent.max(1)).min(63);
    ((mantissa >> lower) as i64, mantissa & ((1 << lower) - 1) != 0)
}

const fn exponent(number: f64) -> u32 {
    (number.to_bits() >> 52) as u32 & 0x7FF
}

const fn is_nan(number: f64) -> bool {
    number.to_bits() << 1 > f64::INFINITY.to_bits() << 1
}

/// Whether it is a number, and not an infinite one.
pub(crate) const fn is_finite(number: f64) -> bool {
    exponent(number) < 0x7FF
}

/// The float that an integer becomes, cut off where it has more than 53 bits.
pub(crate) const fn from_integer(magnitude: u64, negative: bool) -> f64 {
    if magnitude == 0 {
        return 0.0;
    }
    let zeros = magnitude.leading_zeros();
    // The first bit is understood.
    let mantissa = (magnitude << zeros << 1) >> 12;
    f64::from_bits((negative as u64) << 63 | ((1023 + 63 - zeros) as u64) << 52 | mantissa)
}

/// A number of the same order. There is one zero.
const fn in_order(number: f64) -> i64 {
    let magnitude = (number.to_bits() & !(1 << 63)) as i64;
    if number.is_sign_negative() { -magnitude } else { magnitude }
}

/// The bits of a number as a single, when that loses nothing.
pub(crate) fn to_single(number: f64) -> Option<u32> {
    let bits = number.to_bits();
    let (sign, exponent) = ((bits >> 63) as u32, bits >> 52 & 0x7FF);
    let mantissa = (bits >> BEYOND) as u32 & 0x7F_FFFF;
    let single = match exponent {
        0x7FF => sign << 31 | 0x7F80_0000 | mantissa,
        // Fewer bits than others, and that many zeros in front.
        874..=896 => sign << 31 | (mantissa | 0x80_0000) >> (897 - exponent),
        _ => sign << 31 | (exponent.saturating_sub(MORE) as u32 & 0xFF) << 23 | mantissa,
    };
    (from_single(single).to_bits() == bits).then_some(single)
}

/// The number that the bits of a single are.
pub(crate) const fn from_single(single: u32) -> f64 {
    let sign = (single >> 31) as u64;
    let (exponent, mantissa) = ((single >> 23 & 0xFF) as u64, single & 0x7F_FFFF);
    let (exponent, mantissa) = match exponent {
        0 if mantissa == 0 => (0, 0),
        0 => {
            let zeros = mantissa.leading_zeros() - 8;
            (MORE + 1 - zeros as u64, mantissa << zeros & 0x7F_FFFF)
        }
        0xFF => (0x7FF, mantissa),
        _ => (exponent + MORE, mantissa),
    };
    f64::from_bits(sign << 63 | exponent << 52 | (mantissa as u64) << BEYOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOME: [f64; 12] = [
        0.0,
        -0.0,
        1.0,
        -1.5,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f32::MAX as f64,
        1e-45_f32 as f64,
    ];

    fn is_like_the_language(one: f64, other: f64) {
        assert_eq!(compare(one, other), one.partial_cmp(&other), "{one} {other}");
        let short = one as f32;
        let lossless = f64::from(short).to_bits() == one.to_bits();
        assert_eq!(to_single(one), lossless.then_some(short.to_bits()), "{one}");
    }

    #[test]
    fn the_edges_are_as_in_the_language() {
        for (one, other) in SOME.iter().flat_map(|one| SOME.iter().map(|other| (*one, *other))) {
            is_like_the_language(one, other);
        }
    }

    #[test]
    fn a_distance_is_as_exact_as_a_subtraction() {
        for (one, other, step, expected) in [
            (1e15, 1e15 + 0.25, 0.25, Ordering::Equal),
            (1e15, 1e15 + 0.25, 0.250_000_1, Ordering::Less),
            (0.3, 0.2, 0.1, Ordering::Less),
            (-1.0, 1.0, 2.0, Ordering::Equal),
            (5e-324, 0.0, 5e-324, Ordering::Equal),
            (5e-324, -5e-324, 5e-324, Ordering::Greater),
            (f64::MAX, f64::MIN, f64::MAX, Ordering::Greater),
            (f64::INFINITY, 1.0, f64::MAX, Ordering::Greater),
            (7.0, 7.0, 0.0, Ordering::Equal),
        ] {
            assert_eq!(apart(one, other, (1, step)), Some(expected), "{one} {other} {step}");
            assert_eq!(apart(other, one, (1, step)), Some(expected), "{other} {one} {step}");
        }
        assert_eq!(apart(4.0, 10.0, (2, 3.0)), Some(Ordering::Equal));
        assert_eq!(apart(f64::NAN, 1.0, (1, 1.0)), None);
    }

    proptest! {
        #[test]
        fn an_integer_becomes_the_float_it_is_and_never_a_larger_one(magnitude: u64, bits in 1u32..=64, negative: bool) {
            let magnitude = magnitude >> (64 - bits);
            let sign = if negative && magnitude != 0 { -1.0 } else { 1.0 };
            let beyond = (64 - magnitude.leading_zeros()).saturating_sub(53);
            let cut = magnitude >> beyond << beyond;
            prop_assert_eq!(from_integer(magnitude, negative).to_bits(), (sign * cut as f64).to_bits());
        }

        #[test]
        fn whole_numbers_are_as_far_apart_as_they_are(one: i32, other: i32, step: u32, times in 1u64..3, scale in -20i32..20) {
            let scaled = |number: i64| number as f64 * f64::from(scale).exp2();
            let distance = (i64::from(one) - i64::from(other)).unsigned_abs();
            let expected = distance.cmp(&(u64::from(step) * times));
            prop_assert_eq!(apart(scaled(one.into()), scaled(other.into()), (times, scaled(step.into()))), Some(expected));
        }

        #[test]
        fn it_is_as_in_the_language(one: f64, other: f64, bits: u32) {
            is_like_the_language(one, other);
            is_like_the_language(f32::from_bits(bits).into(), one);
            prop_assert_eq!(compare(one, one), one.partial_cmp(&one));
            let wide = f64::from(f32::from_bits(bits));
            // What kind of no number it is, a processor may say as it likes.
            prop_assert!(wide.is_nan() && from_single(bits).is_nan() || wide.to_bits() == from_single(bits).to_bits());
        }
    }
}
