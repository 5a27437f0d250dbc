//! XF-04, 05, 07: values as plain text.

use coap_codec::{Code, ContentFormat};
use lwm2m_core::DataType;
use lwm2m_core::sim::Sim;

use super::store::{Owned, Store, get, keeping, put, resource, unchanged};
use super::{TLV, bytes};
use lwm2m_core::Value;

const TEXT: ContentFormat = ContentFormat::TEXT_PLAIN;
const OPAQUE: ContentFormat = ContentFormat::OCTET_STREAM;
const JSON: ContentFormat = ContentFormat::LWM2M_JSON;

/// A resource of each type: String 0, Integer 1, Float 3, Boolean 4, Opaque 5, Time 6, Objlnk 7.
pub fn types() -> Sim<Store> {
    use DataType::{Boolean, CoreLink, Float, Integer, ObjectLink, Opaque, String, Time, UnsignedInteger};
    let types = [String, Integer, UnsignedInteger, Float, Boolean, Opaque, Time, ObjectLink, CoreLink];
    let single = (0..).zip(types).map(|(id, data_type)| resource(id, data_type));
    let several = (10..).zip(types).map(|(id, data_type)| resource(id, data_type).multiple());
    keeping(single.chain(several).collect())
}

#[track_caller]
fn check(sim: &mut Sim<Store>, id: u16, text: &str, kept: Owned, back: &str) {
    let path = format!("/o/0/{id}");
    assert_eq!(put(sim, Code::PUT, &path, TEXT, text.as_bytes()), Code::CHANGED, "{path}: {text:?}");
    assert_eq!(sim.model.one(id), Some(&kept), "{path}: {text:?}");
    for accept in [None, Some(TEXT)].into_iter().skip(usize::from(id == 5)) {
        let answer = get(sim, &path, accept);
        assert_eq!((answer.code, answer.format), (Code::CONTENT, Some(TEXT)), "{path}: {text:?}");
        assert_eq!(answer.text(), back, "{path}: {text:?}");
    }
}

#[track_caller]
fn refuse(sim: &mut Sim<Store>, id: u16, texts: &[&str]) {
    let before = sim.model.clone();
    for text in texts {
        let code = put(sim, Code::PUT, &format!("/o/0/{id}"), TEXT, text.as_bytes());
        assert_eq!(code, Code::BAD_REQUEST, "resource {id}: {text:?}");
        unchanged(sim, &before, text);
    }
}

