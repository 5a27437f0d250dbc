//! Properties of every text, of names near the grammar, and of all that can be built: strict, lenient
//! and owned.

use std::collections::HashSet;

use endpoint_name::{
    ClientName, Digits, EndpointName, EndpointNameBuf, Field, Leniency, LenientName, MAX_LEN, Version, classify,
};
use proptest::prelude::*;
use proptest::sample::Index;

/// The grammar a second time, without a thought for speed or errors.
fn is_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split(';').collect();
    let [imei, imsi, cmei, version] = parts[..] else {
        return false;
    };
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let number = |part: &str| part.parse::<u16>().is_ok_and(|number| number.to_string() == part);
    [imei, imsi, cmei].into_iter().all(digits)
        && imei.len() <= 17
        && imsi.len() <= 16
        && [0, 15].contains(&cmei.len())
        && imei.len() + imsi.len() + cmei.len() > 0
        && version.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor))
}

#[track_caller]
fn check(text: &str) {
    match EndpointName::parse(text) {
        Ok(name) => {
            assert!(is_name(text), "accepted {text:?}");
            assert!(text.len() <= MAX_LEN);
            assert_eq!(name.to_string(), text);
        }
        Err(error) => {
            assert!(!is_name(text), "refused {text:?}: {error}");
            assert!(error.position() <= MAX_LEN.min(text.len()));
            assert!(text.is_char_boundary(error.position()));
        }
    }
    for bits in 0..8 {
        check_leniently(text, leniency(bits));
    }
    check_form(text);
}

fn leniency(bits: u8) -> Leniency {
    Leniency { leading_zeros: bits & 1 != 0, missing_version: bits & 2 != 0, alphanumeric_cmei: bits & 4 != 0 }
}

/// How many switches are on in one and off in the other.
fn beyond(one: Leniency, other: Leniency) -> usize {
    [
        one.leading_zeros && !other.leading_zeros,
        one.missing_version && !other.missing_version,
        one.alphanumeric_cmei && !other.alphanumeric_cmei,
    ]
    .into_iter()
    .filter(|&beyond| beyond)
    .count()
}

#[track_caller]
fn check_leniently(text: &str, allowed: Leniency) {
    let strict = EndpointName::parse(text);
    let name = match LenientName::parse(text, allowed) {
        Ok(name) => name,
        Err(error) => {
            assert!(error.position() <= MAX_LEN.min(text.len()) && text.is_char_boundary(error.position()));
            assert!(strict.is_err(), "refused {text:?} with {allowed:?}: {error}");
            // What is refused needs more than was allowed, or cannot be had at all.
            if let Ok(name) = LenientName::parse(text, Leniency::ALL) {
                assert!(beyond(name.used(), allowed) > 0, "refused {text:?} with {allowed:?}: {error}");
            }
            return;
        }
    };
    assert_eq!(beyond(name.used(), allowed), 0);
    assert_eq!(LenientName::parse(text, name.used()), Ok(name));
    assert_eq!(name.used() == Leniency::STRICT, strict.is_ok());
    assert_eq!(EndpointName::try_from(name), strict);
    assert!(text.len() <= MAX_LEN);
    for lint in name.lints() {
        assert!(lint.position() <= text.len());
    }

    // The canonical form means the same, needs no zeros, and is its own canonical form.
    let canonical = name.to_string();
    let again = LenientName::parse(&canonical, allowed).unwrap();
    assert_eq!((again.imei(), again.imsi(), again.cmei()), (name.imei(), name.imsi(), name.cmei()));
    assert_eq!((again.version(), again.to_string()), (name.version(), canonical.clone()));
    assert_eq!(again.used(), Leniency { leading_zeros: false, ..name.used() });
    let convertible = name.version().is_some() && !name.used().alphanumeric_cmei;
    assert_eq!(EndpointName::parse(&canonical).is_ok(), convertible);
    assert_eq!(EndpointNameBuf::try_from(name).ok().map(|name| name.to_string()), convertible.then_some(canonical));
}

#[track_caller]
fn check_form(text: &str) {
    let strict = EndpointName::parse(text);
    match classify(text) {
        Ok(ClientName::Dm(name)) => assert_eq!(strict, Ok(name)),
        Ok(_) => assert!(strict.is_err()),
        Err(error) => {
            assert!(strict.is_err());
            assert!(error.position() <= text.len() && text.is_char_boundary(error.position()));
        }
    }
}

/// A text of this form or, one time in four, nothing.
fn part(form: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![1 => Just(String::new()), 3 => form]
}

/// The parts of a name, at least one of them not empty.
fn parts() -> impl Strategy<Value = ([String; 3], Version)> {
    let identities = [part("[0-9]{1,17}"), part("[0-9]{1,16}"), part("[0-9]{15}")]
        .prop_filter("no identity", |all| all.iter().any(|one| !one.is_empty()));
    let version = any::<(u16, u16)>().prop_map(|(major, minor)| Version { major, minor });
    (identities, version)
}

fn name() -> impl Strategy<Value = String> {
    parts().prop_map(|([imei, imsi, cmei], version)| format!("{imei};{imsi};{cmei};{version}"))
}

/// A name that may need a leniency or two.
fn lenient_name() -> impl Strategy<Value = String> {
    let version = prop_oneof![4 => "0{0,4}[0-9]{1,5}\\.0{0,4}[0-9]{1,5}", 1 => Just(String::new())];
    (part("[0-9]{1,17}"), part("[0-9]{1,16}"), part("[0-9]{15}|[0-9A-Za-z]{15}"), version)
        .prop_map(|(imei, imsi, cmei, version)| format!("{imei};{imsi};{cmei};{version}"))
}

