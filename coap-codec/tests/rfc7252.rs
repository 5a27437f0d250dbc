//! What the standards say, by the vectors and tables in `data/coap-vectors.json`.

mod common;

use core::time::Duration;

use coap_codec::{
    BlockValue, CoapOption, Code, ContentFormat, Message, MessageId, MessageWriter, OptionNumber, Token, observe,
};
use common::{Parts, vectors};

#[test]
fn xc_01_every_valid_vector_parses_to_its_fields() {
    let vectors = vectors().udp_valid;
    assert_eq!(vectors.len(), 59);
    for vector in vectors {
        let message = Message::parse(&vector.hex.0).unwrap_or_else(|error| {
            panic!("{}: {error}", vector.id);
        });
        assert_eq!(Parts::of(&message), vector.parts(), "{}", vector.id);
        assert_eq!(message.message_type().to_string(), vector.message_type);
        assert_eq!(message.code().to_string(), vector.code);
        assert_eq!(message.message_id().to_string(), vector.mid.to_string());
        assert_eq!(message.as_bytes(), vector.hex.0);
    }
}

#[test]
fn xc_01_every_valid_vector_is_written_to_its_bytes() {
    for vector in vectors().udp_valid {
        assert_eq!(vector.parts().to_vec(), vector.hex.0, "{}", vector.id);
    }
}

#[test]
fn every_valid_vector_is_to_be_processed() {
    for vector in vectors().udp_valid {
        let message = Message::parse(&vector.hex.0).unwrap();
        assert!(message.kind().is_some(), "{}", vector.id);
        let is_known = |number: OptionNumber| number.name().is_some();
        assert_eq!(message.unsupported_option(is_known), None, "{}", vector.id);
    }
}

#[test]
fn options_have_the_names_of_the_vectors() {
    for vector in vectors().udp_valid {
        for row in &vector.options {
            let name = OptionNumber(row.number).name().unwrap_or("?");
            assert_eq!(name, row.name, "{}", vector.id);
        }
    }
}

#[test]
fn the_getters_agree_with_the_options() {
    for vector in vectors().udp_valid {
        let message = Message::parse(&vector.hex.0).unwrap();
        let parts = vector.parts();
        let values = |number: OptionNumber| -> Vec<&[u8]> {
            let of_number = parts.options.iter().filter(|(n, _)| *n == number.0);
            of_number.map(|(_, value)| value.as_slice()).collect()
        };
        let uint = |number| {
            let value = *values(number).first()?;
            CoapOption { number, value }.as_uint()
        };
        let format = |number| uint(number).map(|uint| ContentFormat(uint.try_into().unwrap()));
        let block = |number| Some(BlockValue::from_value(values(number).first()?));

        assert!(message.uri_path().eq(values(OptionNumber::URI_PATH)));
        assert!(message.uri_query().eq(values(OptionNumber::URI_QUERY)));
        assert!(message.location_path().eq(values(OptionNumber::LOCATION_PATH)));
        assert!(message.location_query().eq(values(OptionNumber::LOCATION_QUERY)));
        assert_eq!(message.content_format(), format(OptionNumber::CONTENT_FORMAT));
        assert_eq!(message.accept(), format(OptionNumber::ACCEPT));
        assert_eq!(message.observe(), uint(OptionNumber::OBSERVE));
        assert_eq!(message.max_age(), uint(OptionNumber::MAX_AGE));
        assert_eq!(message.size1(), uint(OptionNumber::SIZE1));
        assert_eq!(message.size2(), uint(OptionNumber::SIZE2));
        assert_eq!(message.etag(), values(OptionNumber::ETAG).first().copied());
        assert_eq!(message.block1(), block(OptionNumber::BLOCK1));
        assert_eq!(message.block2(), block(OptionNumber::BLOCK2));

        // What a message says does not depend on the carrier.
        let view = message.view();
        assert_eq!(view.content_format(), message.content_format());
        assert_eq!(view.accept(), message.accept());
        assert_eq!(view.observe(), message.observe());
        assert_eq!(view.max_age(), message.max_age());
        assert_eq!(view.size1(), message.size1());
        assert_eq!(view.size2(), message.size2());
        assert_eq!(view.etag(), message.etag());
        for (number, _) in &parts.options {
            assert_eq!(view.value(OptionNumber(*number)), message.value(OptionNumber(*number)));
        }
    }
}

#[test]
fn behind_the_last_option_there_is_none() {
    for vector in vectors().udp_valid {
        let message = Message::parse(&vector.hex.0).unwrap();
        let last = vector.parts().options.iter().map(|(number, _)| *number).max().unwrap_or(0);
        assert!(message.reaches(OptionNumber(last)));
        assert!(last == u16::MAX || !message.reaches(OptionNumber(last + 1)));
    }
}

