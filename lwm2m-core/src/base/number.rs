//! Numbers that thresholds are compared with (OMA LwM2M 1.0, 5.1.2), in millionths.
//!
//! A threshold is a decimal, and so a value is compared as one: 0.3 and 0.2 are 0.1 apart, which as floats they are not.
//! It takes no arithmetic of floats, which is a library where the core has none, and what a server wrote is shown to it
//! in the digits that count.

use core::num::NonZeroU64;

use super::attributes::halves;
use super::decimal::{Front, read_u64, sign, write_u64};
use super::divide::divide;
use super::value::Value;

/// A number in millionths, up to nearly nine million million to either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Number(
    /// The millionths, and [`ZERO`] added: they are in order, and an absent number takes no room of its own.
    NonZeroU64,
);

/// The number zero; it stands in the middle.
const ZERO: u64 = 1 << 63;

/// The digits of a millionth.
const PLACES: usize = 6;
const MILLION: u64 = 1_000_000;

impl Number {
    /// The number that a value is; none beyond what there is, and for what is no number.
    pub(crate) fn of(value: Value<'_>) -> Option<Self> {
        let (negative, whole) = match value {
            Value::Int(number) | Value::Time(number) => (number < 0, number.unsigned_abs()),
            Value::Uint(number) => (false, number),
            Value::Float(number) => return Self::new(number.is_sign_negative(), millionths(number)?),
            _ => return None,
        };
        Self::new(negative, in_millionths(whole)?)
    }

    /// Reads `[-]digits[.digits]`, to the next millionth; one that is none and would become zero is refused. The
    /// standard's grammar has no exponent (OMA LwM2M 1.0, 5.1.2).
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let magnitude = text.strip_prefix(b"-");
        let (whole, fraction) = halves(magnitude.unwrap_or(text), b'.');
        let fraction = fraction.unwrap_or(b"0");
        let (six, more) = fraction.split_at(fraction.len().min(PLACES));
        let mut places = [b'0'; PLACES];
        places.iter_mut().zip(six).for_each(|(place, digit)| *place = *digit);
        if six.is_empty() || !more.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let rounded = read_u64(&places)? + u64::from(more.first().is_some_and(|digit| *digit >= b'5'));
        let millionths = in_millionths(read_u64(whole)?)?.checked_add(rounded)?;
        let vanishes = millionths == 0 && more.iter().any(|digit| *digit != b'0');
        Self::new(magnitude.is_some(), millionths).filter(|_| !vanishes)
    }

    /// Writes it as it is read, in the fewest digits, and tells how many bytes it took; `None` when there is too
    /// little room.
    pub(crate) fn write(self, room: &mut [u8]) -> Option<usize> {
        let (thousandths, millionths) = divide(self.apart(Self::ZERO), 1_000);
        let (whole, thousandths) = divide(thousandths, 1_000);
        let mut front = Front::new(room);
        front.put(sign(self < Self::ZERO))?;
        front.integer(whole)?;
        // The digit in front keeps zeros behind it, and gives way to the point.
        let mut fraction = [0; PLACES + 1];
        write_u64(1_000_000 + u64::from(thousandths) * 1_000 + u64::from(millionths), &mut fraction)?;
        fraction[0] = b'.';
        let mut needed = &fraction[..];
        while let [shorter @ .., b'0' | b'.'] = needed {
            needed = shorter;
        }
        front.put(needed)?;
        Some(front.used)
    }

    pub(crate) const ZERO: Self = Self(NonZeroU64::MIN.saturating_add(ZERO - 1));

    /// How far two numbers are apart, in millionths.
    pub(crate) fn apart(self, other: Self) -> u64 {
        self.0.get().abs_diff(other.0.get())
    }

    /// What a snapshot keeps of it.
    pub(crate) const fn bits(self) -> NonZeroU64 {
        self.0
    }

    /// The number that a snapshot has kept.
    pub(crate) const fn from_bits(bits: NonZeroU64) -> Self {
        Self(bits)
    }

    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    fn new(negative: bool, millionths: u64) -> Option<Self> {
        let signed = if negative { millionths.wrapping_neg() } else { millionths };
        NonZeroU64::new(ZERO.wrapping_add(signed)).filter(|_| millionths < ZERO).map(Self)
    }
}

fn in_millionths(whole: u64) -> Option<u64> {
    (whole <= u64::MAX / MILLION).then(|| whole.wrapping_mul(MILLION))
}

/// The millionth next to a float's magnitude; none from 2^43 on, and for what is no number.
fn millionths(number: f64) -> Option<u64> {
    let bits = number.to_bits();
    // How far the mantissa must go to be a whole number. Ten more, and two million of it have 64 bits.
    let shift = 1075u32.checked_sub((bits >> 52) as u32 & 0x7FF).filter(|shift| *shift >= 10)?;
    let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
    let low = (mantissa & HALF) * (2 * MILLION);
    let high = (mantissa >> 32) * (2 * MILLION) + (low >> 32);
    let halves = match shift.checked_sub(32) {
        Some(shift) => high.checked_shr(shift).unwrap_or(0),
        None => high << (32 - shift) | (low & HALF) >> shift,
    };
    Some(halves.div_ceil(2))
}

