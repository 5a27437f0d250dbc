//! The endpoint names of the fleet: each terminal's follows from its number, and the other way round.

use endpoint_name::{EndpointName, EndpointNameBuf, Version};

/// The type allocation code of the first million terminals; the next million has the next one.
const FIRST_TYPE: u64 = 86_000_101;

/// Serial numbers of one type.
const SERIALS: u64 = 1_000_000;

/// Mobile country and network code of the subscribers.
const NETWORK: u64 = 46_000;

/// The name of a terminal: an IMEI with its check digit, an IMSI, and the version 1.0.
pub(crate) fn of(terminal: u32) -> EndpointNameBuf {
    let number = u64::from(terminal);
    let body = FIRST_TYPE * SERIALS + number;
    let imei = format!("{body}{}", check_digit(body));
    let imsi = format!("{NETWORK}{number:010}");
    let name = EndpointName::builder().imei(&imei).imsi(&imsi).version(Version::new(1, 0)).build();
    name.expect("fifteen digits each")
}

/// The terminal that has this name, if the IMEI's check digit is right and there are so many.
pub(crate) fn terminal(name: &str, devices: u32) -> Option<u32> {
    let imei: u64 = EndpointName::parse(name).ok()?.imei()?.as_str().parse().ok()?;
    let body = imei / 10;
    let number = u32::try_from(body.checked_sub(FIRST_TYPE * SERIALS)?).ok()?;
    (u64::from(check_digit(body)) == imei % 10 && number < devices).then_some(number)
}

/// The last digit of an IMEI: with it the sum of all digits, every second one doubled and its own digits
/// added up, is a multiple of ten (3GPP TS 23.003, Annex B).
fn check_digit(mut body: u64) -> u8 {
    let mut sum = 0;
    let mut doubles = true;
    while body > 0 {
        let digit = (body % 10) as u8;
        sum += if doubles { digit * 2 / 10 + digit * 2 % 10 } else { digit };
        (body, doubles) = (body / 10, !doubles);
    }
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_that_of_the_specification() {
        // The example of DM terminal specification 7.1 and two of GSMA TS.06.
        for (body, digit) in [(49_015_420_323_751, 8), (35_209_900_176_148, 1), (49_015_420_323_750, 0)] {
            assert_eq!(check_digit(body), digit, "{body}");
        }
    }

    #[test]
    fn a_name_is_valid_and_tells_its_terminal() {
        for terminal in [0, 1, 999_999, 1_000_000, 9_999_999] {
            let name = of(terminal);
            assert_eq!(name.as_str().len(), "490154203237518;460001234567890;;1.0".len());
            assert_eq!(super::terminal(name.as_str(), 10_000_000), Some(terminal));
            assert_eq!(super::terminal(name.as_str(), terminal), None);
        }
        assert_eq!(of(0).as_str(), "860001010000005;460000000000000;;1.0");
        assert_eq!(terminal("860001010000006;460000000000000;;1.0", 1), None, "another check digit");
    }
}
