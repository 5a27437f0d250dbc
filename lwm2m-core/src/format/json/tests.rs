//! Documents, and what becomes of them.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use std::format;

use coap_codec::Code;

use crate::base::path::Path;
use crate::base::value::Value;
use crate::format::payload::DecodeError;
use crate::format::testing::{OBJECT, TYPES, decode, instances};
use crate::format::{Format, Given, Payload, Unknown};

const OBJECT_PATH: Path = Path::object(OBJECT);
const INSTANCE: Path = Path::instance(OBJECT, 4);

const fn resource(id: u16) -> Path {
    Path::resource(OBJECT, 4, id)
}

/// What a document for `target` gives, as text: `Some(4): [1 = Int(5), 11/0 = Int(6)]`
fn read(target: Path, json: &str) -> Result<String, DecodeError> {
    let payload = decode(Format::JSON, target, json.as_bytes())?;
    let given = |given: Given<'_>| match given.index {
        Some(index) => format!("{}/{index} = {:?}", given.resource, given.value),
        None => format!("{} = {:?}", given.resource, given.value),
    };
    let all = instances(&payload).into_iter().map(|(id, values)| {
        let values: Vec<_> = values.iter().map(given).collect();
        format!("{id:?}: [{}]", values.join(", "))
    });
    Ok(all.collect::<Vec<_>>().join(" "))
}

#[track_caller]
fn check(target: Path, json: &str, expected: &str) {
    assert_eq!(read(target, json).as_deref(), Ok(expected), "{json}");
}

#[track_caller]
fn refused(target: Path, json: &str, error: DecodeError) {
    assert_eq!(read(target, json), Err(error), "{json}");
}

