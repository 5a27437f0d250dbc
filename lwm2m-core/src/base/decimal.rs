//! Numbers as decimal text and back, without `core::fmt` and `core`'s float parser.
//!
//! Those two cost a small device more memory than all the formats together. What is here needs no
//! tables: floats are held against whole numbers of up to 1312 bits, so nothing is rounded on the way.

// Text comes from anyone: nothing in it may lead to a panic or to a wrapped number.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used,
    )
)]

use core::cmp::Ordering;

use super::divide::divide;
use super::float::from_integer;

/// Writes `value` to the front of `room` and tells how many bytes it took, `None` when there is
/// too little room.
pub(crate) fn write_u64(value: u64, room: &mut [u8]) -> Option<usize> {
    let mut front = Front::new(room);
    front.integer(value)?;
    Some(front.used)
}

/// As [`write_u64`], with a `-` before a negative number.
pub(crate) fn write_i64(value: i64, room: &mut [u8]) -> Option<usize> {
    let mut front = Front::new(room);
    front.put(sign(value < 0))?;
    front.integer(value.unsigned_abs())?;
    Some(front.used)
}

/// Writes `value` in plain decimal notation, `-43.5723` or `0.00000000006667`, never with an
/// exponent: the shortest digits that [`read_f64`] turns into `value` again, and of those the
/// nearest. `None` when there is too little room, or when it is no finite number.
///
/// The largest numbers take 309 digits, the smallest 326 bytes and a sign.
// Long numbers are to be on the stack of nobody else.
#[inline(never)]
pub(crate) fn write_f64(value: f64, room: &mut [u8]) -> Option<usize> {
    if !value.is_finite() {
        return None;
    }
    let shortest = Shortest::of(value);
    let mut room_for_digits = [0; 17];
    let length = write_u64(shortest.digits, &mut room_for_digits)?;
    let digits = room_for_digits.get(..length)?;
    let mut front = Front::new(room);
    front.put(sign(value.is_sign_negative()))?;
    match usize::try_from(shortest.point) {
        Ok(point) if point > 0 => match digits.split_at_checked(point) {
            Some((whole, [])) => front.put(whole)?,
            Some((whole, fraction)) => {
                front.put(whole)?;
                front.put(b".")?;
                front.put(fraction)?;
            }
            None => {
                front.put(digits)?;
                front.zeros(point.saturating_sub(digits.len()))?;
            }
        },
        _ => {
            front.put(b"0.")?;
            front.zeros(usize::try_from(shortest.point.unsigned_abs()).ok()?)?;
            front.put(digits)?;
        }
    }
    Some(front.used)
}

/// Reads digits, also with zeros in front. `None` for anything else, and above `u64::MAX`.
pub(crate) fn read_u64(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, &byte| number.checked_mul(10)?.checked_add(digit(byte)?.into()))
}

/// As [`read_u64`], with a `-` before a negative number.
pub(crate) fn read_i64(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-") {
        Some(magnitude) => 0i64.checked_sub_unsigned(read_u64(magnitude)?),
        None => read_u64(text)?.try_into().ok(),
    }
}

/// Reads `[-]digits[.digits][e[+|-]digits]`: the float next to the number, of two equally near
/// ones the even one. `None` for anything else, and for what lies beyond the largest float.
///
/// From the 51st digit on, it only counts whether all of them are zero. So the result can be the
/// second nearest float for a number that lies between two of them, and as near to the middle as
/// 50 digits can tell; that is never so for what [`write_f64`] wrote.
// Long numbers are to be on the stack of nobody else.
#[inline(never)]
pub(crate) fn read_f64(text: &[u8]) -> Option<f64> {
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let magnitude = Decimal::parse(text)?.into_f64()?;
    Some(if negative { -magnitude } else { magnitude })
}

pub(super) const fn sign(negative: bool) -> &'static [u8] {
    if negative { b"-" } else { b"" }
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then_some(byte & 0x0F)
}

/// The front of a buffer that text is put into.
pub(super) struct Front<'r> {
    room: &'r mut [u8],
    pub(super) used: usize,
}