/// The lower half of 64 bits.
const HALF: u64 = 0xFFFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use proptest::prelude::*;

    fn shown(number: Number) -> String {
        let mut room = [0; 24];
        let length = number.write(&mut room).unwrap();
        for less in 0..length {
            assert_eq!(number.write(&mut [0; 24][..less]), None);
        }
        String::from_utf8(room[..length].to_vec()).unwrap()
    }

    fn float(number: f64) -> Option<Number> {
        Number::of(Value::Float(number))
    }

    #[test]
    fn an_absent_number_takes_no_room() {
        assert_eq!(size_of::<Option<Number>>(), 8);
    }

    #[test]
    fn what_is_written_is_kept_and_shown_as_it_was() {
        for (text, again) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.000", "0"),
            ("007.50", "7.5"),
            ("42.2", "42.2"),
            ("-0.000001", "-0.000001"),
            ("100", "100"),
            ("0.1000000000000000000000", "0.1"),
            ("0.30000000000000004", "0.3"),
            ("0.0000005", "0.000001"),
            ("1.9999995", "2"),
            ("9223372036854.775807", "9223372036854.775807"),
            ("-9223372036854.775807", "-9223372036854.775807"),
        ] {
            assert_eq!(Number::read(text.as_bytes()).map(shown).as_deref(), Some(again), "{text}");
        }
    }

    #[test]
    fn what_has_no_place_is_refused_and_so_is_what_is_no_number() {
        for text in [
            "0.0000001",
            "-0.00000049",
            "0.1000001x",
            "9223372036854.775808",
            "-9223372036854.775808",
            "18446744073710",
            "18446744073709551616",
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            "1e3",
            "1.5e3",
            "1.-5",
            "--1",
            "1.2.3",
            "1 ",
            "nan",
            "0x1",
        ] {
            assert_eq!(Number::read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn floats_are_the_decimals_that_they_stand_for() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (42.2, "42.2"),
            (-42.2, "-42.2"),
            (0.1 + 0.2, "0.3"),
            (f64::from(0.3_f32), "0.3"),
            (5e-324, "0"),
            (1e-30, "0"),
            (4.9e-7, "0"),
            (5.1e-7, "0.000001"),
            (1.5, "1.5"),
            (1_234_567.125, "1234567.125"),
            (8e12, "8000000000000"),
        ] {
            assert_eq!(float(number).map(shown).as_deref(), Some(text), "{number}");
        }
        for number in [1e13, -1e13, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN] {
            assert_eq!(float(number), None, "{number}");
        }
    }

    #[test]
    fn numbers_of_all_types_are_one_number() {
        let five = float(5.0);
        assert!([Value::Int(5), Value::Uint(5), Value::Time(5)].iter().all(|value| Number::of(*value) == five));
        assert_eq!(Number::of(Value::Int(-5)), float(-5.0));
        for value in
            [Value::Int(i64::MIN), Value::Int(i64::MAX), Value::Uint(u64::MAX), Value::Bool(true), Value::Str("5")]
        {
            assert_eq!(Number::of(value), None);
        }
        assert_eq!((float(-0.25).unwrap().apart(float(0.5).unwrap()), Number::ZERO), (750_000, float(0.0).unwrap()));
    }

    proptest! {
        #[test]
        fn decimals_of_any_kind_are_in_order(
            one in -4_000_000_000_000_000_i64..4_000_000_000_000_000, bits in 0..52,
            other in -1_000_000_000_000_i64..1_000_000_000_000, close: bool,
        ) {
            // Up to four thousand million a float is next to its own decimal of six places.
            let one = one >> bits;
            let other = if close { one + other % 3 } else { other };
            let read = |millionths: i64| {
                let (sign, magnitude) = (if millionths < 0 { "-" } else { "" }, millionths.unsigned_abs());
                Number::read(format!("{sign}{}.{:06}", magnitude / 1_000_000, magnitude % 1_000_000).as_bytes()).unwrap()
            };
            prop_assert_eq!(read(one).cmp(&read(other)), one.cmp(&other));
            prop_assert_eq!(read(one).apart(read(other)), one.abs_diff(other));
            prop_assert_eq!(float(one as f64 / 1e6), Some(read(one)));
            prop_assert_eq!(Number::read(shown(read(one)).as_bytes()), Some(read(one)));
        }

        #[test]
        fn any_text_is_taken_as_a_decimal_or_refused(text in "-?[0-9.e]{0,24}") {
            if let Some(number) = Number::read(text.as_bytes()) {
                let float = float(text.parse().unwrap()).unwrap();
                prop_assert!(float.apart(number) <= number.apart(Number::ZERO) >> 48);
                prop_assert_eq!(Number::read(shown(number).as_bytes()), Some(number));
            }
        }
    }
}
