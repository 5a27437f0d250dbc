//! Division of 64 bits for cores that have an instruction for 32: without it an image has a kilobyte more.

/// Quotient and remainder; a divisor of zero counts as one.
pub(crate) const fn divide(value: u64, by: u16) -> (u64, u16) {
    let by = if by == 0 { 1 } else { by };
    if cfg!(target_pointer_width = "64") {
        return (value / by as u64, (value % by as u64) as u16);
    }
    in_parts(value, by)
}

/// As on paper, sixteen bits at a time: a remainder and the next part are less than 32 bits.
const fn in_parts(mut value: u64, by: u16) -> (u64, u16) {
    let by = by as u32;
    let (mut quotient, mut rest, mut part) = (0, 0, 0);
    while part < 4 {
        value = value.rotate_left(16);
        let upper = rest << 16 | value as u32 & 0xFFFF;
        quotient = quotient << 16 | (upper / by) as u64;
        rest = upper % by;
        part += 1;
    }
    (quotient, rest as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn in_parts_it_is_the_same(value in any::<u64>(), small in any::<u32>(), by in 1u16..) {
            for value in [value, small.into(), u64::MAX, 0] {
                prop_assert_eq!(in_parts(value, by), (value / u64::from(by), (value % u64::from(by)) as u16));
                prop_assert_eq!(divide(value, by), in_parts(value, by));
            }
        }
    }
}