impl<'r> Front<'r> {
    pub(super) const fn new(room: &'r mut [u8]) -> Self {
        Self { room, used: 0 }
    }

    fn claim(&mut self, length: usize) -> Option<&mut [u8]> {
        let start = self.used;
        self.used = start.checked_add(length)?;
        self.room.get_mut(start..self.used)
    }

    pub(super) fn put(&mut self, text: &[u8]) -> Option<()> {
        self.claim(text.len())?.copy_from_slice(text);
        Some(())
    }

    fn zeros(&mut self, count: usize) -> Option<()> {
        self.claim(count)?.fill(b'0');
        Some(())
    }

    pub(super) fn integer(&mut self, mut value: u64) -> Option<()> {
        let mut digits = [0; 20];
        for digit in digits.iter_mut().rev() {
            let rest;
            (value, rest) = divide(value, 10);
            *digit = b'0' | (rest & 15) as u8;
            if value == 0 {
                break;
            }
        }
        // What is still zero is no digit.
        self.put(digits.get(digits.iter().position(|digit| *digit != 0)?..)?)
    }
}

/// The shortest digits that lead back to a float, as a whole number, and how many of them stand before the point.
struct Shortest {
    digits: u64,
    point: i32,
}

impl Shortest {
    /// Any float is known by so many.
    const MOST: i32 = 17;

    /// Of all numbers that are read as `value`, one with the fewest digits, and of these the nearest.
    fn of(value: f64) -> Self {
        let (mantissa, exponent) = parts(value);
        if mantissa == 0 {
            return Self { digits: 0, point: 1 };
        }
        // The reader rounds to even: an even float also takes the middles to its neighbours.
        let taken = if mantissa % 2 == 0 { Ordering::Equal } else { Ordering::Less };
        let above = (mantissa.saturating_mul(2).saturating_add(1), exponent.saturating_sub(1));
        // Below a power of two floats are twice as dense, so the neighbour there is nearer.
        let below = match mantissa {
            HIDDEN_BIT if exponent > LEAST_EXPONENT => {
                (HIDDEN_BIT.saturating_mul(4).saturating_sub(1), exponent.saturating_sub(2))
            }
            _ => (mantissa.saturating_mul(2).saturating_sub(1), exponent.saturating_sub(1)),
        };
        // The point may come out one too low, never too high.
        let mut point = point_of(mantissa, exponent);
        if compare(&Natural::from(1), point, (mantissa, exponent)).is_le() {
            point = point.saturating_add(1);
        }
        let (mut digits, mut length) = (0u64, 0i32);
        loop {
            length = length.saturating_add(1);
            let power = point.saturating_sub(length);
            let against = |digits: u64, power: i32, float| compare(&Natural::from(digits), power, float);
            digits = digits.saturating_mul(10);
            for step in [8, 4, 2, 1] {
                let more = digits.saturating_add(step);
                if against(more, power, (mantissa, exponent)).is_le() {
                    digits = more;
                }
            }
            let next = digits.saturating_add(1);
            let low = against(digits, power, below).reverse() <= taken;
            let high = against(next, power, above) <= taken;
            if low || high || length >= Self::MOST {
                let middle = digits.saturating_mul(10).saturating_add(5);
                let nearer = || against(middle, power.saturating_sub(1), (mantissa, exponent)).is_le();
                let up = high && (!low || nearer());
                let digits = if up { next } else { digits };
                // One digit may have become two.
                return if digits == 10 {
                    Self { digits: 1, point: point.saturating_add(1) }
                } else {
                    Self { digits, point }
                };
            }
        }
    }
}

/// How a decimal number compares with a float's magnitude.
fn compare(digits: &Natural, power: i32, (mantissa, exponent): (u64, i32)) -> Ordering {
    let (mut decimal, mut binary) = (digits.clone(), Natural::from(mantissa));
    let tens = if power >= 0 { &mut decimal } else { &mut binary };
    tens.times_ten_to(power.unsigned_abs());
    let twos = if exponent >= 0 { &mut binary } else { &mut decimal };
    twos.double(exponent.unsigned_abs());
    decimal.cmp(&binary)
}

