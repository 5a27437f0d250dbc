//! Messages: read and written.

use core::hint::black_box;

use coap_codec::{
    BlockValue, Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token,
    WriteError,
};

#[inline(never)]
pub(crate) fn read(datagram: &[u8]) {
    let message = match Message::parse(datagram) {
        Ok(message) => message,
        Err(error) => {
            black_box((error.kind(), error.position(), error.reset(), error.header()));
            return;
        }
    };
    black_box((message.kind(), message.header(), message.token().as_bytes(), message.payload()));
    for option in message.options() {
        black_box((option.number, option.value, option.as_uint(), option.has_valid_length()));
    }
    message.uri_path().chain(message.uri_query()).for_each(|value| {
        black_box(value);
    });
    black_box((message.content_format(), message.accept(), message.observe(), message.etag()));
    black_box((message.block1(), message.block2(), message.uint(black_box(OptionNumber::SIZE1))));
    black_box(message.unsupported_option(|number| black_box(number) == OptionNumber::URI_PATH));
    black_box(
        message.check(|number| black_box(number) == OptionNumber::URI_PATH).err().map(|refusal| refusal.reaction()),
    );
    black_box((message.path_is(black_box("/3/0")), message.diagnostic(), message.preconditions_hold(black_box(None))));
    if let Some(Ok(block)) = message.block2() {
        black_box((block.range(black_box(1)), block.next(), block.with_more(black_box(true))));
    }
}

#[inline(never)]
pub(crate) fn write<'b>(buffer: &'b mut [u8], value: &[u8]) -> Result<&'b [u8], WriteError> {
    let header = Header {
        message_type: black_box(MessageType::Confirmable),
        code: Code::from_byte(black_box(1)),
        message_id: MessageId(black_box(1)),
    };
    let text = core::str::from_utf8(value).unwrap_or_default();
    let mut message = MessageWriter::new(buffer, header, Token::new(value).unwrap_or_default())?;
    message.uri_path(text)?;
    message.path(text)?;
    message.content_format(ContentFormat(black_box(40)))?;
    message.uri_query(text)?;
    message.block1(BlockValue::from_value(value).map_err(|_| WriteError::ValueTooLong)?)?;
    while black_box(true) {
        message.option(OptionNumber(black_box(1)), value)?;
    }
    if black_box(true) {
        message.payload(value)?;
    } else {
        message.payload_with(|room| {
            black_box(room);
            Ok::<_, WriteError>(black_box(1))
        })?;
    }
    Ok(message.finish())
}
