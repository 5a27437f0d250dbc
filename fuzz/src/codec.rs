//! What parses is written to the same: messages, frames, links, URIs, endpoint names.

use coap_codec::link_format::{LinkWriter, Links};
use coap_codec::tcp::{Decoder, Signal};
use coap_codec::{
    Code, Consequence, Header, Message, MessageId, MessageType, MessageView, MessageWriter, Scheme, Token, Uri,
};
use endpoint_name::{ClientName, EndpointName, EndpointNameBuf, Leniency, LenientName, classify};

/// What parses as a CoAP message writes back to the same bytes.
pub fn coap_message(data: &[u8]) {
    let Ok(message) = Message::parse(data) else { return };
    let mut buffer = vec![0; data.len()];
    let mut writer = MessageWriter::new(&mut buffer, message.header(), message.token()).expect("room for the head");
    for option in message.options() {
        writer.option(option.number, option.value).expect("room for every option");
    }
    writer.payload(message.payload()).expect("room for the payload");
    assert_eq!(writer.finish(), data);
}

/// Whatever parses is malformed, refused or fine, and everything in it can be read; what the two readers
/// of datagrams both take is the same to both.
pub fn coap_check(data: &[u8]) {
    let message = Message::parse(data);
    let long = MessageView::parse_with_extended_token(data);
    if let Ok(message) = message {
        assert_eq!(long, Ok((message.header(), message.view())));
        let known = |number: coap_codec::OptionNumber| number.name().is_some();
        let refused = |fault: coap_codec::OptionFault<'_>| matches!(fault.consequence, Consequence::Refuse(_));
        let checked = message.check(known);
        if message.option_faults(known).any(refused) || message.unsupported_option(known).is_some() {
            assert!(checked.is_err());
        }
        let _ = (format!("{message:?} {checked:?}"), message.check_to_forward(known));
    }
    let Ok((header, view)) = long else { return };
    let mut buffer = vec![0; data.len() + 2];
    let mut writer = MessageWriter::with_extended_token(&mut buffer, header, view.token()).expect("room for the head");
    for option in view.options() {
        writer.option(option.number, option.value).expect("room for every option");
    }
    writer.payload(view.payload()).expect("room for the payload");
    assert_eq!(writer.as_bytes(), data);
    let frame = writer.finish_tcp().expect("room for the head of a frame");
    let mut memory = vec![0; frame.len()];
    let mut decoder = Decoder::new(&mut memory).with_extended_tokens();
    let mut rest = frame;
    let message = decoder.decode(&mut rest).expect("a frame").expect("all of it");
    assert!(message.code() == view.code() && message.payload() == view.payload());
    assert!(message.code().is_empty() || message.options().eq(view.options()));
}

/// A message of a stream: code, token, options, payload, and what it says as a signal.
type Told = (Code, Vec<u8>, Vec<(u16, Vec<u8>)>, Vec<u8>, Option<String>);

fn told(message: &MessageView<'_>) -> Told {
    let options = message.options().map(|option| (option.number.0, option.value.to_vec())).collect();
    // Signals are few, and to write them out is slow.
    let signal = (message.code().class() == 7).then(|| format!("{:?}", Signal::parse(message)));
    (message.code(), message.token().to_vec(), options, message.payload().to_vec(), signal)
}

/// A stream comes to the same in pieces of any size, the first byte says of which.
pub fn coap_tcp(data: &[u8]) {
    let Some((size, stream)) = data.split_first() else { return };
    let run = |size: usize| {
        let mut memory = [0; 300];
        let mut decoder = Decoder::new(&mut memory);
        let mut messages = Vec::new();
        for piece in stream.chunks(size) {
            let mut rest = piece;
            loop {
                match decoder.decode(&mut rest) {
                    Ok(Some(message)) => messages.push(told(&message)),
                    Ok(None) => break,
                    Err(error) => return (messages, Some(error)),
                }
            }
        }
        (messages, None)
    };
    assert_eq!(run(usize::from(*size) + 1), run(stream.len().max(1)));
}