/// Bits of a float's mantissa that are stored, the first one of a normal float being understood.
const STORED_BITS: u32 = 52;
const HIDDEN_BIT: u64 = 1 << STORED_BITS;
/// The exponent of the smallest floats, when the mantissa is taken as a whole number.
const LEAST_EXPONENT: i32 = -1074;

/// The magnitude of a finite float as mantissa times two to the power of the exponent.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.abs().to_bits();
    let stored = bits & (HIDDEN_BIT - 1);
    match i32::try_from(bits >> STORED_BITS).unwrap_or(0) {
        0 => (stored, LEAST_EXPONENT),
        biased => (stored | HIDDEN_BIT, biased.saturating_sub(1).saturating_add(LEAST_EXPONENT)),
    }
}

/// How many digits a number has before the point, or minus the zeros right behind it: as it is, or
/// one too low.
fn point_of(mantissa: u64, exponent: i32) -> i32 {
    let log2 = i32::try_from(mantissa.checked_ilog2().unwrap_or(0)).unwrap_or(0).saturating_add(exponent);
    // 78913 / 2^18 is the logarithm of two to the base of ten, near enough for every exponent.
    (log2.saturating_mul(78_913) >> 18).saturating_add(1)
}

/// A decimal number as it was written: digits times ten to the power of the exponent.
struct Decimal {
    digits: Natural,
    /// How many digits there are, without zeros in front.
    count: i32,
    exponent: i32,
    /// Whether more digits followed than are kept, not all of them zeros.
    more: bool,
}

impl Decimal {
    /// Digits that are kept. [`LIMBS`] has room for these, and for one more that stands for the rest.
    const KEPT: i32 = 50;

    fn parse(text: &[u8]) -> Option<Self> {
        let (text, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => {
                let (text, exponent) = text.split_at_checked(at)?;
                (text, read_exponent(exponent.get(1..)?)?)
            }
            None => (text, 0),
        };
        let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
            Some(at) => {
                let (whole, fraction) = text.split_at_checked(at)?;
                (whole, fraction.get(1..).filter(|fraction| !fraction.is_empty())?)
            }
            None => (text, &[][..]),
        };
        if whole.is_empty() {
            return None;
        }
        let mut decimal = Self { digits: Natural::from(0), count: 0, exponent, more: false };
        for &byte in whole {
            decimal.push(digit(byte)?, 0);
        }
        for &byte in fraction {
            decimal.push(digit(byte)?, -1);
        }
        Some(decimal)
    }

    /// Takes one more digit, which moves the exponent by `step` if it is kept.
    fn push(&mut self, digit: u8, step: i32) {
        if self.count < Self::KEPT {
            self.digits.scale(10, digit.into());
            self.count = self.count.saturating_add(i32::from(self.digits.used > 0));
            self.exponent = self.exponent.saturating_add(step);
        } else {
            self.more |= digit != 0;
            self.exponent = self.exponent.saturating_add(step).saturating_add(1);
        }
    }

    /// The nearest float, `None` when that is infinite.
    fn into_f64(mut self) -> Option<f64> {
        if self.count == 0 {
            return Some(0.0);
        }
        if self.more {
            // A digit behind the others, to be off the middle between two floats.
            self.digits.scale(10, 1);
            self.count = self.count.saturating_add(1);
            self.exponent = self.exponent.saturating_sub(1);
        }
        // Most numbers are whole, and floats as they are: they need no search.
        if let (0, Some(number)) = (self.exponent, self.digits.small()) {
            return Some(from_integer(number, false));
        }
        // The smallest float is 4.9e-324, the largest 1.8e308; what is clearly beyond them must
        // not make the numbers below too long.
        match self.count.saturating_add(self.exponent) {
            ..=-324 => return Some(0.0),
            -323..=309 => {}
            _ => return None,
        }
        // The largest float that is not above it, and the middle between that and the next one.
        let mut bits = 0u64;
        for bit in (0..63).rev() {
            let more = bits | 1 << bit;
            if compare(&self.digits, self.exponent, parts(f64::from_bits(more))).is_ge() {
                bits = more;
            }
        }
        let float = Some(f64::from_bits(bits)).filter(|float| float.is_finite())?;
        let (mantissa, exponent) = parts(float);
        let middle = (mantissa.saturating_mul(2).saturating_add(1), exponent.saturating_sub(1));
        let up = match compare(&self.digits, self.exponent, middle) {
            Ordering::Greater => true,
            Ordering::Equal => mantissa % 2 == 1,
            Ordering::Less => false,
        };
        Some(f64::from_bits(bits.saturating_add(up.into()))).filter(|float| float.is_finite())
    }
}

