//! Texts and parts that DM terminal specification 7.1 does not allow: the kind, the field, the byte
//! and the message. Every message ends with the byte, which the helpers add.

use endpoint_name::Field::{Cmei, Imei, Imsi};
use endpoint_name::ParseErrorKind::{
    IncompleteVersion, InvalidCharacter, LeadingZero, MissingVersion, NoIdentity, NumberTooLarge, TooFewSeparators,
    TooLong, TooManySeparators, WrongLength,
};
use endpoint_name::{
    EndpointName, EndpointNameBuilder, Field, Leniency, LenientName, MAX_LEN, ParseError, ParseErrorKind, Version,
};

type Expected<'a> = (ParseErrorKind, Option<Field>, usize, &'a str);

#[track_caller]
fn refuse(text: &str, expected: Expected<'_>) {
    assert_error(EndpointName::parse(text).unwrap_err(), expected);
}

#[track_caller]
fn refuse_parts(builder: EndpointNameBuilder<'_>, expected: Expected<'_>) {
    assert_error(builder.build().unwrap_err(), expected);
}

#[track_caller]
fn assert_error(error: ParseError, (kind, field, position, message): Expected<'_>) {
    assert_eq!(error.to_string(), format!("{message} at byte {position}"));
    assert_eq!((error.kind(), error.field(), error.position()), (kind, field, position));
}

/// A mebibyte, or a little less, of one text.
fn huge(text: &str) -> String {
    text.repeat((1 << 20) / text.len())
}

#[test]
fn dm_7_1_g_imei_of_18_digits() {
    let expected = (TooLong, Some(Imei), 17, "more than 17 digits in IMEI");
    refuse("123456789012345678;460001234567890;;1.0", expected);
    refuse("123456789012345678x;;;1.0", expected);
    // The name as a whole is too long as well.
    let longest = ";1234567890123456;860000000000001;65535.65535";
    refuse(&format!("123456789012345678{longest}"), expected);
    refuse_parts(EndpointName::builder().imei("123456789012345678"), expected);
}

#[test]
fn dm_7_1_i_imsi_of_17_digits() {
    let expected = |position| (TooLong, Some(Imsi), position, "more than 16 digits in IMSI");
    refuse("490154203237518;12345678901234567;;1.0", expected(32));
    refuse_parts(EndpointName::builder().imsi("12345678901234567"), expected(16));
}

#[test]
fn dm_7_1_k_cmei_of_14_and_16_digits() {
    let message = "wrong length of CMEI (15 digits expected)";
    let expected = |position| (WrongLength, Some(Cmei), position, message);
    for (cmei, position) in [("8", 1), ("86000000000000", 14), ("8600000000000012", 15)] {
        refuse(&format!(";;{cmei};1.0"), expected(2 + position));
        refuse_parts(EndpointName::builder().cmei(cmei), expected(position));
    }
}

#[test]
fn dm_7_1_m_not_a_version() {
    let incomplete = "incomplete version (two numbers joined by a dot expected)";
    let too_large = "number above 65535 in version";
    for (version, kind, position, message) in [
        ("1", IncompleteVersion, 1, incomplete),
        ("1.", IncompleteVersion, 2, incomplete),
        (".0", IncompleteVersion, 0, incomplete),
        (".", IncompleteVersion, 0, incomplete),
        ("1..0", IncompleteVersion, 2, incomplete),
        ("1.0.0", InvalidCharacter, 3, "invalid character '.' in version"),
        ("1,0", InvalidCharacter, 1, "invalid character ',' in version"),
        ("v1.0", InvalidCharacter, 0, "invalid character 'v' in version"),
        ("-1.0", InvalidCharacter, 0, "invalid character '-' in version"),
        ("+1.0", InvalidCharacter, 0, "invalid character '+' in version"),
        ("1.+0", InvalidCharacter, 2, "invalid character '+' in version"),
        ("1. 0", InvalidCharacter, 2, "invalid character ' ' in version"),
        ("1.0\n", InvalidCharacter, 3, r"invalid character '\n' in version"),
        ("65536.0", NumberTooLarge, 0, too_large),
        ("0.65536", NumberTooLarge, 2, too_large),
        ("1.100000", NumberTooLarge, 2, too_large),
        ("9999999999.0", NumberTooLarge, 0, too_large),
        ("655360x", NumberTooLarge, 0, too_large),
    ] {
        let front = "490154203237518;;;";
        let expected = (kind, Some(Field::Version), front.len() + position, message);
        refuse(&format!("{front}{version}"), expected);
    }
}