/// Links that are read can be written, and read again to the same.
pub fn link_format(data: &[u8]) {
    let Ok(mut links) = Links::from_utf8(data) else { return };
    let mut buffer = vec![0; 2 * data.len() + 16];
    let mut writer = LinkWriter::new(&mut buffer);
    let mut read = Vec::new();
    for link in links.by_ref() {
        let Ok(link) = link else { return };
        if writer.link(link.target()).is_err() {
            // A target beyond ASCII is read, but not written.
            return;
        }
        for attribute in link.attributes() {
            let written = match attribute.value {
                None => writer.flag(attribute.name),
                Some(value) if value.is_quoted() => writer.quoted(attribute.name, &value.to_string()),
                Some(value) => writer.token(attribute.name, value.raw()),
            };
            written.expect("what is read can be written");
        }
        read.push(link);
    }
    let again: Vec<_> = Links::from_utf8(writer.finish()).expect("text").map(|link| link.expect("a link")).collect();
    assert_eq!(read.len(), again.len());
    for (one, other) in read.iter().zip(&again) {
        assert!(one.target() == other.target() && one.attributes().eq(other.attributes()));
    }
}

/// The options of a URI make a URI that has the same options.
pub fn uri(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Ok(uri) = Uri::parse(text) else { return };
    let destination = "192.0.2.1:5683".parse().expect("an address");
    let mut room = vec![0; 4 * data.len() + 300];
    let Some(first) = request_for(&uri, destination, &mut room) else { return };
    let mut text = vec![0; 8 * data.len() + 300];
    // A host may be decoded to what no host may have.
    let Ok(composed) = Uri::compose(&mut text, Scheme::Coap, destination, &first.view()) else { return };
    let mut room = vec![0; 4 * data.len() + 300];
    let Some(second) = request_for(&composed, destination, &mut room) else { return };
    assert!(first.uri_path().eq(second.uri_path()) && first.uri_query().eq(second.uri_query()));
}

fn request_for<'b>(uri: &Uri<'_>, destination: core::net::SocketAddr, room: &'b mut [u8]) -> Option<Message<'b>> {
    let header = Header::new(MessageType::NonConfirmable, Code::GET, MessageId(0));
    let mut writer = MessageWriter::new(room, header, Token::EMPTY).expect("room for the head");
    uri.write_options(&mut writer, Some(destination)).ok()?;
    let message = Message::parse(writer.finish()).expect("a message");
    assert!(message.uri_path().all(|segment| segment != b"." && segment != b".."));
    Some(message)
}

/// What parses as an endpoint name prints as it was; what parses leniently prints in its canonical form;
/// and the form of the DM specification is that of the strict names.
pub fn endpoint_name(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let strict = EndpointName::parse(text);
    if let Ok(name) = strict {
        assert_eq!(name.to_string(), text);
        assert_eq!(EndpointNameBuf::from(name).as_name(), name);
    }
    match LenientName::parse(text, Leniency::ALL) {
        Ok(name) => {
            assert_eq!(name.used() == Leniency::STRICT, strict.is_ok());
            assert_eq!(LenientName::parse(text, name.used()), Ok(name));
            assert!(name.lints().all(|lint| lint.position() <= text.len()));
            let canonical = name.to_string();
            let again = LenientName::parse(&canonical, name.used()).expect("a canonical form is a name");
            assert_eq!((again.version(), again.to_string()), (name.version(), canonical));
            if let Ok(converted) = EndpointNameBuf::try_from(name) {
                assert_eq!(converted.as_str(), name.to_string());
            }
        }
        Err(error) => {
            assert!(strict.is_err());
            assert!(text.is_char_boundary(error.position()));
        }
    }
    match classify(text) {
        Ok(ClientName::Dm(name)) => assert_eq!(Ok(name), strict),
        Ok(_) => assert!(strict.is_err()),
        Err(error) => assert!(strict.is_err() && text.is_char_boundary(error.position())),
    }
}