/// The exponent behind an `e`; what is too large for the type is as good as the largest.
fn read_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let magnitude = digits
        .iter()
        .try_fold(0i32, |number, &byte| Some(number.saturating_mul(10).saturating_add(digit(byte)?.into())))?;
    Some(if negative { magnitude.saturating_neg() } else { magnitude })
}

/// Limbs of a [`Natural`]: 1312 bits. The longest number comes up in reading, where a float of 54 bits is held against
/// the digits of the smallest ones: times 10^374, which has 1243 bits.
const LIMBS: usize = 41;

/// A whole number. Limbs from `used` on are zero, the one before is not.
#[derive(Clone, PartialEq, Eq)]
struct Natural {
    limbs: [u32; LIMBS],
    used: usize,
}

impl From<u64> for Natural {
    fn from(number: u64) -> Self {
        let mut natural = Self { limbs: [0; LIMBS], used: 0 };
        natural.scale(1, (number >> 32) as u32);
        natural.double(32);
        natural.scale(1, (number & 0xFFFF_FFFF) as u32);
        natural
    }
}

impl Natural {
    fn limbs(&self) -> &[u32] {
        self.limbs.get(..self.used).unwrap_or(&self.limbs)
    }

    /// The number itself, where a float has all of its bits.
    fn small(&self) -> Option<u64> {
        let [low, high, ..] = self.limbs;
        let number = u64::from(high) << 32 | u64::from(low);
        Some(number).filter(|number| self.used <= 2 && *number < HIDDEN_BIT << 1)
    }

    /// Multiplies by `factor` and adds `more`.
    fn scale(&mut self, factor: u32, more: u32) {
        let mut carry = u64::from(more);
        for limb in self.limbs.iter_mut().take(self.used) {
            // Three numbers of 32 bits: the product and the sum have 64.
            let wide = u64::from(*limb).wrapping_mul(factor.into()).wrapping_add(carry);
            *limb = (wide & 0xFFFF_FFFF) as u32;
            carry = wide >> 32;
        }
        if carry > 0
            && let Some(limb) = self.limbs.get_mut(self.used)
        {
            *limb = (carry & 0xFFFF_FFFF) as u32;
            self.used = self.used.saturating_add(1);
        }
    }

    /// Doubles it so many times.
    fn double(&mut self, times: u32) {
        for _ in 0..times / 31 {
            self.scale(1 << 31, 0);
        }
        self.scale(1 << (times % 31), 0);
    }

