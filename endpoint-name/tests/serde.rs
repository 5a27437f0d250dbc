//! Names in JSON, borrowed and owned.
#![cfg(feature = "serde")]

use endpoint_name::{EndpointName, EndpointNameBuf};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

const NAME: &str = "490154203237518;460001234567890;;1.0";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Registration<'a> {
    #[serde(borrow)]
    name: EndpointName<'a>,
    owned: EndpointNameBuf,
}

#[test]
fn a_name_is_a_string() {
    let name = EndpointName::parse(NAME).unwrap();
    let registration = Registration { name, owned: name.into() };
    let json = serde_json::to_string(&registration).unwrap();
    assert_eq!(json, format!(r#"{{"name":"{NAME}","owned":"{NAME}"}}"#));
    assert_eq!(serde_json::from_str::<Registration<'_>>(&json).unwrap(), registration);
}

#[test]
fn a_borrowed_name_borrows() {
    let json = format!(r#""{NAME}""#);
    let name: EndpointName<'_> = serde_json::from_str(&json).unwrap();
    assert!(json.as_bytes().as_ptr_range().contains(&name.as_str().as_ptr()));
}

#[test]
fn an_owned_name_can_be_read_from_anything() {
    let escaped = r#""49\u003b;;1.0""#;
    assert_eq!(serde_json::from_str::<EndpointNameBuf>(escaped).unwrap().as_str(), "49;;;1.0");
    assert_eq!(serde_json::from_reader::<_, EndpointNameBuf>(escaped.as_bytes()).unwrap().as_str(), "49;;;1.0");
    let error = serde_json::from_str::<EndpointName<'_>>(escaped).unwrap_err().to_string();
    assert!(error.starts_with("this input cannot lend an endpoint name: read an EndpointNameBuf"), "{error}");
}

#[test]
fn a_refusal_names_the_fault_and_not_the_text() {
    let json = r#""490154203237518;46000x;;1.0""#;
    for error in [
        serde_json::from_str::<EndpointName<'_>>(json).unwrap_err(),
        serde_json::from_str::<EndpointNameBuf>(json).unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.starts_with("invalid character 'x' in IMSI at byte 21"), "{error}");
        assert!(!error.contains("490154203237518"), "{error}");
    }
    for error in [
        serde_json::from_str::<EndpointName<'_>>("17").unwrap_err(),
        serde_json::from_str::<EndpointNameBuf>("17").unwrap_err(),
    ] {
        assert!(error.to_string().contains("expected an endpoint name"), "{error}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(imei in "[0-9]{1,17}", imsi in "([0-9]{1,16})?", version in "[1-9]\\.[1-9]") {
        let text = format!("{imei};{imsi};;{version}");
        let name = EndpointName::parse(&text).unwrap();
        let json = serde_json::to_string(&name).unwrap();
        prop_assert_eq!(serde_json::to_string(&EndpointNameBuf::from(name)).unwrap(), &*json);
        prop_assert_eq!(serde_json::from_str::<EndpointName<'_>>(&json).unwrap(), name);
        prop_assert_eq!(serde_json::from_str::<EndpointNameBuf>(&json).unwrap(), EndpointNameBuf::from(name));
    }
}