#[test]
fn xf_04_text_of_each_type_goes_in_and_out() {
    let mut sim = types();
    let plain = Owned::Plain;
    for (id, text, value, back) in [
        (0, "gr\u{fc}n, \u{6d4b}\u{8bd5}", Owned::Str("gr\u{fc}n, \u{6d4b}\u{8bd5}".into()), None),
        (0, " 1 ", Owned::Str(" 1 ".into()), None),
        (0, "", Owned::Str("".into()), None),
        (1, "-9223372036854775808", plain(Value::Int(i64::MIN)), None),
        (1, "9223372036854775807", plain(Value::Int(i64::MAX)), None),
        (1, "0", plain(Value::Int(0)), None),
        (1, "0101", plain(Value::Int(101)), Some("101")),
        (2, "18446744073709551615", plain(Value::Uint(u64::MAX)), None),
        (3, "0.00000000006667", plain(Value::Float(6.667e-11)), None),
        (3, "-43.5723", plain(Value::Float(-43.5723)), None),
        (3, "1e-3", plain(Value::Float(0.001)), Some("0.001")),
        (3, "5", plain(Value::Float(5.0)), None),
        (4, "0", plain(Value::Bool(false)), None),
        (4, "1", plain(Value::Bool(true)), None),
        (5, "AQIDBAU=", Owned::Opaque(vec![1, 2, 3, 4, 5]), None),
        (5, "", Owned::Opaque(Vec::new()), None),
        (6, "1476186613", plain(Value::Time(1_476_186_613)), None),
        (6, "-1", plain(Value::Time(-1)), None),
        (7, "66:0", plain(Value::Link(66, 0)), None),
        (8, "</3/0>;pmin=1", Owned::Corelnk("</3/0>;pmin=1".into()), None),
    ] {
        check(&mut sim, id, text, value, back.unwrap_or(text));
    }
    for (id, texts) in [
        (1, &["", " 1", "1 ", "+1", "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "0x1", "one"][..]),
        (2, &["", "-1", "18446744073709551616"]),
        (3, &["", "NaN", "inf", "-Infinity", "1e400", "0,5", ".5", "5.", "1 "]),
        (4, &["", "2", "00", "true", "false"]),
        (5, &["A", "AQIDBAU", "AR==", "AQID\n"]),
        (6, &["", "1.5", "2016-10-11"]),
    ] {
        refuse(&mut sim, id, texts);
    }
    let before = sim.model.clone();
    for id in [0, 8] {
        assert_eq!(put(&mut sim, Code::PUT, &format!("/o/0/{id}"), TEXT, b"\xC3\x28"), Code::BAD_REQUEST, "no UTF-8");
    }
    // Raw bytes are for opaque values, and text for one value.
    assert_eq!(put(&mut sim, Code::PUT, "/o/0/1", OPAQUE, b"1"), Code::BAD_REQUEST);
    for path in ["/o/0", "/o/0/11"] {
        assert_eq!(put(&mut sim, Code::PUT, path, TEXT, b"1"), Code::BAD_REQUEST, "{path}");
    }
    unchanged(&sim, &before, "what is no text");
    assert_eq!(put(&mut sim, Code::PUT, "/o/0/5", OPAQUE, b"\0\xFF"), Code::CHANGED);
    let answer = get(&mut sim, "/o/0/5", None);
    assert_eq!((answer.format, &*answer.payload), (Some(OPAQUE), &b"\0\xFF"[..]));
    assert_eq!(get(&mut sim, "/o/0/5", Some(TEXT)).text(), "AP8=");
}

#[test]
fn xf_05_floats_have_no_exponent_and_are_numbers() {
    let mut sim = types();
    let write = |sim: &mut Sim<Store>, number: f64| {
        let tlv = [&[0xC8, 3, 8][..], &number.to_be_bytes()].concat();
        assert_eq!(put(sim, Code::PUT, "/o/0/3", TLV, &tlv), Code::CHANGED);
    };
    for (number, digits) in [(1e300, format!("1{:0>300}", "")), (-5e-324, format!("-0.{:0>324}", "5"))] {
        write(&mut sim, number);
        assert_eq!(get(&mut sim, "/o/0/3", Some(TEXT)).text(), digits);
        let json = format!(r#"{{"bn":"/30009/0/3","e":[{{"v":{digits}}}]}}"#);
        assert_eq!(get(&mut sim, "/o/0/3", Some(JSON)).text(), json);
    }
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        write(&mut sim, number);
        for (path, accept) in [("/o/0/3", None), ("/o/0/3", Some(TEXT)), ("/o/0/3", Some(JSON)), ("/o/0", Some(JSON))] {
            let answer = get(&mut sim, path, accept);
            assert_eq!((answer.code, &*answer.payload), (Code::INTERNAL_SERVER_ERROR, &b""[..]), "{number} at {path}");
        }
        assert_eq!(get(&mut sim, "/o/0/3", Some(TLV)).code, Code::CONTENT);
    }
}

#[test]
fn xf_07_object_links_are_two_numbers() {
    let mut sim = types();
    for (text, object, instance) in [("66:0", 66, 0), ("65535:65535", 65_535, 65_535), ("FFFF:FFFF", 65_535, 65_535)] {
        let back = format!("{object}:{instance}");
        check(&mut sim, 7, text, Owned::Plain(Value::Link(object, instance)), &back);
        let json = format!(r#"{{"bn":"/30009/0/7","e":[{{"ov":"{text}"}}]}}"#);
        assert_eq!(put(&mut sim, Code::PUT, "/o/0/7", JSON, json.as_bytes()), Code::CHANGED, "{json}");
        let json = format!(r#"{{"bn":"/30009/0/7","e":[{{"ov":"{back}"}}]}}"#);
        assert_eq!(get(&mut sim, "/o/0/7", Some(JSON)).text(), json);
    }
    assert_eq!(get(&mut sim, "/o/0/7", Some(TLV)).payload, bytes("c407ffffffff"));
    let wrong = ["66", "66:0:1", "", ":", "66:", ":0", "65536:0", "66:-1", "66,0", "FFFF:0", "66 : 0"];
    refuse(&mut sim, 7, &wrong);
    let before = sim.model.clone();
    for text in wrong {
        let json = format!(r#"{{"bn":"/30009/0/7","e":[{{"ov":"{text}"}}]}}"#);
        assert_eq!(put(&mut sim, Code::PUT, "/o/0/7", JSON, json.as_bytes()), Code::BAD_REQUEST, "{json}");
    }
    unchanged(&sim, &before, "links in JSON");
}
