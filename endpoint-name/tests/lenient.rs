//! Names that keep to the grammar of DM terminal specification 7.1 but for what is allowed: each switch
//! alone, what no switch allows, and the way back to a strict name.

use endpoint_name::ParseErrorKind::{
    IncompleteVersion, InvalidCharacter, LeadingZero, MissingVersion, NoIdentity, NumberTooLarge, TooFewSeparators,
    TooLong, TooManySeparators, WrongLength,
};
use endpoint_name::{Digits, EndpointName, EndpointNameBuf, Leniency, LenientName, ParseErrorKind, Version};

const ZEROS: Leniency = Leniency { leading_zeros: true, ..Leniency::STRICT };
const NO_VERSION: Leniency = Leniency { missing_version: true, ..Leniency::STRICT };
const LETTERS: Leniency = Leniency { alphanumeric_cmei: true, ..Leniency::STRICT };

#[track_caller]
fn accept(text: &str) -> LenientName<'_> {
    LenientName::parse(text, Leniency::ALL).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[track_caller]
fn refuse(text: &str, allowed: Leniency, kind: ParseErrorKind, message: &str) {
    let error = LenientName::parse(text, allowed).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (kind, message), "{text:?}");
}

#[test]
fn dm_7_1_ad_cmei_with_letters() {
    let text = ";;A0000012345678F;1.0";
    assert_eq!(EndpointName::parse(text).unwrap_err().kind(), InvalidCharacter);
    let name = LenientName::parse(text, LETTERS).unwrap();
    assert_eq!((name.cmei(), name.used()), (Some("A0000012345678F"), LETTERS));
    assert_eq!(name.to_string(), text);
}

#[test]
fn each_switch_allows_one_thing() {
    for (text, needed) in [
        ("49;;;01.0", ZEROS),
        ("49;;;1.00000", ZEROS),
        ("49;;;", NO_VERSION),
        (";;abcdefghijklmno;1.0", LETTERS),
        (";;86000000000000Z;1.0", LETTERS),
        ("49;46;86000000000000Z;", Leniency { leading_zeros: false, ..Leniency::ALL }),
        ("49;46;86000000000000Z;1.01", Leniency { missing_version: false, ..Leniency::ALL }),
        ("49;46;860000000000001;1.0", Leniency::STRICT),
    ] {
        assert_eq!(accept(text).used(), needed, "{text:?}");
        for bits in 0..8 {
            let allowed = Leniency {
                leading_zeros: bits & 1 != 0,
                missing_version: bits & 2 != 0,
                alphanumeric_cmei: bits & 4 != 0,
            };
            let enough = (allowed.leading_zeros || !needed.leading_zeros)
                && (allowed.missing_version || !needed.missing_version)
                && (allowed.alphanumeric_cmei || !needed.alphanumeric_cmei);
            let parsed = LenientName::parse(text, allowed);
            assert_eq!(parsed.is_ok(), enough, "{text:?} {allowed:?}");
            assert!(parsed.is_err() || parsed == Ok(accept(text)));
        }
    }
}

#[test]
fn nothing_is_allowed_by_default() {
    assert_eq!(Leniency::default(), Leniency::STRICT);
    refuse("49;;;01.0", Leniency::STRICT, LeadingZero, "leading zero in version at byte 5");
    refuse("49;;;", Leniency::STRICT, MissingVersion, "missing version at byte 5");
    let message = "invalid character 'A' in CMEI at byte 2";
    refuse(";;A0000012345678F;1.0", Leniency::STRICT, InvalidCharacter, message);
}

#[test]
fn what_no_switch_allows() {
    let cmei = "wrong length of CMEI (15 letters or digits expected)";
    let long = "more than 5 digits in a number of the version";
    let incomplete = "incomplete version (two numbers joined by a dot expected)";
    for (text, kind, message, position) in [
        ("", TooFewSeparators, "too few separators (0 of 3 semicolons)", 0),
        (";;;", NoIdentity, "no identity (IMEI, IMSI and CMEI are all empty)", 0),
        (";;;01.0", NoIdentity, "no identity (IMEI, IMSI and CMEI are all empty)", 0),
        ("49;;;;", TooManySeparators, "too many separators (3 semicolons expected)", 5),
        ("49;46;1.0", TooFewSeparators, "too few separators (2 of 3 semicolons)", 9),
        ("49%3B%3B%3B1.0", TooFewSeparators, "too few separators (0 of 3 semicolons)", 14),
        ("49;;%3B;1.0", InvalidCharacter, "invalid character '%' in CMEI", 4),
        ("49；;;;1.0", InvalidCharacter, "invalid character '；' in IMEI", 2),
        ("4A;;;1.0", InvalidCharacter, "invalid character 'A' in IMEI", 1),
        ("49;4A;;1.0", InvalidCharacter, "invalid character 'A' in IMSI", 4),
        (" 49;;;1.0", InvalidCharacter, "invalid character ' ' in IMEI", 0),
        ("49;;; ", InvalidCharacter, "invalid character ' ' in version", 5),
        ("123456789012345678;;;1.0", TooLong, "more than 17 digits in IMEI", 17),
        (";;A0000012345678;1.0", WrongLength, cmei, 16),
        (";;A0000012345678FF;1.0", WrongLength, cmei, 17),
        (";;A0000012345678-;1.0", InvalidCharacter, "invalid character '-' in CMEI", 16),
        (";;A0000012345678é;1.0", InvalidCharacter, "invalid character 'é' in CMEI", 16),
        ("49;;;.", IncompleteVersion, incomplete, 5),
        ("49;;;01", IncompleteVersion, incomplete, 7),
        ("49;;;01.x", InvalidCharacter, "invalid character 'x' in version", 8),
        ("49;;;000001.0", TooLong, long, 10),
        ("49;;;1.0000000000", TooLong, long, 12),
        ("49;;;65536.0", NumberTooLarge, "number above 65535 in version", 5),
        ("49;;;123456.0", NumberTooLarge, "number above 65535 in version", 5),
    ] {
        refuse(text, Leniency::ALL, kind, &format!("{message} at byte {position}"));
    }
}

