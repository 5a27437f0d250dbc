//! What holds for every document.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec as vec_of;
use proptest::prelude::*;

use super::syntax::is_document;
use crate::base::path::Path;
use crate::base::value::{DataType, Value};
use crate::format::properties::{Resource, assert_given, assert_sound, encode, instance, put};
use crate::format::testing::{OBJECT, TYPES, decode, encode_again, instances};
use crate::format::{Encode, Format};

const INSTANCE: Path = Path::instance(OBJECT, 0);

/// An instance that a document can tell: without what is no number, and without multiple resources
/// that have no instances.
fn tellable() -> impl Strategy<Value = Vec<Resource>> {
    instance().prop_map(|mut resources| {
        for (id, values) in &mut resources {
            let data_type = TYPES.resource(*id).unwrap().data_type;
            values.retain(|(_, value)| !matches!(value.value(data_type), Value::Float(number) if !number.is_finite()));
        }
        resources.retain(|(_, values)| !values.is_empty());
        resources
    })
}

fn document(resources: &[Resource]) -> Vec<u8> {
    encode(Format::JSON, INSTANCE, |encoder| put(encoder, 0, resources))
}

/// Bytes that are likely to be nearly right: tokens of documents, one after the other.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\"",
        "\"n\":",
        "\"v\":",
        "\"sv\":",
        "\"bv\":",
        "\"ov\":",
        "\"t\":",
        "\"bn\":",
        "\"e\":[",
        "\"x\":",
        "\"/3000/0/\"",
        "\"0\"",
        "\"1\"",
        "\"11/2\"",
        "\"5\"",
        "1",
        "-1",
        "1.5",
        "1e3",
        "true",
        "null",
        "\"66:0\"",
        "\"AQI=\"",
        "\\u0041",
        "\\ud83d",
        "\\",
        "{\"e\":[{",
        "}]}",
        "{\"bn\":\"/3000/0/\",\"e\":[",
        "{\"n\":\"1\",\"v\":1},",
        "{\"n\":\"0\",\"sv\":\"a\"},",
        "{\"n\":\"11/0\",\"v\":2},",
        "{\"n\":\"15/1\",\"sv\":\"AQI=\"}",
    ]);
    vec_of(token, 0..24).prop_map(|tokens| tokens.concat().into_bytes())
}

proptest! {
    #[test]
    fn an_instance_reads_back_as_it_was_written(resources in tellable()) {
        let bytes = document(&resources);
        let payload = decode(Format::JSON, INSTANCE, &bytes).unwrap();
        let [(None, values)] = instances(&payload)[..] else { panic!() };
        assert_given(values, &resources);
        // And as others read it.
        let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let values: usize = resources.iter().map(|(_, values)| values.len()).sum();
        prop_assert_eq!(document["e"].as_array().unwrap().len(), values);
    }

    #[test]
    fn instances_read_back_as_they_were_written(all in prop::collection::btree_map(0..65_535u16, tellable(), 0..4)) {
        let bytes = encode(Format::JSON, Path::object(OBJECT), |encoder| {
            for (id, resources) in &all {
                encoder.open_instance(*id).unwrap();
                put(encoder, *id, resources);
                encoder.close().unwrap();
            }
        });
        let payload = decode(Format::JSON, Path::object(OBJECT), &bytes).unwrap();
        let told: Vec<_> = all.iter().filter(|(_, resources)| !resources.is_empty()).collect();
        let read: Vec<_> = instances(&payload).into_iter().filter(|(id, _)| id.is_some()).collect();
        prop_assert_eq!(read.len(), told.len());
        for ((id, values), (expected, resources)) in read.into_iter().zip(told) {
            prop_assert_eq!(id, Some(*expected));
            assert_given(values, resources);
        }
    }

    #[test]
    fn it_means_the_same_as_tlv_in_whatever_order(mut resources in tellable(), seed: u64) {
        // Another reader and writer of floats would decide about their last digits.
        resources.retain(|(id, _)| TYPES.resource(*id).unwrap().data_type != DataType::Float);
        let tlv = encode(Format::TLV, INSTANCE, |encoder| put(encoder, 0, &resources));
        let document: serde_json::Value = serde_json::from_slice(&document(&resources)).unwrap();
        let mut entries: Vec<String> =
            document["e"].as_array().unwrap().iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
        let length = entries.len().max(1) as u64;
        for (at, bits) in (0..entries.len()).zip(0..) {
            entries.swap(at, (seed.rotate_right(bits) % length) as usize);
        }
        let json = std::format!(r#"{{"e":[{}],"bn":"/3000/0/"}}"#, entries.join(","));
        let payload = decode(Format::JSON, INSTANCE, json.as_bytes()).unwrap();
        prop_assert_eq!(encode_again(&TYPES, INSTANCE, &payload), tlv);
    }

    #[test]
    fn cut_and_flipped_documents_are_sound(resources in tellable()) {
        let mut bytes = document(&resources);
        let step = 1 + bytes.len() / 25;
        for length in (0..bytes.len()).step_by(step) {
            assert_sound(&bytes[..length]);
            prop_assert!(decode(Format::JSON, INSTANCE, &bytes[..length]).is_err());
        }
        for bit in (0..bytes.len() * 8).step_by(step * 7) {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_sound(&bytes);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn nearly_right_documents_are_sound(bytes in nearly_json()) {
        assert_sound(&bytes);
    }

    #[test]
    fn documents_are_what_others_take_for_them(bytes in prop_oneof![nearly_json(), vec_of(prop::sample::select(b"{}[],:\"\\u0d8-+.eE1 tn\n".to_vec()), 0..12)]) {
        // Ours are less deep, and halves of surrogate pairs and numbers without end are ours to judge.
        let theirs: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(&bytes);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let depth = text.matches(['[', '{']).count();
        if depth <= 6 && !text.to_ascii_lowercase().contains("\\ud") {
            prop_assert_eq!(is_document(&bytes), theirs.is_ok(), "{}", text);
        }
    }
}