// An iterator's promise: a collection of so many may be reserved.
#[test]
fn the_number_of_options_is_within_the_bounds_that_are_told() {
    for vector in vectors().udp_valid {
        let message = Message::parse(&vector.hex.0).unwrap();
        let path = message.uri_path();
        for ((least, most), count) in
            [(message.options().size_hint(), message.options().count()), (path.size_hint(), path.count())]
        {
            let most = most.expect("a datagram bounds it");
            assert!((least..=most).contains(&count) && most <= vector.hex.0.len());
        }
    }
}

#[test]
fn numbers_become_values_and_values_numbers() {
    assert_eq!((Code::from(0x45), u8::from(Code::CONTENT)), (Code::CONTENT, 0x45));
    assert_eq!((MessageId::from(513), u16::from(MessageId(513))), (MessageId(513), 513));
    assert_eq!((ContentFormat::from(40), u16::from(ContentFormat::LINK_FORMAT)), (ContentFormat::LINK_FORMAT, 40));
    assert_eq!((OptionNumber::from(11), u16::from(OptionNumber::URI_PATH)), (OptionNumber::URI_PATH, 11));
    assert_eq!(Token::try_from(&b"12345678"[..]).unwrap().as_bytes(), b"12345678");
    assert!(Token::try_from(&b"123456789"[..]).is_err());
}

#[test]
fn the_typed_writers_make_the_vectors() {
    let vectors = vectors().udp_valid;
    let check = |id: &str, write: &dyn Fn(&mut MessageWriter<'_>)| {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let parts = vector.parts();
        let mut buffer = [0; 512];
        let mut writer = MessageWriter::new(&mut buffer, parts.header, parts.token).unwrap();
        write(&mut writer);
        writer.payload(&parts.payload).unwrap();
        assert_eq!(writer.finish(), vector.hex.0, "{id}");
    };
    let block = |num, more, szx| BlockValue::new(num, more, szx).unwrap();

    check("O01", &|writer| {
        writer.observe(observe::REGISTER).unwrap();
        for segment in ["3", "0", "9"] {
            writer.uri_path(segment).unwrap();
        }
    });
    check("O04", &|writer| {
        writer.observe(0xffff_ffff).unwrap();
        writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
    });
    check("B01", &|writer| {
        for segment in ["5", "0", "0"] {
            writer.uri_path(segment).unwrap();
        }
        writer.content_format(ContentFormat::OCTET_STREAM).unwrap();
        writer.block1(block(0, true, 2)).unwrap();
        writer.size1(200).unwrap();
    });
    check("B08", &|writer| {
        writer.etag(&[1]).unwrap();
        writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
        writer.block2(block(0, true, 0)).unwrap();
        writer.size2(40).unwrap();
    });
    check("C18", &|writer| {
        writer.etag(&[0xaa]).unwrap();
        writer.max_age(60).unwrap();
    });
    check("L01", &|writer| {
        writer.uri_path("bs").unwrap();
        let endpoint = "ep=490154203237518;460001234567890;;1.0";
        writer.uri_query(endpoint).unwrap();
    });
    check("L08", &|writer| {
        writer.location_path("rd").unwrap();
        writer.location_path("5a3f").unwrap();
    });
    check("L13", &|writer| {
        writer.uri_path("3").unwrap();
        writer.accept(ContentFormat::LINK_FORMAT).unwrap();
    });
}

#[test]
fn xc_04_the_nibble_table_holds_for_deltas_and_lengths() {
    for row in vectors().extended_nibbles {
        // As the delta of one empty option, unless no option has such a number.
        if let Ok(number) = u16::try_from(row.value) {
            let expected = [&[row.nibble << 4][..], &row.ext.0].concat();
            assert_eq!(options_of(number, &[]), expected, "delta {}", row.value);
            assert_eq!(read_option(&expected), (number, Vec::new()), "delta {}", row.value);
        }
        // As the length of an option numbered 0.
        let value = vec![0x61; row.value as usize];
        let expected = [&[row.nibble][..], &row.ext.0, &value].concat();
        assert_eq!(options_of(0, &value), expected, "length {}", row.value);
        assert_eq!(read_option(&expected), (0, value), "length {}", row.value);
    }
}

#[test]
fn xc_04_the_uint_table_holds() {
    for row in vectors().uint {
        let value = row.hex.0.as_slice();
        let number = OptionNumber::SIZE1;
        assert_eq!(CoapOption { number, value }.as_uint(), Some(row.value));

        let mut buffer = [0; 16];
        let mut writer = MessageWriter::new(&mut buffer, get().header, Token::EMPTY).unwrap();
        writer.uint(number, row.value).unwrap();
        let message = Message::parse(writer.finish()).unwrap();
        assert_eq!(message.option(number), Some(CoapOption { number, value }));
        assert_eq!(message.uint(number), Some(row.value));
    }
}

