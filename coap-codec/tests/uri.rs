//! URIs to options and back (RFC 7252 §6.4, §6.5), beside what aiocoap 0.4.17 makes of the same.

use core::net::SocketAddr;

use coap_codec::{
    Code, ComposeError, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Scheme, Token, Uri,
    WriteError,
};
use proptest::prelude::*;

const HERE: &str = "192.0.2.1:5683";

fn to(destination: &str) -> SocketAddr {
    destination.parse().unwrap()
}

/// The options of a request for this URI: number and text.
fn options(uri: &str, destination: &str) -> Result<Vec<(u16, String)>, WriteError> {
    let header = Header { message_type: MessageType::Confirmable, code: Code::GET, message_id: MessageId(1) };
    let mut buffer = [0; 2000];
    let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY)?;
    Uri::parse(uri).unwrap().write_options(&mut writer, to(destination))?;
    let message = Message::parse(writer.finish()).unwrap();
    let text = |number, value: &[u8]| match number {
        OptionNumber::URI_PORT => message.uri_port().unwrap().to_string(),
        _ => String::from_utf8(value.to_vec()).unwrap(),
    };
    Ok(message.options().map(|option| (option.number.0, text(option.number, option.value))).collect())
}

fn uri_of(request: &[(u16, &[u8])], scheme: Scheme, destination: &str) -> Result<String, ComposeError> {
    let mut datagram = [0; 3000];
    let mut writer = MessageWriter::new(&mut datagram, Header::for_stream(Code::GET), Token::EMPTY).unwrap();
    for (number, value) in request {
        writer.option(OptionNumber(*number), value).unwrap();
    }
    let message = Message::parse(writer.finish()).unwrap();
    let mut buffer = [0; 6000];
    Uri::compose(&mut buffer, scheme, to(destination), &message.view()).map(|uri| uri.to_string())
}

/// What aiocoap makes of it.
enum Aiocoap {
    Same,
    /// These options, and why ours are right.
    Differs(&'static [(u16, &'static str)], &'static str),
}
use Aiocoap::{Differs, Same};

#[test]
fn a_uri_becomes_options() {
    const UNRESOLVED: &str = "does not resolve dot segments, which must not be sent (§5.10.1)";
    const ELSEWHERE: &str = "does not know the destination, and keeps the address outside the options";
    type Row<'a> = (&'a str, &'a [(u16, &'a str)], Aiocoap);
    let rows: [Row<'_>; 38] = [
        ("coap://192.0.2.1", &[], Same),
        ("coap://192.0.2.1/", &[], Same),
        ("coap://192.0.2.1/3/0", &[(11, "3"), (11, "0")], Same),
        ("coap://192.0.2.1/a/", &[(11, "a"), (11, "")], Same),
        ("coap://192.0.2.1//", &[(11, ""), (11, "")], Same),
        ("coap://192.0.2.1//a", &[(11, ""), (11, "a")], Same),
        ("coap://192.0.2.1?", &[(15, "")], Differs(&[], "an empty query is one empty argument (§6.4, step 9)")),
        ("coap://192.0.2.1/?", &[(15, "")], Differs(&[], "as above")),
        ("coap://192.0.2.1/?a&b=c", &[(15, "a"), (15, "b=c")], Same),
        ("coap://192.0.2.1/?&", &[(15, ""), (15, "")], Same),
        ("coap://192.0.2.1/a?b?c/d", &[(11, "a"), (15, "b?c/d")], Same),
        ("coap://192.0.2.1/a%2Fb/c%3Fd?e%26f=g%3D", &[(11, "a/b"), (11, "c?d"), (15, "e&f=g=")], Same),
        ("coap://192.0.2.1/%E2%82%AC/%c3%a9", &[(11, "€"), (11, "é")], Same),
        ("coap://192.0.2.1/a+b%20c?d+e", &[(11, "a+b c"), (15, "d+e")], Same),
        ("coap://192.0.2.1/%2541", &[(11, "%41")], Same),
        (
            "coap://192.0.2.1/rd?ep=490154203237518;460001234567890;;1.0",
            &[(11, "rd"), (15, "ep=490154203237518;460001234567890;;1.0")],
            Same,
        ),
        ("coap://192.0.2.1/~u/x:y@z!$'()*,", &[(11, "~u"), (11, "x:y@z!$'()*,")], Same),
        ("coap://192.0.2.1/a/../b", &[(11, "b")], Differs(&[(11, "a"), (11, ".."), (11, "b")], UNRESOLVED)),
        ("coap://192.0.2.1/a/./b", &[(11, "a"), (11, "b")], Differs(&[(11, "a"), (11, "."), (11, "b")], UNRESOLVED)),
        ("coap://192.0.2.1/..", &[], Differs(&[(11, "..")], UNRESOLVED)),
        ("coap://192.0.2.1/a/b/..", &[(11, "a"), (11, "")], Differs(&[(11, "a"), (11, "b"), (11, "..")], UNRESOLVED)),
        ("coap://192.0.2.1/a/%2E%2E/b", &[(11, "b")], Differs(&[(11, "a"), (11, ".."), (11, "b")], UNRESOLVED)),
        ("coap://192.0.2.1/a/.../b", &[(11, "a"), (11, "..."), (11, "b")], Same),
        ("coap://DM.Example/a", &[(3, "dm.example"), (11, "a")], Same),
        ("coap://dm%2Eexample/", &[(3, "dm.example")], Same),
        ("coap://d%C3%BC/", &[(3, "dü")], Same),
        // §6.4, step 5: lower case first, then decoded.
        ("coap://h%41/", &[(3, "hA")], Differs(&[(3, "ha")], "makes it lower case afterwards, too")),
        ("coap://192.0.2.1:5683/", &[], Same),
        ("coap://192.0.2.1:/a", &[(11, "a")], Same),
        ("coap://192.0.2.1:61616/", &[(7, "61616")], Differs(&[], ELSEWHERE)),
        ("coaps://192.0.2.1:5683/", &[], Same),
        ("coaps://192.0.2.1/", &[(7, "5684")], Differs(&[], ELSEWHERE)),
        ("coap://192.0.2.9/", &[(3, "192.0.2.9")], Differs(&[], ELSEWHERE)),
        ("coap://[2001:db8::1]/a", &[(3, "[2001:db8::1]"), (11, "a")], Differs(&[(11, "a")], ELSEWHERE)),
        ("coap://[2001:DB8::1]:1/", &[(3, "[2001:db8::1]"), (7, "1")], Differs(&[], ELSEWHERE)),
        // The same address in IPv6.
        ("coap://[::ffff:192.0.2.1]/", &[], Same),
        ("coap://192.0.2.1.example/", &[(3, "192.0.2.1.example")], Same),
        ("coap://1.2.3.256/", &[(3, "1.2.3.256")], Same),
    ];
    for (uri, expected, aiocoap) in rows {
        let ours = options(uri, HERE).unwrap();
        assert!(
            ours.iter().map(|(number, text)| (*number, text.as_str())).eq(expected.iter().copied()),
            "{uri}: {ours:?}"
        );
        if let Differs(theirs, why) = aiocoap {
            assert_ne!(theirs, expected, "{uri}: {why}");
        }
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
    let mut writer = MessageWriter::new(&mut buffer, Header::for_stream(Code::GET), Token::EMPTY).unwrap();
    let outcome = Uri::parse("coap://192.0.2.1/abcd").unwrap().write_options(&mut writer, to(HERE));
    assert_eq!(outcome, Err(WriteError::NoSpace { needed: 9 }));
}