#[test]
fn dm_7_1_n_leading_zeros_in_version() {
    for (version, position) in [("01.0", 5), ("1.00", 7), ("00.0", 5), ("1.01", 7), ("1.0000001", 7)] {
        let expected = (LeadingZero, Some(Field::Version), position, "leading zero in version");
        refuse(&format!("49;;;{version}"), expected);
    }
    // Leniently they are accepted.
    let allowed = Leniency { leading_zeros: true, ..Leniency::STRICT };
    for (version, canonical) in [("01.0", "1.0"), ("1.00", "1.0"), ("00.0", "0.0"), ("1.01", "1.1"), ("00001.0", "1.0")]
    {
        let text = format!("49;;;{version}");
        let name = LenientName::parse(&text, allowed).unwrap();
        assert_eq!((name.to_string(), name.used()), (format!("49;;;{canonical}"), allowed));
    }
}

#[test]
fn dm_7_1_o_two_separators() {
    for (text, position, message) in [
        ("490154203237518;460001234567890;1.0", 35, "too few separators (2 of 3 semicolons)"),
        ("490154203237518;460001234567890;", 32, "too few separators (2 of 3 semicolons)"),
        ("490154203237518;1.0", 19, "too few separators (1 of 3 semicolons)"),
        ("490154203237518", 15, "too few separators (0 of 3 semicolons)"),
    ] {
        refuse(text, (TooFewSeparators, None, position, message));
    }
}

#[test]
fn dm_7_1_p_four_separators() {
    for (text, position) in [
        ("490154203237518;460001234567890;;;1.0", 33),
        ("490154203237518;460001234567890;;1.0;", 36),
        (";490154203237518;460001234567890;;1.0", 33),
        ("49;;;1.0;1.0", 8),
        // Behind the longest name.
        ("12345678901234567;1234567890123456;860000000000001;65535.65535;", 62),
    ] {
        let message = "too many separators (3 semicolons expected)";
        refuse(text, (TooManySeparators, None, position, message));
    }
}

#[test]
fn dm_7_1_q_full_width_separator() {
    // In place of a half-width one ...
    for (text, message) in [
        ("490；460;;1.0", "too few separators (2 of 3 semicolons)"),
        ("490;460；;1.0", "too few separators (2 of 3 semicolons)"),
        ("490;460;；1.0", "too few separators (2 of 3 semicolons)"),
        ("490；460；；1.0", "too few separators (0 of 3 semicolons)"),
    ] {
        refuse(text, (TooFewSeparators, None, text.len(), message));
    }
    // ... and as well as the three.
    for (text, field, position, message) in [
        ("；490;460;;1.0", Imei, 0, "invalid character '；' in IMEI"),
        ("490；;460;;1.0", Imei, 3, "invalid character '；' in IMEI"),
        ("490;460；;;1.0", Imsi, 7, "invalid character '；' in IMSI"),
        ("490;460;；;1.0", Cmei, 8, "invalid character '；' in CMEI"),
        ("490;460;;1.0；", Field::Version, 12, "invalid character '；' in version"),
    ] {
        refuse(text, (InvalidCharacter, Some(field), position, message));
    }
}

#[test]
fn dm_7_1_r_other_separators() {
    for separator in [",", ":", "-", "%3B", " ", "\t", "|"] {
        let text = ["490154203237518", "460001234567890", "", "1.0"].join(separator);
        let message = "too few separators (0 of 3 semicolons)";
        refuse(&text, (TooFewSeparators, None, text.len(), message));
    }
    let expected = (InvalidCharacter, Some(Cmei), 8, "invalid character '%' in CMEI");
    refuse("490;460;%3B;1.0", expected);
}

#[test]
fn dm_7_1_s_not_a_digit() {
    const NAME: &str = "490154203237518;460001234567890;860000000000001;1.0";
    for found in ['A', 'f', ' ', '\t', '\0', '+', '-', '１', '٣', '\u{200b}', '🛰'] {
        for (field, positions) in [(Imei, 0..=15), (Imsi, 16..=31), (Cmei, 32..=47), (Field::Version, 48..=51)] {
            // Put in before, between and behind the bytes of the field: none is trimmed away.
            for position in positions {
                let mut text = String::from(NAME);
                text.insert(position, found);
                let message = format!("invalid character {found:?} in {field}");
                refuse(&text, (InvalidCharacter, Some(field), position, &message));
            }
        }
    }
    // In place of digits, so that the length is right.
    let expected = (InvalidCharacter, Some(Cmei), 2, "invalid character 'A' in CMEI");
    refuse(";;A0000012345678F;1.0", expected);
}

