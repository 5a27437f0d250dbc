//! The forms of endpoint name that servers see, and texts that break the rules of the form they start
//! out in.

use endpoint_name::{ClientName, EndpointName, Form, ParseErrorKind, classify};

/// The form and the parts, as far as they are text.
#[track_caller]
fn parts(text: &str) -> (Option<Form>, Vec<&str>) {
    let name = classify(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let parts = match name {
        ClientName::Dm(name) => vec![name.as_str()],
        ClientName::Imei(digits) | ClientName::Imsi(digits) => vec![digits.as_str()],
        ClientName::ImeiMsisdn { imei, msisdn } => vec![imei.as_str(), msisdn.as_str()],
        ClientName::Ops { organization, product_class, serial, suffix } => {
            vec![organization, product_class, serial, suffix]
        }
        ClientName::Os { organization, serial, suffix } => vec![organization, serial, suffix],
        ClientName::Uuid(text) | ClientName::OtherUrn(text) | ClientName::Plain(text) => vec![text],
        _ => panic!("{name:?}"),
    };
    (name.form(), parts)
}

#[track_caller]
fn assert_name(text: &str, form: Form, expected: &[&str]) {
    assert_eq!(parts(text), (Some(form), expected.to_vec()), "{text:?}");
}

#[track_caller]
fn assert_malformed(text: &str, form: Form, position: usize, expected: &str) {
    let error = classify(text).unwrap_err();
    assert_eq!(error.to_string(), format!("expected {expected} at byte {position} of a {form} name"));
    assert_eq!((error.form(), error.position(), error.dm()), (form, position, None));
}

#[test]
fn the_form_of_the_dm_specification() {
    let text = "490154203237518;460001234567890;;1.0";
    assert_eq!(classify(text), Ok(ClientName::Dm(EndpointName::parse(text).unwrap())));
    assert_name(text, Form::Dm, &[text]);
}

#[test]
fn whoever_writes_a_semicolon_means_the_dm_specification() {
    for (text, kind) in [
        (";", ParseErrorKind::TooFewSeparators),
        ("490154203237518;1.0", ParseErrorKind::TooFewSeparators),
        ("490154203237518；；；1.0", ParseErrorKind::TooFewSeparators),
        ("490154203237518;;;", ParseErrorKind::MissingVersion),
        ("imei;;;1.0", ParseErrorKind::InvalidCharacter),
    ] {
        let (error, refusal) = (classify(text).unwrap_err(), EndpointName::parse(text).unwrap_err());
        assert_eq!((error.form(), error.dm(), refusal.kind()), (Form::Dm, Some(refusal), kind));
        assert_eq!((error.position(), error.to_string()), (refusal.position(), refusal.to_string()));
    }
}

#[test]
fn imei() {
    assert_name("urn:imei:490154203237518", Form::Imei, &["490154203237518"]);
    assert_malformed("urn:imei:", Form::Imei, 9, "a digit");
    assert_malformed("urn:imei:49015420323751", Form::Imei, 23, "a digit");
    assert_malformed("urn:imei:4901542032375180", Form::Imei, 24, "the end");
    assert_malformed("urn:imei:49015420-323751-8", Form::Imei, 17, "a digit");
    assert_malformed("urn:imei:490154203237518;;;1.0", Form::Imei, 24, "the end");
    assert_malformed("urn:imei:49015420323751８", Form::Imei, 23, "a digit");
}

#[test]
fn imei_and_msisdn() {
    let text = "urn:imei-msisdn:490154203237518-8613800138000";
    assert_name(text, Form::ImeiMsisdn, &["490154203237518", "8613800138000"]);
    assert_malformed("urn:imei-msisdn:490154203237518", Form::ImeiMsisdn, 31, "a dash");
    assert_malformed("urn:imei-msisdn:490154203237518-", Form::ImeiMsisdn, 32, "a digit");
    assert_malformed("urn:imei-msisdn:490154203237518-+86", Form::ImeiMsisdn, 32, "a digit");
    assert_malformed("urn:imei-msisdn:490154203237518-1234567890123456", Form::ImeiMsisdn, 47, "the end");
}

#[test]
fn imsi() {
    assert_name("urn:imsi:460001234567890", Form::Imsi, &["460001234567890"]);
    assert_name("urn:imsi:460001", Form::Imsi, &["460001"]);
    assert_malformed("urn:imsi:46000", Form::Imsi, 14, "a digit");
    assert_malformed("urn:imsi:4600012345678901", Form::Imsi, 24, "the end");
}

#[test]
fn uuid() {
    for uuid in ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"] {
        assert_name(&format!("urn:uuid:{uuid}"), Form::Uuid, &[uuid]);
    }
    assert_malformed("urn:uuid:f81d4fae7dec11d0a76500a0c91e6bf6", Form::Uuid, 17, "a dash");
    assert_malformed("urn:uuid:{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}", Form::Uuid, 9, "a hexadecimal digit");
    assert_malformed("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf", Form::Uuid, 44, "a hexadecimal digit");
    assert_malformed("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6#", Form::Uuid, 45, "the end");
}