#[test]
fn options_become_a_uri() {
    // Where aiocoap differs, it writes the default port, and `coap://h/?` without the question mark.
    type Row<'a> = (&'a [(u16, &'a [u8])], &'a str);
    let rows: [Row<'_>; 18] = [
        (&[], "coap://192.0.2.1/"),
        (&[(11, b"3"), (11, b"0")], "coap://192.0.2.1/3/0"),
        (&[(11, b"a"), (11, b"")], "coap://192.0.2.1/a/"),
        (&[(11, b"")], "coap://192.0.2.1/"),
        (&[(11, b""), (11, b"")], "coap://192.0.2.1//"),
        (&[(15, b"")], "coap://192.0.2.1/?"),
        (&[(15, b"a"), (15, b""), (15, b"b=c")], "coap://192.0.2.1/?a&&b=c"),
        (&[(11, b"a/b"), (11, b"c?d"), (11, b"e&f"), (11, b"%41")], "coap://192.0.2.1/a%2Fb/c%3Fd/e&f/%2541"),
        (&[(15, b"g&h"), (15, b"i/j?k"), (15, b"l=m"), (15, b"%")], "coap://192.0.2.1/?g%26h&i/j?k&l=m&%25"),
        (&[(11, "é €".as_bytes())], "coap://192.0.2.1/%C3%A9%20%E2%82%AC"),
        (&[(11, b"~!$'()*+,;=:@-._"), (15, b"!$'()*+,;=:@/?")], "coap://192.0.2.1/~!$'()*+,;=:@-._?!$'()*+,;=:@/?"),
        (
            &[(11, br#""<>\^`{|}[]#"#), (15, br#""<>\^`{|}[]#"#)],
            "coap://192.0.2.1/%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D%23?%22%3C%3E%5C%5E%60%7B%7C%7D%5B%5D%23",
        ),
        (&[(15, b"ep=490154203237518;;;1.0")], "coap://192.0.2.1/?ep=490154203237518;;;1.0"),
        (&[(3, b"dm.example")], "coap://dm.example/"),
        (&[(3, b"dm.example"), (7, &[0xf0, 0xb0]), (11, b"a")], "coap://dm.example:61616/a"),
        (&[(3, "dü".as_bytes())], "coap://d%C3%BC/"),
        (&[(3, b"[2001:db8::1]")], "coap://[2001:db8::1]/"),
        (&[(3, b"a%20b")], "coap://a%20b/"),
    ];
    for (request, uri) in rows {
        assert_eq!(uri_of(request, Scheme::Coap, HERE).as_deref(), Ok(uri));
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
        let error = ComposeError::Option(OptionNumber(number));
        assert_eq!(uri_of(&[(number, value)], Scheme::Coap, HERE), Err(error), "{number} {}", value.escape_ascii());
    }
    assert_eq!(ComposeError::Option(OptionNumber::URI_HOST).to_string(), "Uri-Host has a value that no uri can have");
}

#[test]
fn the_needed_length_is_exact() {
    let message = Message::parse(b"\x40\x01\x00\x01\xb3a b").unwrap();
    let expected = "coap://192.0.2.1/a%20b";
    for size in 0..expected.len() {
        let mut buffer = vec![0; size];
        let composed = Uri::compose(&mut buffer, Scheme::Coap, to(HERE), &message.view());
        assert_eq!(composed, Err(ComposeError::NoSpace { needed: expected.len() }));
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
        let bytes = |(number, text): &(u16, String)| match number {
            7 => (7, text.parse::<u16>().unwrap().to_be_bytes().to_vec()),
            _ => (*number, text.clone().into_bytes()),
        };
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
