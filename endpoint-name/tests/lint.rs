//! Names that parse and are odd all the same.

use endpoint_name::lint::{LintKind, Severity};
use endpoint_name::{EndpointName, Field, Leniency, LenientName};

/// Each lint as its byte, its weight and its sentence.
#[track_caller]
fn lints(text: &str) -> Vec<String> {
    let name = EndpointName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let lints = name.lints().map(|lint| format!("{} {}: {lint}", lint.position(), lint.severity()));
    lints.collect()
}

#[track_caller]
fn assert_lints(text: &str, expected: &[&str]) {
    assert_eq!(lints(text), expected, "{text:?}");
}

#[test]
fn dm_7_1_ac_lints_differ_and_none_refuses() {
    let wrong = "14 warning: the last digit of the IMEI is 9, but the check digit of the others is 8";
    let imeisv = "14 note: the IMEI has 16 digits: an IMEISV, whose last two digits change with the software";
    let unknown = "16 warning: the IMEI has 17 digits, but an IMEI has 15 and an IMEISV 16";
    assert_lints("490154203237518;;;1.0", &[]);
    assert_lints("490154203237519;;;1.0", &[wrong]);
    assert_lints("4901542032375180;;;1.0", &[imeisv]);
    assert_lints("49015420323751801;;;1.0", &[unknown]);
}

#[test]
fn check_digits() {
    // Good ones, some of them with 0 as the right digit.
    for imei in ["490154203237518", "356938035643809", "352099001761481", "860000000000090", "111111111111119"] {
        assert_lints(&format!("{imei};;;1.0"), &[]);
    }
    // Of ten last digits one is right.
    for last in 0..10 {
        let lints = lints(&format!("49015420323751{last};;;1.0"));
        assert_eq!(lints.is_empty(), last == 8, "{lints:?}");
    }
    let message = "14 note: the last digit of the IMEI is 0 in place of the check digit 8, as some interfaces send it";
    assert_lints("490154203237510;;;1.0", &[message]);
    let message = "14 warning: the IMEI has 14 digits: its check digit, 8, is missing";
    assert_lints("49015420323751;;;1.0", &[message]);
}

#[test]
fn lengths_of_an_imei() {
    for digits in 1..=13 {
        let message = format!("{digits} warning: the IMEI has {digits} digits, but an IMEI has 15 and an IMEISV 16");
        assert_lints(&format!("{};;;1.0", &"49015420323751"[..digits]), &[&message]);
    }
}

#[test]
fn lengths_of_an_imsi() {
    for digits in 6..=15 {
        assert_lints(&format!(";{};;1.0", &"460001234567890"[..digits]), &[]);
    }
    let message = "16 warning: the IMSI has 16 digits, but an IMSI has 6 to 15";
    assert_lints(";4600012345678901;;1.0", &[message]);
    let message = "6 warning: the IMSI has 5 digits, but an IMSI has 6 to 15";
    assert_lints(";46000;;1.0", &[message]);
    // Too short for a country code.
    let message = "3 warning: the IMSI has 2 digits, but an IMSI has 6 to 15";
    assert_lints(";88;;1.0", &[message]);
}

#[test]
fn country_codes() {
    let unknown =
        |code| format!("1 warning: the IMSI starts with {code}, but the codes of countries start with 2 to 7");
    let no_country = |code| format!("1 note: the IMSI starts with {code}, a code of international or private networks");
    let other = |code| format!("1 note: the IMSI starts with {code}, not with a country code of China (460, 461)");
    let test = "1 note: the IMSI starts with 001, the country code of test networks".to_string();
    for (code, expected) in [
        ("000", Some(unknown("000"))),
        ("001", Some(test)),
        ("002", Some(unknown("002"))),
        ("099", Some(unknown("099"))),
        ("199", Some(unknown("199"))),
        ("200", Some(other("200"))),
        ("310", Some(other("310"))),
        ("459", Some(other("459"))),
        ("460", None),
        ("461", None),
        ("462", Some(other("462"))),
        ("799", Some(other("799"))),
        ("800", Some(unknown("800"))),
        ("899", Some(unknown("899"))),
        ("901", Some(no_country("901"))),
        ("999", Some(no_country("999"))),
    ] {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        assert_lints(&format!(";{code}011234567890;;1.0"), &expected);
    }
}

#[test]
fn zeros_say_it_all() {
    assert_lints(
        "000000000000000;000000000000000;000000000000000;0.0",
        &[
            "0 warning: the IMEI is all zeros, like that of a device without one",
            "16 warning: the IMSI is all zeros, like that of a device without one",
            "32 warning: the CMEI is all zeros, like that of a device without one",
        ],
    );
    assert_lints(
        "0;0;;1.0",
        &[
            "0 warning: the IMEI is all zeros, like that of a device without one",
            "2 warning: the IMSI is all zeros, like that of a device without one",
        ],
    );
}

#[test]
fn from_left_to_right_with_their_fields() {
    let name = EndpointName::parse("49;8000112345678901;000000000000000;1.0").unwrap();
    let found: Vec<_> = name.lints().map(|lint| (lint.field(), lint.position(), lint.kind())).collect();
    assert_eq!(
        found,
        [
            (Field::Imei, 2, LintKind::ImeiLength { digits: 2 }),
            (Field::Imsi, 3, LintKind::ImsiUnknownCountry { code: 800 }),
            (Field::Imsi, 18, LintKind::ImsiLength { digits: 16 }),
            (Field::Cmei, 20, LintKind::Zeros { field: Field::Cmei }),
        ]
    );
    assert!(Severity::Note < Severity::Warning);
}

#[test]
fn lenient_names_have_lints_too() {
    let name = LenientName::parse("490154203237519;;A0000012345678F;", Leniency::ALL).unwrap();
    let found: Vec<_> = name.lints().map(|lint| (lint.position(), lint.kind())).collect();
    assert_eq!(found, [(14, LintKind::ImeiCheckDigit { found: 9, expected: 8 })]);
}