    fn times_ten_to(&mut self, power: u32) {
        for _ in 0..power / 9 {
            self.scale(1_000_000_000, 0);
        }
        for _ in 0..power % 9 {
            self.scale(10, 0);
        }
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        self.used.cmp(&other.used).then_with(|| self.limbs().iter().rev().cmp(other.limbs().iter().rev()))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::{String, ToString};
    use proptest::prelude::*;

    #[track_caller]
    fn written(value: f64) -> String {
        let mut room = [0; 400];
        let length = write_f64(value, &mut room).unwrap();
        String::from_utf8(room[..length].to_vec()).unwrap()
    }

    fn read(text: &str) -> Option<f64> {
        read_f64(text.as_bytes())
    }

    #[test]
    fn integers_are_written_as_core_writes_them() {
        let mut room = [0; 20];
        for value in [0, 1, 9, 10, 65_535, 9_999_999_999, u64::MAX] {
            let length = write_u64(value, &mut room).unwrap();
            assert_eq!(room[..length], *value.to_string().as_bytes());
        }
        for value in [0, 7, -1, -10, i64::MAX, i64::MIN] {
            let length = write_i64(value, &mut room).unwrap();
            assert_eq!(room[..length], *value.to_string().as_bytes());
        }
    }

    #[test]
    fn integers_are_read_strictly_but_may_have_zeros_in_front() {
        for (text, value) in [
            ("0", Some(0)),
            ("0101", Some(101)),
            ("-0", Some(0)),
            ("-0007", Some(-7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("0000000000000000000000000000001", Some(1)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("", None),
            ("-", None),
            ("+1", None),
            ("--1", None),
            (" 1", None),
            ("1 ", None),
            ("1.0", None),
            ("0x1", None),
            ("\u{661}", None),
        ] {
            assert_eq!(read_i64(text.as_bytes()), value, "{text:?}");
        }
        assert_eq!(read_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(read_u64(b"18446744073709551616"), None);
        assert_eq!(read_u64(b"-0"), None);
        assert_eq!(read_u64(b""), None);
    }

    #[test]
    fn floats_are_written_plainly_and_shortly() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-43.5723, "-43.5723"),
            (6.667e-11, "0.00000000006667"),
            (0.1 + 0.2, "0.30000000000000004"),
            (0.5, "0.5"),
            (100.0, "100"),
            (1e21, "1000000000000000000000"),
            (5e22, "50000000000000000000000"),
            (123_456_789.125, "123456789.125"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (9.5e-3, "0.0095"),
            (0.999_999_999_999_999_9, "0.9999999999999999"),
        ] {
            assert_eq!(written(value), text);
        }
    }

    #[test]
    fn the_edges_of_the_range_are_exact() {
        for value in [
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::MIN_POSITIVE.next_down(),
            f64::EPSILON,
            5e-324,
            1e-323,
            2f64.powi(-1000),
            2f64.powi(1000),
            2f64.powi(53),
            // Those whose shortest digits depend on how near the neighbour below is.
            2f64.powi(-44),
            2f64.powi(-25),
            2f64.powi(64),
            1.0f64.next_down(),
            9.5367431640625e-7,
        ] {
            assert_eq!(written(value), format!("{value}"));
            assert_eq!(read(&written(value)), Some(value));
        }
        assert_eq!(written(f64::MAX).len(), 309);
        assert_eq!(written(-5e-324).len(), 327);
        assert_eq!(written(f64::MIN_POSITIVE).len(), 2 + 307 + 17);
    }

    #[test]
    fn only_finite_numbers_that_have_room_are_written() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(write_f64(value, &mut [0; 400]), None);
        }
        for (value, length) in [(-43.5723, 8), (1e21, 22), (1.5e-5, 8), (42.0, 2), (0.0, 1)] {
            assert_eq!(write_f64(value, &mut [0; 30][..length]), Some(length), "{value}");
            for less in 0..length {
                assert_eq!(write_f64(value, &mut [0; 30][..less]), None, "{value} in {less}");
            }
        }
        assert_eq!(write_u64(100, &mut [0; 2]), None);
        assert_eq!(write_i64(-10, &mut [0; 2]), None);
        assert_eq!(write_i64(-1, &mut []), None);
    }

    #[test]
    fn floats_are_read_by_the_grammar_and_nothing_else() {
        for (text, value) in [
            ("0", 0.0),
            ("-0", -0.0),
            ("0.0", 0.0),
            ("007.50", 7.5),
            ("-43.5723", -43.5723),
            ("1e3", 1000.0),
            ("1.5E-3", 0.0015),
            ("2e+2", 200.0),
            ("0e999999999999999999999", 0.0),
            ("1e-999999999999999999999", 0.0),
            ("0.00000000000000000000000000000000000000000000000000000000000000000000001", 1e-71),
            ("1797693134862315708145274237317043567980e269", f64::MAX),
        ] {
            let read = read(text).unwrap();
            assert_eq!(read.to_bits(), value.to_bits(), "{text:?}: {read:?}");
        }
        for text in [
            "",
            "-",
            "+1",
            ".5",
            "5.",
            ".",
            "-.5",
            "1e",
            "1e+",
            "e5",
            "1.e5",
            "1e5.0",
            "1e5e5",
            "1.2.3",
            " 1",
            "1 ",
            "1,5",
            "inf",
            "NaN",
            "--1",
            "0x10",
            "1e309",
            "1e999999999999999999999",
            "-2e308",
            "1_0",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn reading_rounds_to_the_nearest_and_of_two_to_the_even() {
        for text in [
            // The middle between the largest float and the next power of two, cut.
            "1.79769313486231580793728971405303415079934e308",
            "179769313486231580793728971405303415079934e267",
            // The middle of two small whole numbers, exactly and with a trace above it.
            "9007199254740993",
            "9007199254740993.0000000000000000000000000000000000000000000000000000000000000000000001",
            "9007199254740995",
            // The middle between zero and the smallest float, and just above.
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.4703282292062327208299493410e-324",
            "4.940656458412465441765687928682213723650598026143247644e-324",
            "1.00000000000000000000000000000000000000000000000001e-324",
            "9.99999999999999999999999999999999999999999999999999e-324",
            "7.4109846876186981626485318930e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "1.7976931348623158e308",
        ] {
            assert_eq!(read(text), text.parse().ok().filter(|float: &f64| float.is_finite()), "{text}");
        }
        for text in
            ["1.7976931348623159e308", "3.5e308", "3.6e308", "3.5953862697246318e308", "7.2e308", "9.999e308", "1e309"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("1.79769313486231580793728971405303415079935e308"), None);
    }

    fn float() -> impl Strategy<Value = f64> {
        let common = (any::<i32>(), 0..8i32).prop_map(|(number, places)| f64::from(number) / 10f64.powi(places));
        prop_oneof![any::<u64>().prop_map(f64::from_bits), common, any::<f32>().prop_map(f64::from)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn what_is_written_is_what_core_writes_and_reads_back(value in float()) {
            prop_assume!(value.is_finite());
            prop_assert_eq!(written(value), format!("{value}"));
            prop_assert_eq!(read(&written(value)).unwrap().to_bits(), value.to_bits());
        }

        #[test]
        fn reading_agrees_with_core_at_both_ends(text in "[0-9]{1,20}(\\.[0-9]{1,40})?e(-3[0-4][0-9]|30[0-9]|29[0-9]|28[0-9])") {
            prop_assert_eq!(read(&text), text.parse().ok().filter(|float: &f64| float.is_finite()));
        }

        #[test]
        fn reading_agrees_with_core(text in "-?[0-9]{1,25}(\\.[0-9]{1,60})?(e-?[0-9]{1,3})?") {
            prop_assert_eq!(read(&text), text.parse().ok().filter(|float: &f64| float.is_finite()));
        }

        #[test]
        fn digits_in_the_middle_of_two_floats_agree_with_core(bits in 0..0x7FEF_FFFF_FFFF_FFFFu64, more in "0{0,20}1?") {
            // The middle has up to 770 digits; cut at 40 it lies just below or on it.
            let (low, high) = (f64::from_bits(bits), f64::from_bits(bits + 1));
            let text = format!("{:.40e}", low / 2.0 + high / 2.0);
            let (digits, exponent) = text.split_once('e').unwrap();
            let text = format!("{digits}{more}e{exponent}");
            prop_assert_eq!(read(&text), text.parse().ok());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(prop_oneof![any::<u8>(), b'0'..=b'9', Just(b'.'), Just(b'e'), Just(b'-')], 0..80)) {
            read_f64(&bytes);
            read_i64(&bytes);
            read_u64(&bytes);
        }

        #[test]
        fn integers_read_back(value in any::<i64>()) {
            let mut room = [0; 20];
            let length = write_i64(value, &mut room).unwrap();
            prop_assert_eq!(read_i64(&room[..length]), Some(value));
        }
    }

    // What is left out of the digits decides on which side of the middle a number lies.
    #[test]
    fn a_digit_behind_those_that_are_kept_tips_the_middle() {
        let middle = "9007199254740993";
        for (fraction, nearest) in [("0", 9_007_199_254_740_992.0), ("1", 9_007_199_254_740_994.0)] {
            for zeros in [0, 33, 34, 60] {
                assert_eq!(read(&format!("{middle}.{}{fraction}", "0".repeat(zeros))), Some(nearest), "{zeros}");
            }
        }
    }
}