#[test]
fn organization_product_and_serial() {
    assert_name("urn:dev:ops:0015EB-TM.1-00-42", Form::Ops, &["0015EB", "TM.1", "00-42", ""]);
    // The example of RFC 9039.
    assert_name("urn:dev:ops:32473-Refrigerator-5002", Form::Ops, &["32473", "Refrigerator", "5002", ""]);
    assert_name("urn:dev:ops:32473-a-1:2:3_x_y", Form::Ops, &["32473", "a", "1", ":2:3_x_y"]);
    assert_malformed("urn:dev:ops:0015EB-TM1", Form::Ops, 22, "a dash");
    assert_malformed("urn:dev:ops:0015EB--1", Form::Ops, 19, "a letter, a digit or a dot");
    assert_malformed("urn:dev:ops:0015EB-TM-", Form::Ops, 22, "a letter, a digit, a dot or a dash");
    assert_malformed("urn:dev:ops:0015EB-T%201-1", Form::Ops, 20, "a dash");
}

#[test]
fn organization_and_serial() {
    assert_name("urn:dev:os:0023c7-000001", Form::Os, &["0023c7", "000001", ""]);
    assert_name("urn:dev:os:32473-123456", Form::Os, &["32473", "123456", ""]);
    let organization = "an OUI of 6 hexadecimal digits or an enterprise number";
    for wrong in ["meter-1", "-1", "", "0015E-1", "0-1", "032473123-1", "0015EBA-1"] {
        assert_malformed(&format!("urn:dev:os:{wrong}"), Form::Os, 11, organization);
    }
    assert_malformed("urn:dev:os:32473", Form::Os, 16, "a dash");
    assert_malformed("urn:dev:os:32473x-1", Form::Os, 16, "a dash");
    assert_malformed("urn:dev:os:32473-", Form::Os, 17, "a letter, a digit, a dot or a dash");
    assert_malformed("urn:dev:os:32473-1_", Form::Os, 19, "a letter, a digit, a dot or a dash");
    assert_malformed("urn:dev:os:32473-1_x:y", Form::Os, 20, "the end");
    assert_malformed("urn:dev:os:32473-1 ", Form::Os, 18, "the end");
}

#[test]
fn the_case_of_scheme_and_namespace_is_free() {
    assert_name("URN:IMEI-MSISDN:490154203237518-1", Form::ImeiMsisdn, &["490154203237518", "1"]);
    assert_name("Urn:Uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", Form::Uuid, &["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"]);
    assert_name("URN:DEV:os:32473-1", Form::Os, &["32473", "1", ""]);
    assert_eq!(parts("urn:dev:OS:32473-1"), (None, vec!["urn:dev:OS:32473-1"]));
}

#[test]
fn the_rest() {
    for text in ["urn:", "urn:nai:user@example.com", "urn:dev:mac:0024befffe804ff1", "urn:imei", "URN:x;y"] {
        assert_eq!(classify(text), Ok(ClientName::OtherUrn(text)));
    }
    for text in ["", "meter-7", "490154203237518", "imei:490154203237518", " urn:imei:490154203237518", "ｕrn:x", "ur"]
    {
        assert_eq!(classify(text), Ok(ClientName::Plain(text)));
    }
}

#[test]
fn the_parts_outlive_the_name() {
    let text = String::from("urn:dev:os:32473-123456");
    let serial = match classify(&text) {
        Ok(ClientName::Os { serial, .. }) => serial,
        other => panic!("{other:?}"),
    };
    assert_eq!(serial, "123456");
}

#[test]
#[cfg_attr(miri, ignore = "minutes")]
fn a_mebibyte_of_anything() {
    for (text, count) in [("urn:", 1 << 18), ("；", 1 << 18), ("-", 1 << 20)] {
        let _ = classify(&text.repeat(count));
    }
    let serial = "1".repeat(1 << 20);
    assert_name(&format!("urn:dev:os:32473-{serial}"), Form::Os, &["32473", &serial, ""]);
}
