//! Names that DM terminal specification 7.1 allows: what they hold, and that they print as they
//! were written.

use std::collections::HashSet;

use endpoint_name::{Digits, EndpointName, EndpointNameBuf, EndpointNameBuilder, MAX_LEN, Version};

const IMEI: &str = "490154203237518";
const IMSI: &str = "460001234567890";
const CMEI: &str = "860000000000001";
const LONGEST: &str = "12345678901234567;1234567890123456;860000000000001;65535.65535";

#[track_caller]
fn parse(text: &str) -> EndpointName<'_> {
    EndpointName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// The parts as text, absent ones empty.
fn parts(name: EndpointName<'_>) -> [&str; 3] {
    [name.imei(), name.imsi(), name.cmei()].map(|part| part.map_or("", Digits::as_str))
}

#[track_caller]
fn assert_parts(text: &str, expected: [&str; 3], version: Version) {
    let name = parse(text);
    assert_eq!(parts(name), expected, "{text:?}");
    assert_eq!(name.version(), version, "{text:?}");
}

#[test]
fn dm_7_1_a_all_parts() {
    assert_parts("490154203237518;460001234567890;860000000000001;1.0", [IMEI, IMSI, CMEI], Version::new(1, 0));
}

#[test]
fn dm_7_1_b_cellular_without_cmei() {
    let text = "490154203237518;460001234567890;;1.0";
    assert_parts(text, [IMEI, IMSI, ""], Version::new(1, 0));
    assert_eq!(parse(text).cmei(), None);
}

#[test]
fn dm_7_1_c_without_sim() {
    let text = "490154203237518;;;1.0";
    assert_parts(text, [IMEI, "", ""], Version::new(1, 0));
    assert_eq!(parse(text).imsi(), None);
}

#[test]
fn dm_7_1_d_cmei_only() {
    let text = ";;860000000000001;1.0";
    assert_parts(text, ["", "", CMEI], Version::new(1, 0));
    assert_eq!(parse(text).imei(), None);
}

#[test]
fn dm_7_1_e_other_combinations() {
    assert_parts(";460001234567890;;1.0", ["", IMSI, ""], Version::new(1, 0));
    assert_parts("490154203237518;;860000000000001;1.0", [IMEI, "", CMEI], Version::new(1, 0));
    assert_parts(";460001234567890;860000000000001;1.0", ["", IMSI, CMEI], Version::new(1, 0));
}

#[test]
fn dm_7_1_f_imei_of_1_to_17_digits() {
    for len in 1..=17 {
        let imei = &"12345678901234567"[..len];
        assert_parts(&format!("{imei};;;1.0"), [imei, "", ""], Version::new(1, 0));
    }
}

#[test]
fn dm_7_1_h_imsi_of_1_to_16_digits() {
    for len in 1..=16 {
        let imsi = &"1234567890123456"[..len];
        assert_parts(&format!(";{imsi};;1.0"), ["", imsi, ""], Version::new(1, 0));
    }
}

#[test]
fn dm_7_1_j_cmei_of_15_digits() {
    for cmei in [CMEI, "000000000000000", "999999999999999"] {
        assert_parts(&format!(";;{cmei};1.0"), ["", "", cmei], Version::new(1, 0));
    }
}

#[test]
fn dm_7_1_l_versions_are_two_numbers() {
    for (text, major, minor) in [
        ("1.0", 1, 0),
        ("0.1", 0, 1),
        ("0.0", 0, 0),
        ("10.20", 10, 20),
        ("9999.10000", 9999, 10000),
        ("65535.65535", 65535, 65535),
    ] {
        let version = Version::new(major, minor);
        assert_parts(&format!("{IMEI};;;{text}"), [IMEI, "", ""], version);
        assert_eq!(version.to_string(), text);
    }
}