#[test]
fn xc_04_the_block_table_holds() {
    for row in vectors().block {
        let block = BlockValue::new(row.num, row.more == 1, row.szx).unwrap();
        assert_eq!(BlockValue::from_value(&row.hex.0), Ok(block));
        assert_eq!(block.size(), row.size);
        assert_eq!(block.offset(), row.offset);
        assert_eq!(BlockValue::at_offset(row.offset, row.more == 1, row.szx), Ok(block));
        assert_eq!(block.to_string(), format!("{}/{}/{}", row.num, row.more, row.size));

        let mut buffer = [0; 16];
        let mut writer = MessageWriter::new(&mut buffer, get().header, Token::EMPTY).unwrap();
        writer.block2(block).unwrap();
        let message = Message::parse(writer.finish()).unwrap();
        let option = message.option(OptionNumber::BLOCK2).unwrap();
        assert_eq!(option.value, row.hex.0);
        assert_eq!(message.block2(), Some(Ok(block)));
    }
}

#[test]
fn xc_04_the_freshness_table_holds() {
    for row in vectors().observe_freshness {
        let elapsed = Duration::from_secs_f64(row.t2 - row.t1);
        assert_eq!(
            observe::is_newer(row.v1, row.v2, elapsed),
            row.newer,
            "{} then {} after {elapsed:?}",
            row.v1,
            row.v2
        );
    }
}

// RFC 7252 §5.10.3 gives the format two bytes at most, §5.4.3 has a longer one ignored.
#[test]
fn an_elective_option_of_a_wrong_length_is_as_good_as_absent() {
    let message = |value: &[u8]| {
        let mut parts = get();
        parts.options = vec![(12, value.to_vec())];
        parts.to_vec()
    };
    let datagram = message(&[0, 0x28]);
    let leading_zero = Message::parse(&datagram).unwrap();
    assert_eq!(leading_zero.content_format(), Some(ContentFormat::LINK_FORMAT));
    let datagram = message(&[0, 0, 0x28]);
    let too_long = Message::parse(&datagram).unwrap();
    assert_eq!(too_long.content_format(), None);
    assert_eq!(too_long.uint(OptionNumber::CONTENT_FORMAT), None);
    assert_eq!(too_long.unsupported_option(|_| true), None);
    assert!(too_long.option(OptionNumber::CONTENT_FORMAT).is_some());
}

// RFC 7252 §5.4.5: what comes after the first is as an option that is not known.
#[test]
fn of_an_option_that_does_not_repeat_the_first_counts() {
    let mut parts = get();
    parts.options = vec![(12, vec![40]), (12, vec![42]), (14, vec![1]), (14, vec![2])];
    let datagram = parts.to_vec();
    let message = Message::parse(&datagram).unwrap();
    assert_eq!(message.content_format(), Some(ContentFormat::LINK_FORMAT));
    assert_eq!(message.max_age(), Some(1));
    assert_eq!(message.unsupported_option(|_| true), None);
}

fn get() -> Parts {
    let vectors = vectors().udp_valid;
    let smallest = vectors.iter().find(|vector| vector.id == "C01").unwrap();
    assert_eq!(smallest.parts().header.code, Code::GET);
    smallest.parts()
}

/// The bytes of one option in a message that has nothing else.
fn options_of(number: u16, value: &[u8]) -> Vec<u8> {
    let mut parts = get();
    parts.options = vec![(number, value.to_vec())];
    parts.to_vec().split_off(4)
}

/// The other way round: number and value of the one option that these bytes are.
fn read_option(bytes: &[u8]) -> (u16, Vec<u8>) {
    let datagram = [&get().to_vec()[..], bytes].concat();
    let message = Message::parse(&datagram).unwrap();
    let [option] = message.options().collect::<Vec<_>>()[..] else { panic!("one option") };
    (option.number.0, option.value.to_vec())
}

/// What the compiler can promise: views are as good as values, and errors are errors.
#[test]
fn views_may_be_copied_and_sent_and_shared_and_errors_passed_on() {
    fn view<T: Send + Sync + Unpin + Copy + Eq + core::fmt::Debug>() {}
    fn iterator<T: Iterator + Send + Sync + Unpin + Clone + core::fmt::Debug>() {}
    fn error<T: core::error::Error + Send + Sync + Copy + Eq + 'static>() {}
    view::<Message<'_>>();
    view::<coap_codec::MessageView<'_>>();
    view::<coap_codec::Header>();
    view::<Token>();
    view::<coap_codec::Uri<'_>>();
    view::<coap_codec::link_format::Link<'_>>();
    iterator::<coap_codec::Options<'_>>();
    iterator::<coap_codec::Values<'_>>();
    iterator::<coap_codec::link_format::Links<'_>>();
    error::<coap_codec::ParseError>();
    error::<coap_codec::WriteError>();
    error::<coap_codec::TokenTooLong>();
    error::<coap_codec::BlockError>();
    error::<coap_codec::UriError>();
    error::<coap_codec::UriComposeError>();
    error::<coap_codec::Refusal>();
    error::<coap_codec::link_format::LinkError>();
    error::<coap_codec::tcp::StreamError>();
    error::<coap_codec::tcp::BadSignal>();
}
