//! URIs to options and back (RFC 7252 §6.4, §6.5), beside what aiocoap makes of the same.

use core::net::SocketAddr;

use coap_codec::{
    Code, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Scheme, Token, Uri, UriComposeError,
    WriteError,
};
use proptest::prelude::*;
use serde::Deserialize;

const HERE: &str = "192.0.2.1:5683";

fn to(destination: &str) -> SocketAddr {
    destination.parse().unwrap()
}

/// The options of a request for this URI: number and text.
fn options(uri: &str, destination: &str) -> Result<Vec<(u16, String)>, WriteError> {
    let header = Header { message_type: MessageType::Confirmable, code: Code::GET, message_id: MessageId(1) };
    let mut buffer = [0; 2000];
    let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
    Uri::parse(uri).unwrap().write_options(&mut writer, Some(to(destination)))?;
    let message = Message::parse(writer.finish()).unwrap();
    let text = |number, value: &[u8]| match number {
        OptionNumber::URI_PORT => message.uri_port().unwrap().to_string(),
        _ => String::from_utf8(value.to_vec()).unwrap(),
    };
    Ok(message.options().map(|option| (option.number.0, text(option.number, option.value))).collect())
}

/// The value that the text of an option stands for.
fn bytes((number, text): &(u16, String)) -> (u16, Vec<u8>) {
    match number {
        7 => (7, text.parse::<u16>().unwrap().to_be_bytes().to_vec()),
        _ => (*number, text.clone().into_bytes()),
    }
}

// RFC 7252 §6.4, steps 5 to 7.
#[test]
fn an_address_that_others_resolve_is_that_of_the_uri() {
    let written = |uri: &str| {
        let mut buffer = [0; 64];
        let header = Header::new(MessageType::Confirmable, Code::GET, MessageId(1));
        let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
        Uri::parse(uri).unwrap().write_options(&mut writer, None).unwrap();
        writer.finish()[4..].to_vec()
    };
    assert_eq!(written("coap://A.example:61616/rd"), b"\x39a.example\x82rd");
    assert_eq!(written("coaps://192.0.2.1:61616/rd?x"), b"\xb2rd\x41x");
    assert_eq!(written("coap://[2001:db8::1]"), b"");
}

fn uri_of(request: &[(u16, &[u8])], scheme: Scheme, destination: &str) -> Result<String, UriComposeError> {
    let mut datagram = [0; 3000];
    let mut writer = MessageWriter::new(
        &mut datagram,
        Header::new(MessageType::NonConfirmable, Code::GET, MessageId(0)),
        Token::EMPTY,
    )
    .unwrap();
    for (number, value) in request {
        writer.option(OptionNumber(*number), value).unwrap();
    }
    let message = Message::parse(writer.finish()).unwrap();
    let mut buffer = [0; 6000];
    Uri::compose(&mut buffer, scheme, to(destination), &message.view()).map(|uri| uri.to_string())
}

/// The rows of `data/uris.json`; `tools/uris.py` holds what they say of aiocoap to aiocoap itself.
#[derive(Deserialize)]
struct Rows {
    parsed: Vec<Row>,
    composed: Vec<Row>,
    sampled: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    uri: String,
    options: Vec<(u16, String)>,
    /// Why we differ from aiocoap; without it we do not.
    why: Option<String>,
    aiocoap: Option<serde_json::Value>,
}

fn rows() -> Rows {
    serde_json::from_str(include_str!("data/uris.json")).unwrap()
}

#[test]
fn a_uri_becomes_options() {
    let Rows { parsed, sampled, .. } = rows();
    assert_eq!((parsed.len(), sampled.len()), (38, 200));
    for Row { uri, options: expected, why, aiocoap } in parsed.into_iter().chain(sampled) {
        assert_eq!(options(&uri, HERE).as_ref(), Ok(&expected), "{uri}");
        assert_eq!(why.is_some(), aiocoap.is_some_and(|theirs| theirs != serde_json::json!(expected)), "{uri}");
    }
}

#[test]
fn the_destination_is_left_out_however_it_is_written() {
    for (uri, destination) in [
        ("coap://[2001:db8::1]", "[2001:db8::1]:5683"),
        ("coap://[2001:DB8:0:0:0::1]:61616", "[2001:db8::1]:61616"),
        ("coaps://192.0.2.1", "192.0.2.1:5684"),
        ("coap://192.0.2.1", "[::ffff:192.0.2.1]:5683"),
    ] {
        assert_eq!(options(uri, destination), Ok(vec![]), "{uri}");
    }
    // A name is always sent: the server may have several.
    assert_eq!(options("coap://dm.example", HERE), Ok(vec![(3, "dm.example".into())]));
}

