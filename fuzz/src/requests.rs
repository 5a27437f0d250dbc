//! Requests of every kind, one after the other: what is refused changes nothing.

use coap_codec::{Code, ContentFormat, MessageWriter, OptionNumber};

use crate::formats::{Answer, Desk};

/// The methods of LwM2M 1.0.
const METHODS: [Code; 4] = [Code::GET, Code::PUT, Code::POST, Code::DELETE];

/// What a request names: the object, an instance, a resource, and what belongs to the client.
fn path(selector: u8) -> &'static [u16] {
    match selector % 12 {
        0 => &[9],
        1 => &[9, 0],
        2 => &[9, 1],
        3 => &[9, 0, 0],
        4 => &[9, 0, 1],
        5 => &[9, 0, 3],
        6 => &[9, 0, 11],
        7 => &[9, 1, 5],
        8 => &[1, 0],
        9 => &[1, 0, 1],
        10 => &[1, 0, 7],
        _ => &[1, 0, 8],
    }
}

/// Each request: method, path, which parts it has, the length of what follows for them, and that: for a
/// query, a payload or both.
pub fn requests(data: &[u8]) {
    let mut desk = Desk::new();
    let mut rest = data;
    for _ in 0..16 {
        let [method, selector, parts, len, after @ ..] = rest else { return };
        let (text, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        let (method, path) = (METHODS[usize::from(method % 4)], path(*selector));
        let before = state(&mut desk);
        let code = desk.send(method, path, &mut |writer| write(*parts, text, writer)).code;
        assert_ne!(code, Code::INTERNAL_SERVER_ERROR, "the device has an answer to everything");
        if !code.is_success() {
            assert_eq!(state(&mut desk), before, "{method} {path:?} is {code} and changes something");
        }
        // Execute, with nothing but arguments: the grammar decides.
        if method == Code::POST && path == [1, 0, 8] && parts & 0b1111 == 2 {
            assert_eq!(code == Code::CHANGED, are_arguments(text), "{text:?} is {code}");
        }
    }
}

/// Query, payload, format and what may be answered.
fn write(parts: u8, text: &[u8], writer: &mut MessageWriter<'_>) {
    if parts & 4 != 0 {
        let format = [0, 42, 11_542, 11_543][usize::from(parts >> 4 & 3)];
        writer.content_format(ContentFormat(format)).expect("room");
    }
    if parts & 1 != 0 {
        for argument in text.split(|byte| *byte == b'&').take(8) {
            writer.option(OptionNumber::URI_QUERY, argument).expect("room");
        }
    }
    if parts & 8 != 0 {
        writer.accept(ContentFormat(if parts & 64 == 0 { 40 } else { 11_542 })).expect("room");
    }
    if parts & 2 != 0 {
        writer.payload(text).expect("room");
    }
}

/// All that a request may change: the values, the server's account, and the attributes that it has set.
fn state(desk: &mut Desk) -> (String, [Answer; 3]) {
    let kept = format!("{:?}", desk.kept);
    let account = desk.send(Code::GET, &[1], &mut |writer| writer.accept(ContentFormat::LWM2M_TLV).expect("room"));
    let attributes = [&[9], &[1]]
        .map(|path| desk.send(Code::GET, path, &mut |writer| writer.accept(ContentFormat::LINK_FORMAT).expect("room")));
    let [nine, one] = attributes;
    (kept, [account, nine, one])
}

/// The grammar of arguments (OMA LwM2M 1.0, 5.4.5) once more, by cutting instead of stepping.
fn are_arguments(text: &[u8]) -> bool {
    let mut rest = text;
    if rest.is_empty() {
        return true;
    }
    loop {
        let [b'0'..=b'9', after @ ..] = rest else { return false };
        rest = after;
        if let [b'=', b'\'', after @ ..] = rest {
            let Some(end) = after.iter().position(|byte| *byte == b'\'') else { return false };
            let (value, after) = after.split_at(end);
            if !value.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
                return false;
            }
            rest = &after[1..];
        }
        match rest {
            [] => return true,
            [b',', after @ ..] => rest = after,
            _ => return false,
        }
    }
}