#[test]
#[cfg_attr(miri, ignore = "minutes")]
fn a_mebibyte_is_refused_at_once() {
    let zeros = "0".repeat(1 << 20);
    refuse(&zeros, Leniency::ALL, TooLong, "more than 17 digits in IMEI at byte 17");
    let text = format!("49;;;1.{zeros}");
    refuse(&text, Leniency::ALL, TooLong, "more than 5 digits in a number of the version at byte 12");
    let text = format!(";;{};1.0", "Z".repeat(1 << 20));
    let message = "wrong length of CMEI (15 letters or digits expected) at byte 17";
    refuse(&text, Leniency::ALL, WrongLength, message);
}

#[test]
fn the_parts() {
    let name = accept("490154203237518;460001234567890;A0000012345678F;002.010");
    assert_eq!(name.imei().map(Digits::as_str), Some("490154203237518"));
    assert_eq!(name.imsi().map(Digits::as_str), Some("460001234567890"));
    assert_eq!(name.cmei(), Some("A0000012345678F"));
    assert_eq!(name.version(), Some(Version::new(2, 10)));
    assert_eq!(name.as_written(), "490154203237518;460001234567890;A0000012345678F;002.010");

    let name = accept(";46;;");
    assert_eq!((name.imei(), name.cmei(), name.version()), (None, None, None));
}

#[test]
fn the_canonical_form() {
    for (text, canonical) in [
        ("49;;;01.002", "49;;;1.2"),
        ("49;;;00000.00000", "49;;;0.0"),
        ("49;;;1.0", "49;;;1.0"),
        ("49;;;", "49;;;"),
        (";;a0000012345678f;", ";;a0000012345678f;"),
        ("0049;;;10.20", "0049;;;10.20"),
        (
            "12345678901234567;1234567890123456;86000000000000Z;00000.65535",
            "12345678901234567;1234567890123456;86000000000000Z;0.65535",
        ),
    ] {
        assert_eq!(accept(text).to_string(), canonical);
    }
    assert_eq!(format!("{:>10}|{:<7}|", accept("49;;;01.0"), accept("49;;;")), "  49;;;1.0|49;;;  |");
    assert_eq!(format!("{:?}", accept("49;;;01.0")), r#"LenientName("49;;;01.0")"#);
}

#[test]
fn to_a_strict_name() {
    let strict = EndpointName::parse("49;46;;1.0").unwrap();
    assert_eq!(EndpointName::try_from(LenientName::from(strict)), Ok(strict));
    assert_eq!(LenientName::from(strict), accept("49;46;;1.0"));

    // A borrowed name cannot lose its zeros, a copy can.
    let name = accept("49;46;;01.00");
    assert_eq!(EndpointName::try_from(name), EndpointName::parse("49;46;;01.00"));
    assert_eq!(EndpointNameBuf::try_from(name).map(|name| name.to_string()), Ok(strict.to_string()));

    for (text, kind, position) in [
        ("49;;;", MissingVersion, 5),
        (";;A0000012345678F;01.0", InvalidCharacter, 2),
        (";;A0000012345678F;", InvalidCharacter, 2),
    ] {
        let error = EndpointNameBuf::try_from(accept(text)).unwrap_err();
        assert_eq!((error.kind(), error.position()), (kind, position));
        assert_eq!(EndpointName::try_from(accept(text)).unwrap_err(), error);
    }
}

#[test]
fn names_are_equal_as_written() {
    assert_eq!(accept("49;;;01.0"), LenientName::parse("49;;;01.0", ZEROS).unwrap());
    assert_ne!(accept("49;;;01.0"), accept("49;;;1.0"));
    assert_eq!(accept("49;;;01.0").to_string(), accept("49;;;1.0").to_string());
}