#[test]
fn what_no_option_can_hold_is_refused() {
    let long = |length| format!("coap://192.0.2.1/{}", "x".repeat(length));
    assert!(options(&long(255), HERE).is_ok());
    assert_eq!(options(&long(256), HERE), Err(WriteError::ValueTooLong));
    // Encoded it may be three times as long.
    let encoded = format!("coap://192.0.2.1/?{}", "%61".repeat(255));
    assert_eq!(options(&encoded, HERE), Ok(vec![(15, "a".repeat(255))]));
    assert_eq!(options(&format!("coap://{}", "x".repeat(256)), HERE), Err(WriteError::ValueTooLong));
    for uri in ["coap://192.0.2.1/%FF", "coap://192.0.2.1/?%C3", "coap://%80"] {
        assert_eq!(options(uri, HERE), Err(WriteError::InvalidValue), "{uri}");
    }
    let mut buffer = [0; 8];
    let mut writer = MessageWriter::new(
        &mut buffer,
        Header::new(MessageType::NonConfirmable, Code::GET, MessageId(0)),
        Token::EMPTY,
    )
    .unwrap();
    let outcome = Uri::parse("coap://192.0.2.1/abcd").unwrap().write_options(&mut writer, Some(to(HERE)));
    assert_eq!(outcome, Err(WriteError::NoSpace { needed: 9 }));
}

#[test]
fn options_become_a_uri() {
    let Rows { composed, .. } = rows();
    assert_eq!(composed.len(), 18);
    for Row { uri, options, why, aiocoap } in composed {
        let bytes: Vec<_> = options.iter().map(bytes).collect();
        let request: Vec<_> = bytes.iter().map(|(number, value)| (*number, value.as_slice())).collect();
        assert_eq!(uri_of(&request, Scheme::Coap, HERE).as_ref(), Ok(&uri));
        assert_eq!(why.is_some(), aiocoap.is_some_and(|theirs| theirs != serde_json::json!(uri)), "{uri}");
    }
    assert_eq!(uri_of(&[], Scheme::Coap, "[2001:db8::1]:61616").unwrap(), "coap://[2001:db8::1]:61616/");
    assert_eq!(uri_of(&[], Scheme::Coaps, "192.0.2.1:5684").unwrap(), "coaps://192.0.2.1/");
    assert_eq!(uri_of(&[], Scheme::Coaps, HERE).unwrap(), "coaps://192.0.2.1:5683/");
}

#[test]
fn an_option_that_no_uri_can_have_is_named() {
    for (number, value) in [
        (3, &b"a b"[..]),
        (3, b"a/b"),
        (3, b"me@h"),
        (3, b"h:1"),
        (3, b"h?"),
        (3, b"h#"),
        (3, b"[h]"),
        (3, b"[::1"),
        (3, b"::1]"),
        (3, b"h%4"),
        (3, b"\xff"),
        (3, b""),
        (3, b"[::1]x]"),
        (7, b"\x00"),
        (7, b"\x01\x00\x00"),
        (11, b"."),
        (11, b".."),
        (11, b"\xff"),
        (15, b"\xc3"),
    ] {
        let error = UriComposeError::Option(OptionNumber(number));
        assert_eq!(uri_of(&[(number, value)], Scheme::Coap, HERE), Err(error), "{number} {}", value.escape_ascii());
    }
    assert_eq!(
        UriComposeError::Option(OptionNumber::URI_HOST).to_string(),
        "Uri-Host has a value that no uri can have"
    );
}

#[test]
fn the_needed_length_is_exact() {
    let message = Message::parse(b"\x40\x01\x00\x01\xb3a b").unwrap();
    let expected = "coap://192.0.2.1/a%20b";
    for size in 0..expected.len() {
        let mut buffer = vec![0; size];
        let composed = Uri::compose(&mut buffer, Scheme::Coap, to(HERE), &message.view());
        assert_eq!(composed, Err(UriComposeError::NoSpace { needed: expected.len() }));
    }
    let mut buffer = vec![0; expected.len()];
    let composed = Uri::compose(&mut buffer, Scheme::Coap, to(HERE), &message.view()).unwrap();
    assert_eq!(composed.as_str(), expected);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z/?&%.#=;]{0,6}", "\\PC{0,20}", Just("...".to_string())]
        .prop_filter("must not be sent", |text| text != "." && text != "..")
}

proptest! {
    /// Whatever the options hold, their URI gives them back.
    #[test]
    fn options_survive_the_uri(
        host in proptest::option::of("[a-z][a-z0-9.-]{0,20}"),
        port in proptest::option::of(1_u16..),
        path in proptest::collection::vec(any_text(), 0..5),
        query in proptest::collection::vec(any_text(), 0..4),
    ) {
        let port = port.filter(|port| *port != 5683);
        let path = if path == [""] { vec![] } else { path };
        let mut expected: Vec<(u16, String)> = Vec::new();
        expected.extend(host.map(|host| (3, host)));
        expected.extend(port.map(|port| (7, port.to_string())));
        expected.extend(path.into_iter().map(|segment| (11, segment)));
        expected.extend(query.into_iter().map(|argument| (15, argument)));
        let owned: Vec<_> = expected.iter().map(bytes).collect();
        let request: Vec<_> = owned.iter().map(|(number, value)| (*number, value.as_slice())).collect();
        let uri = uri_of(&request, Scheme::Coap, HERE).unwrap();
        prop_assert_eq!(options(&uri, HERE).unwrap(), expected, "{}", uri);
    }

    #[test]
    fn no_uri_makes_it_panic(path in "([a/.?&]|%2[eE]|%25){0,30}") {
        let text = format!("coap://h/{path}");
        prop_assert!(Uri::parse(&text).is_ok());
        let options = options(&text, HERE).unwrap_or_default();
        prop_assert!(options.iter().all(|(number, text)| *number != 11 || (text != "." && text != "..")));
    }
}
