//! What is asked of floats, by their bits: a core that computes with 32 at most takes a library for it else.

/// Bits of a double's mantissa that a single has not.
const BEYOND: u32 = 52 - 23;
/// How much larger the exponent of a double counts.
const MORE: u64 = 1023 - 127;

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

/// A number of the same order. There is one zero; what is no number lies beyond all others, on either side.
pub(crate) const fn in_order(number: f64) -> i64 {
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
        let order = one.partial_cmp(&other);
        assert!(order.is_none_or(|order| in_order(one).cmp(&in_order(other)) == order), "{one} {other}");
        let range = in_order(f64::NEG_INFINITY)..=in_order(f64::INFINITY);
        assert_eq!(range.contains(&in_order(one)), !one.is_nan(), "{one}");
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
        fn it_is_as_in_the_language(one: f64, other: f64, bits: u32) {
            is_like_the_language(one, other);
            is_like_the_language(f32::from_bits(bits).into(), one);
            let wide = f64::from(f32::from_bits(bits));
            // What kind of no number it is, a processor may say as it likes.
            prop_assert!(wide.is_nan() && from_single(bits).is_nan() || wide.to_bits() == from_single(bits).to_bits());
        }
    }
}
