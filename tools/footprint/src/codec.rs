//! The codec alone: a message is read, and one is written.

#![no_std]
#![no_main]

mod bare;

use core::hint::black_box;

use coap_codec::{
    BlockValue, Code, ContentFormat, Header, Message, MessageId, MessageType, MessageWriter, OptionNumber, Token,
    WriteError,
};

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut room = [0; 1152];
    loop {
        read(black_box(&room));
        black_box(write(&mut room, black_box("/3/0/9"), black_box(&[1, 2])).is_ok());
    }
}

fn read(datagram: &[u8]) {
    let Ok(message) = Message::parse(datagram) else { return };
    black_box((message.header(), message.token(), message.payload(), message.content_format(), message.observe()));
    black_box((message.block1(), message.block2(), message.accept()));
    message.options().for_each(|option| {
        black_box((option.number, option.value));
    });
    message.uri_path().chain(message.uri_query()).for_each(|value| {
        black_box(value);
    });
}

fn write(room: &mut [u8], path: &str, payload: &[u8]) -> Result<usize, WriteError> {
    let header = Header::new(MessageType::Confirmable, Code::from_byte(black_box(2)), MessageId(black_box(1)));
    let mut writer = MessageWriter::new(room, header, Token::new(payload).unwrap_or_default())?;
    writer.path(path)?;
    writer.observe(black_box(1))?;
    writer.content_format(ContentFormat(black_box(40)))?;
    writer.block2(BlockValue::new(black_box(1), true, 6).map_err(|_| WriteError::ValueTooLong)?)?;
    writer.option(OptionNumber(black_box(60)), payload)?;
    writer.payload(payload)?;
    Ok(writer.finish().len())
}