#[test]
fn dm_7_1_s_not_a_digit_in_a_part_to_build() {
    let builder = EndpointName::builder();
    // A separator inside a part would forge the next one.
    for found in ['x', ' ', ';', '.', '\0', '１'] {
        let text = format!("49{found}7");
        for (builder, field) in [(builder.imei(&text), Imei), (builder.imsi(&text), Imsi), (builder.cmei(&text), Cmei)]
        {
            let message = format!("invalid character {found:?} in {field}");
            refuse_parts(builder, (InvalidCharacter, Some(field), 2, &message));
        }
    }
}

#[test]
fn dm_7_1_t_missing_version() {
    let expected = (MissingVersion, Some(Field::Version), 33, "missing version");
    refuse("490154203237518;460001234567890;;", expected);
    // Leniently it is no version.
    let allowed = Leniency { missing_version: true, ..Leniency::STRICT };
    let name = LenientName::parse("490154203237518;460001234567890;;", allowed).unwrap();
    assert_eq!((name.version(), name.used()), (None, allowed));
}

#[test]
fn dm_7_1_u_no_identity() {
    let expected = (NoIdentity, None, 0, "no identity (IMEI, IMSI and CMEI are all empty)");
    refuse(";;;1.0", expected);
    let builder = EndpointName::builder();
    refuse_parts(builder, expected);
    refuse_parts(builder.imei("").imsi("").cmei("").version(Version::new(2, 0)), expected);
}

#[test]
fn dm_7_1_v_empty_text_and_empty_parts() {
    refuse("", (TooFewSeparators, None, 0, "too few separators (0 of 3 semicolons)"));
    // Without a version it does not matter that there is no identity either.
    refuse(";;;", (MissingVersion, Some(Field::Version), 3, "missing version"));
}

#[test]
#[cfg_attr(miri, ignore = "minutes")]
fn dm_7_1_v_one_mebibyte() {
    let (ones, version) = (huge("1"), Some(Field::Version));
    let too_long = (TooLong, Some(Imei), 17, "more than 17 digits in IMEI");
    refuse(&ones, too_long);
    refuse_parts(EndpointName::builder().imei(&ones), too_long);
    refuse(&huge("x"), (InvalidCharacter, Some(Imei), 0, "invalid character 'x' in IMEI"));
    refuse(&huge("；"), (InvalidCharacter, Some(Imei), 0, "invalid character '；' in IMEI"));
    let message = "too many separators (3 semicolons expected)";
    refuse(&huge(";"), (TooManySeparators, None, 3, message));
    // Three separators, the last of them too late to be looked at.
    let message = "wrong length of CMEI (15 digits expected)";
    refuse(&format!("49;;{ones};1.0"), (WrongLength, Some(Cmei), 19, message));
    // A name with a huge end.
    let zeros = huge("0");
    let message = "number above 65535 in version";
    refuse(&format!("49;;;1.{ones}"), (NumberTooLarge, version, 7, message));
    refuse(&format!("49;;;1.{zeros}"), (LeadingZero, version, 7, "leading zero in version"));
    let message = "invalid character ' ' in version";
    refuse(&format!("49;;;1.0{}", huge(" ")), (InvalidCharacter, version, 8, message));
}

#[test]
fn separators_are_missed_only_in_a_text_seen_whole() {
    let digits = "1".repeat(MAX_LEN);
    let message = "too few separators (0 of 3 semicolons)";
    refuse(&digits, (TooFewSeparators, None, 62, message));
    let message = "more than 17 digits in IMEI";
    refuse(&format!("{digits}1"), (TooLong, Some(Imei), 17, message));
}

#[test]
fn the_leftmost_of_several_faults_is_reported() {
    let expected = (InvalidCharacter, Some(Imei), 1, "invalid character 'x' in IMEI");
    refuse("4x;4y;8;01.0", expected);
    refuse_parts(EndpointName::builder().imei("4x").imsi("4y").cmei("8"), expected);
}

#[test]
fn try_from_refuses_as_parse_does() {
    let text = "490154203237518;;1.0";
    assert_eq!(EndpointName::try_from(text), EndpointName::parse(text));
}