/// A name of another form, or nearly one.
fn other_form() -> impl Strategy<Value = String> {
    let digits = || "[0-9]{14,16}";
    prop_oneof![
        ("urn:(imei|IMSI|uuid):", digits()).prop_map(|(front, digits)| front + &digits),
        ("urn:imei-msisdn:", digits(), "-?", digits())
            .prop_map(|(front, imei, dash, msisdn)| front + &imei + &dash + &msisdn),
        "urn:dev:(os|ops|mac):[0-9A-F]{5,6}(-[0-9a-z.é]{0,3}){0,3}([:_][a-z-]{0,2}){0,3}",
        "urn:uuid:[0-9a-f]{8}(-[0-9A-F]{4}){3}-[0-9a-g]{11,12}",
    ]
}

/// Parts about as long as they should be, mostly three, mostly with the right separator.
fn nearly_a_name() -> impl Strategy<Value = String> {
    let separator = || prop_oneof![9 => Just(";"), 1 => prop_oneof![Just(""), Just(";;"), Just("；")]];
    let version = prop_oneof![2 => "[0-9]{1,2}\\.[0-9]{1,2}", 1 => "[0-9]{0,6}[.,]?[0-9]{0,6}"];
    let identities = (part("[0-9]{1,18}"), part("[0-9]{1,17}"), part("[0-9]{14,16}"));
    (identities, version, [separator(), separator(), separator()])
        .prop_map(|((imei, imsi, cmei), version, [a, b, c])| format!("{imei}{a}{imsi}{b}{cmei}{c}{version}"))
}

proptest! {
    #[test]
    fn dm_7_1_af_any_bytes(bytes in any::<Vec<u8>>()) {
        if let Ok(text) = str::from_utf8(&bytes) {
            check(text);
        }
    }

    #[test]
    fn any_lenient_name(text in lenient_name()) {
        check(&text);
    }

    #[test]
    fn any_name_of_another_form(text in other_form()) {
        check(&text);
    }

    #[test]
    fn an_owned_name_is_the_name_it_was_made_of(text in name()) {
        let name = EndpointName::parse(&text).unwrap();
        let owned = EndpointNameBuf::from(name);
        prop_assert_eq!(owned.as_name(), name);
        prop_assert_eq!(text.parse(), Ok(owned));
        prop_assert_eq!(owned.to_string(), text);
    }

    #[test]
    fn owned_names_compare_and_hash_as_their_text(one in name(), other in name()) {
        let [a, b]: [EndpointNameBuf; 2] = [one.parse().unwrap(), other.parse().unwrap()];
        prop_assert_eq!(a.cmp(&b), one.cmp(&other));
        prop_assert!(HashSet::from([a]).contains(one.as_str()));
        prop_assert_eq!(HashSet::from([a]).contains(other.as_str()), one == other);
    }

    #[test]
    fn any_text_is_refused_or_printed_as_it_was(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_text_of_the_right_characters(text in "[0-9;.]{0,70}") {
        check(&text);
    }

    #[test]
    fn any_text_that_is_nearly_a_name(text in nearly_a_name()) {
        check(&text);
    }

    #[test]
    fn what_is_built_holds_its_parts((identities, version) in parts()) {
        let [imei, imsi, cmei] = &identities;
        let builder = EndpointName::builder().imei(imei).imsi(imsi).cmei(cmei);
        let built = builder.version(version).build().unwrap();
        let parsed = EndpointName::parse(built.as_str()).unwrap();
        let read = [parsed.imei(), parsed.imsi(), parsed.cmei()];
        prop_assert_eq!(read.map(|part| part.map_or("", Digits::as_str)), [imei, imsi, cmei]);
        prop_assert_eq!(parsed.version(), version);
        prop_assert_eq!(built.as_name(), parsed);
        check(built.as_str());
    }

    #[test]
    fn a_builder_refuses_what_parse_refuses(
        imei in part("[0-9]{0,17}[0-9x;]"),
        imsi in part("[0-9]{0,16}[0-9.]"),
        cmei in part("[0-9]{13,15}[0-9A]?"),
    ) {
        let text = format!("{imei};{imsi};{cmei};1.0");
        let built = EndpointName::builder().imei(&imei).imsi(&imsi).cmei(&cmei).build();
        match (built, EndpointName::parse(&text)) {
            (Ok(built), parsed) => prop_assert_eq!(Ok(built.as_name()), parsed),
            // Parse cannot know that a separator was meant to be inside a part.
            (Err(of_part), _) if imei.contains(';') => {
                prop_assert_eq!(of_part.field(), Some(Field::Imei));
            }
            (Err(of_part), parsed) => {
                let of_name = parsed.unwrap_err();
                prop_assert_eq!(of_part.kind(), of_name.kind());
                prop_assert_eq!(of_part.field(), of_name.field());
            }
        }
    }

    #[test]
    fn one_byte_changed(name in name(), at in any::<Index>(), byte in any::<u8>()) {
        let mut bytes = name.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = str::from_utf8(&bytes) {
            check(text);
        }
    }

    #[test]
    fn one_character_more_or_less(name in name(), at in any::<Index>(), extra in any::<char>()) {
        let at = at.index(name.len());
        let (mut more, mut less) = (name.clone(), name);
        more.insert(at, extra);
        less.remove(at);
        check(&more);
        check(&less);
    }
}

/// Every byte of one name changed to every ASCII character, without drawing lots.
#[test]
fn every_single_ascii_mutation_of_a_name() {
    let name = b"12345678901234567;1234567890123456;860000000000001;65535.65535";
    for at in 0..name.len() {
        for byte in 0..=0x7f {
            let mut bytes = *name;
            bytes[at] = byte;
            check(str::from_utf8(&bytes).unwrap());
        }
    }
}