/// The value that a single resource takes from `member`, as `"v":1`.
fn value(id: u16, member: &str) -> Result<String, DecodeError> {
    read(resource(id), &format!(r#"{{"bn":"/3000/4/{id}","e":[{{{member}}}]}}"#))
}

#[test]
fn base_name_and_name_are_joined_as_they_are() {
    for (json, expected) in [
        (
            r#"{"bn":"/3000/4/","e":[{"n":"1","v":5},{"n":"11/0","v":6},{"n":"11/7","v":7}]}"#,
            "1 = Int(5), 11/0 = Int(6), 11/7 = Int(7)",
        ),
        (r#"{"bn":"/3000/4","e":[{"n":"/1","v":5}]}"#, "1 = Int(5)"),
        (r#"{"bn":"/3000/4/1","e":[{"v":5}]}"#, "1 = Int(5)"),
        (r#"{"bn":"/3000/4/1","e":[{"n":"","v":5}]}"#, "1 = Int(5)"),
        (r#"{"bn":"/3000/4/1","e":[{"n":"1/0","v":5}, {"n":"1/1","v":6}]}"#, "11/0 = Int(5), 11/1 = Int(6)"),
        (r#"{"e":[{"n":"/3000/4/1","v":5}]}"#, "1 = Int(5)"),
        (r#"{"bn":"","e":[{"n":"/3000/4/1","v":5}]}"#, "1 = Int(5)"),
        (r#"{"bn":"/","e":[{"n":"3000/4/1","v":5}]}"#, "1 = Int(5)"),
        (r#"{"bn":"/30","e":[{"n":"00/4/1","v":5}]}"#, "1 = Int(5)"),
        (r#"{"e":[{"v":5,"n":"1"}],"bn":"/3000/4/"}"#, "1 = Int(5)"),
        (r#" { "\u0062n" : "\/3000\/4\u002f" , "e" : [ { "\u006e" : "\u0031" , "v" : 5 } ] } "#, "1 = Int(5)"),
    ] {
        check(INSTANCE, json, &format!("None: [{expected}]"));
    }
    for path in [
        "",
        "/",
        "1",
        "3000/4/1",
        "/3000/4",
        "/3000/4/",
        "/3000/4/1/",
        "/3000/4//1",
        "//3000/4/1",
        "/3000/4/01",
        "/3000/4/11/00",
        "/3000/4/+1",
        "/3000/4/ 1",
        "/3000/4/a",
        "/3000/4/65536",
        "/3000/4/11/65536",
        "/3000/4/11/0/0",
        "/3000/5/1",
        "/3001/4/1",
        "/3000/4/1\0",
        "/65535/65535/65535/655350",
    ] {
        let path = path.replace('\0', "\\u0000");
        refused(INSTANCE, &format!(r#"{{"e":[{{"n":"{path}","v":5}}]}}"#), DecodeError::Misplaced);
        refused(INSTANCE, &format!(r#"{{"bn":"{path}","e":[{{"v":5}}]}}"#), DecodeError::Misplaced);
    }
}

#[test]
fn a_document_fits_the_path_that_it_is_sent_to() {
    // An object: instances.
    let two = r#"{"bn":"/3000/","e":[{"n":"4/1","v":5},{"n":"7/11/0","v":6},{"n":"7/11/2","v":8},{"n":"9/1","v":7}]}"#;
    check(OBJECT_PATH, two, "Some(4): [1 = Int(5)] Some(7): [11/0 = Int(6), 11/2 = Int(8)] Some(9): [1 = Int(7)]");
    check(OBJECT_PATH, r#"{"e":[]}"#, "None: []");
    refused(INSTANCE, two, DecodeError::Misplaced);
    let reserved = r#"{"e":[{"n":"/3000/65535/1","v":5}]}"#;
    refused(OBJECT_PATH, reserved, DecodeError::ReservedInstance);

    // An instance: resources, or none.
    check(INSTANCE, r#"{"e":[]}"#, "None: []");
    check(INSTANCE, r#"{"bn":"/3000/4/","e":[]}"#, "None: []");

    // A resource: itself, or all instances of a multiple one.
    check(resource(1), r#"{"bn":"/3000/4/","e":[{"n":"1","v":5}]}"#, "None: [1 = Int(5)]");
    check(
        resource(11),
        r#"{"bn":"/3000/4/11/","e":[{"n":"0","v":5},{"n":"3","v":6}]}"#,
        "None: [11/0 = Int(5), 11/3 = Int(6)]",
    );
    let none = decode(Format::JSON, resource(11), br#"{"e":[]}"#).unwrap();
    assert!(instances(&none)[0].1.resources().eq([11]), "a resource without instances");
    refused(resource(1), r#"{"e":[]}"#, DecodeError::Misplaced);
    refused(resource(1), r#"{"bn":"/3000/4/","e":[{"n":"1","v":5},{"n":"6","v":5}]}"#, DecodeError::Misplaced);
    refused(resource(1), r#"{"bn":"/3000/4/","e":[{"n":"11","v":5}]}"#, DecodeError::Misplaced);
    refused(Path::resource_instance(OBJECT, 4, 11, 0), r#"{"e":[{"n":"/3000/4/11/0","v":5}]}"#, DecodeError::Misplaced);
}

#[test]
fn entries_come_in_any_order() {
    let entries =
        r#"{"n":"7/11/2","v":1},{"n":"4/1","v":2},{"n":"7/11/0","v":3},{"n":"4/0","sv":"a"},{"n":"7/1","v":4}"#;
    check(
        OBJECT_PATH,
        &format!(r#"{{"e":[{entries}],"bn":"/3000/"}}"#),
        "Some(4): [0 = Str(\"a\"), 1 = Int(2)] Some(7): [1 = Int(4), 11/0 = Int(3), 11/2 = Int(1)]",
    );
    // Each then takes a pass of its own, so there is no reading more of them than there is room for.
    let json = format!(r#"{{"bn":"/3000/","e":[{entries}]}}"#);
    let decode = |json: &str, room: usize| {
        let mut room = vec![0; room];
        Payload::decode(Format::JSON, OBJECT_PATH, &TYPES, Unknown::Refuse, json.as_bytes(), &mut room).map(|_| ())
    };
    assert_eq!(decode(&json, json.len()), Ok(()));
    assert_eq!(decode(&json, json.len() - 1), Err(DecodeError::TooLarge));
    let json = r#"{"bn":"/3000/4/","e":[{"n":"1","v":1},{"n":"11/0","v":2},{"n":"11/1","v":2}]}"#;
    assert_eq!(decode(json, 14), Ok(()), "a wrapper, an integer, and two integers in their resource");
    assert_eq!(decode(json, 13), Err(DecodeError::TooLarge));
}

#[test]
fn a_name_comes_once_whether_it_has_a_time_or_not() {
    for entries in [
        r#"{"n":"1","v":5},{"n":"1","v":5}"#,
        r#"{"n":"1","v":5},{"n":"0","sv":""},{"n":"1","v":5}"#,
        r#"{"n":"0","sv":""},{"n":"1","v":5},{"n":"0","sv":""}"#,
        r#"{"n":"1","v":5,"t":-1},{"n":"1","v":5,"t":0}"#,
        r#"{"n":"1","v":5},{"n":"\u0031","v":5}"#,
    ] {
        refused(INSTANCE, &format!(r#"{{"bn":"/3000/4/","e":[{entries}]}}"#), DecodeError::Duplicate);
    }
    let twice = r#"{"bn":"/3000/4/11","e":[{"n":"/3","v":5},{"n":"/3","v":5}]}"#;
    assert!(matches!(read(INSTANCE, twice), Err(DecodeError::Duplicate)));
    let both = r#"{"bn":"/3000/4/11","e":[{"v":5},{"n":"/3","v":5}]}"#;
    assert!(matches!(read(INSTANCE, both), Err(DecodeError::Duplicate)));
}

#[test]
fn times_and_unknown_keys_mean_nothing() {
    for json in [
        r#"{"bn":"/3000/4/","bt":25462634,"e":[{"n":"1","v":5,"t":-5}]}"#,
        r#"{"bn":"/3000/4/","bt":0.5e-3,"e":[{"n":"1","t":1.5,"v":5}]}"#,
        r#"{"bn":"/3000/4/","bu":"W","ver":1,"e":[{"n":"1","v":5,"u":"W","vs":"x","":null,"value":7}],"x":[{"e":[1]}],"x":{}}"#,
        r#"{"bn":"/3000/4/","BN":"/9","E":0,"e":[{"N":"2","V":1,"n":"1","v":5}]}"#,
    ] {
        check(INSTANCE, json, "None: [1 = Int(5)]");
    }
}

#[test]
fn what_is_no_document_is_malformed() {
    for json in [
        "",
        " ",
        "null",
        "[]",
        "5",
        "{}",
        r#"{"bn":"/3000/4/"}"#,
        r#"{"e":{}}"#,
        r#"{"e":null}"#,
        r#"{"e":[5]}"#,
        r#"{"e":[[]]}"#,
        r#"{"e":[null]}"#,
        r#"{"e":[],"e":[]}"#,
        r#"{"e":[]}x"#,
        r#"{"e":[],}"#,
        r#"{"e":[{},]}"#,
        r#"{"e":["#,
        r#"{"e":[]"#,
        r#"{"bn":3000,"e":[]}"#,
        r#"{"bn":null,"e":[]}"#,
        r#"{"bn":"/3000/4/","bn":"/3000/4/","e":[]}"#,
        r#"{"bt":"1","e":[]}"#,
        r#"{"bt":1,"bt":1,"e":[]}"#,
        // An entry has exactly one value, under the right kind of key, and one name.
        r#"{"bn":"/3000/4/1","e":[{}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1"}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","x":5}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","v":5,"v":5}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","v":5,"sv":"5"}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","n":"1","v":5}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":1,"v":5}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","v":"5"}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","v":null}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","v":true}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"4","bv":1}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"4","bv":"true"}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"4","bv":null}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"0","sv":5}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"7","ov":66}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"7","ov":{}}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","v":5,"t":"0"}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"1","v":5,"t":0,"t":0}]}"#,
        r#"{"bn":"/3000/4/","e":[{"n":"0","sv":"\ud800"}]}"#,
        // Deeper than anybody needs.
        r#"{"e":[],"x":[[[[[[]]]]]]}"#,
        r#"{"e":[{"n":"/3000/4/1","v":5,"x":[[[[]]]]}]}"#,
    ] {
        refused(INSTANCE, json, DecodeError::Malformed);
    }
    let payload =
        Payload::decode(Format::JSON, INSTANCE, &TYPES, Unknown::Refuse, b"{\"e\":[],\"\xFF\":0}", vec![0; 64].leak());
    assert_eq!(payload.unwrap_err(), DecodeError::Malformed);
    check(INSTANCE, r#"{"e":[{"n":"/3000/4/1","v":5,"x":[[[]]]}],"x":[[[[[]]]]]}"#, "None: [1 = Int(5)]");
}

#[test]
fn every_type_reads_what_its_key_may_hold() {
    for (id, member, expected) in [
        (0, r#""sv":"gr\u00fcn \ud83d\ude00\"\\\/\n""#, Value::Str("gr\u{fc}n \u{1f600}\"\\/\n")),
        (0, r#""sv":"""#, Value::Str("")),
        (0, r#""sv":"\u0000""#, Value::Str("\0")),
        (1, r#""v":-5"#, Value::Int(-5)),
        (1, r#""v":5.0"#, Value::Int(5)),
        (1, r#""v":1.5e1"#, Value::Int(15)),
        (1, r#""v":9223372036854775807"#, Value::Int(i64::MAX)),
        (1, r#""v":-9223372036854775808"#, Value::Int(i64::MIN)),
        (2, r#""v":18446744073709551615"#, Value::Uint(u64::MAX)),
        (3, r#""v":-43.5723"#, Value::Float(-43.5723)),
        (3, r#""v":6.667E-11"#, Value::Float(6.667e-11)),
        (3, r#""v":5"#, Value::Float(5.0)),
        (4, r#""bv":true"#, Value::Bool(true)),
        (4, r#""bv":false"#, Value::Bool(false)),
        (5, r#""sv":"AQIDBAU=""#, Value::Opaque(&[1, 2, 3, 4, 5])),
        (5, r#""sv":"\u002b+\/\/""#, Value::Opaque(&[0xFB, 0xEF, 0xFF])),
        (5, r#""sv":"""#, Value::Opaque(&[])),
        (6, r#""v":1476186613"#, Value::Time(1_476_186_613)),
        (7, r#""ov":"66:0""#, Value::Link(66, 0)),
        (7, r#""ov":"65535:65535""#, Value::Link(65_535, 65_535)),
        (7, r#""ov":"FFFF:FFFF""#, Value::Link(65_535, 65_535)),
        (7, r#""ov":"\u0036\u0036:0""#, Value::Link(66, 0)),
        (8, r#""sv":"</3>;x=\"1\"""#, Value::Corelnk("</3>;x=\"1\"")),
    ] {
        assert_eq!(value(id, member), Ok(format!("None: [{id} = {expected:?}]")), "{member}");
    }
}

#[test]
fn what_is_no_value_of_the_type_is_refused() {
    for (id, members) in [
        (0, &[r#""v":5"#, r#""bv":true"#, r#""ov":"1:2""#][..]),
        (1, &[r#""v":1.5"#, r#""v":1e-1"#, r#""v":9223372036854775808"#, r#""v":1e99"#, r#""sv":"5""#, r#""bv":true"#]),
        (2, &[r#""v":-1"#, r#""v":18446744073709551616"#, r#""v":0.5"#]),
        (3, &[r#""v":1e400"#, r#""sv":"NaN""#]),
        (4, &[r#""v":1"#, r#""sv":"true""#]),
        (5, &[r#""sv":"AQIDBAU""#, r#""sv":"AR==""#, r#""sv":"AQ_=""#, r#""sv":"Zg==Zg==""#, r#""v":1"#]),
        (6, &[r#""v":1.5"#, r#""sv":"2016""#]),
        (
            7,
            &[
                r#""ov":"66""#,
                r#""ov":"66:0:1""#,
                r#""ov":"""#,
                r#""ov":"65536:0""#,
                r#""ov":"000000000066:000000000""#,
                r#""sv":"66:0""#,
            ],
        ),
        (8, &[r#""ov":"66:0""#]),
    ] {
        for member in members {
            assert_eq!(value(id, member), Err(DecodeError::Type), "{member}");
        }
    }
    assert_eq!(value(20, r#""v":101"#), Err(DecodeError::Range));
    assert_eq!(value(24, r#""sv":"\u0061\u0062\u0063""#), Ok(r#"None: [24 = Str("abc")]"#.to_string()));
    assert_eq!(value(24, r#""sv":"abcd""#), Err(DecodeError::Range));
    assert_eq!(value(11, r#""v":5"#), Err(DecodeError::Multiplicity));
    assert_eq!(value(9, r#""v":5"#), Err(DecodeError::NoValues));
    assert_eq!(value(19, r#""v":5"#), Err(DecodeError::UnknownResource));
    refused(INSTANCE, r#"{"e":[{"n":"/3000/4/1/0","v":5}]}"#, DecodeError::Multiplicity);
}

#[test]
fn what_the_object_lacks_is_passed_over_on_request() {
    let json = r#"{"bn":"/3000/4/","e":[{"n":"1","v":5},{"n":"9","v":1},{"n":"199/0","v":5},{"n":"200","ov":"x"}]}"#;
    let decode = |json: &str, unknown| {
        let payload = Payload::decode(Format::JSON, INSTANCE, &TYPES, unknown, json.as_bytes(), vec![0; 256].leak());
        payload.map(|payload| instances(&payload)[0].1.iter().map(|given| given.resource).collect::<Vec<_>>())
    };
    assert_eq!(decode(json, Unknown::Refuse).unwrap_err().code(), Code::METHOD_NOT_ALLOWED);
    assert_eq!(decode(json, Unknown::Ignore).unwrap(), [1]);
    let without_value = r#"{"bn":"/3000/4/","e":[{"n":"200"}]}"#;
    assert_eq!(decode(without_value, Unknown::Ignore).unwrap_err(), DecodeError::Malformed);

    // An instance of nothing but unknown resources is an instance.
    let json = br#"{"bn":"/3000/","e":[{"n":"6/200","v":5},{"n":"7/199/1","v":5}]}"#;
    let mut room = [0; 64];
    let payload = Payload::decode(Format::JSON, OBJECT_PATH, &TYPES, Unknown::Ignore, json, &mut room).unwrap();
    assert!(payload.instances().map(|(id, values)| (id, values.is_empty())).eq([(Some(6), true), (Some(7), true)]));
}