#[test]
fn dm_7_1_w_prints_the_same_bytes() {
    for text in [
        "490154203237518;460001234567890;860000000000001;1.0",
        "490154203237518;460001234567890;;1.0",
        "490154203237518;;860000000000001;1.0",
        "490154203237518;;;1.0",
        ";460001234567890;860000000000001;1.0",
        ";460001234567890;;1.0",
        ";;860000000000001;1.0",
        "0;;;0.0",
        ";0;;0.0",
        "00000000000000000;0000000000000000;000000000000000;10.20",
        LONGEST,
    ] {
        let name = parse(text);
        assert_eq!(name.to_string(), text);
        assert_eq!(name.as_str(), text);
        assert_eq!(EndpointName::try_from(text), Ok(name));
    }
}

#[test]
fn dm_7_1_x_built_then_parsed_in_every_combination() {
    let built = |bits: u8| -> EndpointNameBuf {
        let part = |bit: u8, digits: &'static str| if bits & bit == 0 { "" } else { digits };
        let expected = [part(1, IMEI), part(2, IMSI), part(4, CMEI)];
        let name = EndpointName::builder()
            .imei(expected[0])
            .imsi(expected[1])
            .cmei(expected[2])
            .version(Version::new(7, 65535))
            .build()
            .unwrap();
        assert_parts(name.as_str(), expected, Version::new(7, 65535));
        assert_eq!(name.as_name(), parse(name.as_str()));
        assert_eq!(name.to_string(), name.as_str());
        name
    };
    let names: HashSet<_> = (1..=7).map(built).collect();
    assert_eq!(names.len(), 7);
}

#[test]
fn dm_7_1_y_the_longest_name_fits() {
    assert_eq!((MAX_LEN, LONGEST.len()), (62, 62));
    let name = EndpointName::builder()
        .imei("12345678901234567")
        .imsi("1234567890123456")
        .cmei(CMEI)
        .version(Version::new(65535, 65535))
        .build()
        .unwrap();
    assert_eq!(name.as_str(), LONGEST);
    assert_eq!(name.as_name(), parse(LONGEST));
}

#[test]
fn the_builder_starts_with_version_1_0() {
    let name = EndpointNameBuilder::default().imei(IMEI).build().unwrap();
    assert_eq!(name.as_str(), "490154203237518;;;1.0");
    assert_eq!(EndpointNameBuilder::default(), EndpointName::builder());
}

#[test]
fn the_parts_outlive_the_name() {
    let text = String::from("490154203237518;;;1.0");
    let imei = parse(&text).imei().map(Digits::as_str);
    assert_eq!(imei, Some(IMEI));
}

#[test]
fn leading_zeros_of_an_identity_count() {
    assert_ne!(parse("0490;;;1.0").imei(), parse("490;;;1.0").imei());
    assert_ne!(parse("0490;;;1.0"), parse("490;;;1.0"));
}

#[test]
fn buffers_sort_as_their_names() {
    let mut names: Vec<_> = [("4", ""), ("49", ""), ("49", "46"), ("5", "")]
        .into_iter()
        .flat_map(|(imei, imsi)| {
            [Version::new(1, 9), Version::new(1, 10)].map(|version| {
                let builder = EndpointName::builder().imei(imei).imsi(imsi);
                builder.version(version).build().unwrap()
            })
        })
        .collect();
    names.reverse();
    names.sort();
    assert_eq!(names.len(), 8);
    assert!(names.iter().is_sorted_by_key(|name| name.as_name()));
    assert!(names.iter().is_sorted_by_key(|name| name.as_str()));
}

#[test]
fn formatting_keeps_to_width_and_debug_is_readable() {
    let text = "49;;;1.0";
    let name = parse(text);
    let built = EndpointName::builder().imei("49").build().unwrap();
    let imei = name.imei().unwrap();

    assert_eq!(format!("{name:>10}|{built:<10}|{imei:^6}"), "  49;;;1.0|49;;;1.0  |  49  ");
    assert_eq!(format!("{name:?}"), r#"EndpointName("49;;;1.0")"#);
    assert_eq!(format!("{built:?}"), r#"EndpointNameBuf("49;;;1.0")"#);
    assert_eq!(format!("{imei:?}"), r#"Digits("49")"#);
    assert_eq!([name.as_ref(), built.as_ref(), imei.as_ref()], [text, text, "49"]);
}
