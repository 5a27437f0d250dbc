//! Properties of every text, of names near the grammar, and of all that can be built.

use endpoint_name::{Digits, EndpointName, Field, MAX_LEN, Version};
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
