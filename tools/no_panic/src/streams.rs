//! Messages over TCP: frames, streams and signals.

use core::hint::black_box;

use coap_codec::tcp::{self, Capabilities, Csm, Decoder, Limits, Signal};
use coap_codec::{Header, MessageWriter, WriteError};

#[inline(never)]
pub(crate) fn read(stream: &[u8], memory: &mut [u8]) {
    if let Ok(frame) = tcp::parse(stream, Limits::new(black_box(1_152)).with_extended_tokens()) {
        black_box(frame);
    }
    let mut decoder = Decoder::new(memory).with_extended_tokens();
    let mut rest = stream;
    while let Ok(Some(message)) = decoder.decode(&mut rest) {
        black_box((message.code(), message.token(), message.payload()));
        message.options().for_each(|option| {
            black_box((option.number, option.value));
        });
        match Signal::parse(&message) {
            Ok(Signal::Csm(csm)) => {
                let mut all = Capabilities::default();
                all.update(black_box(csm));
                black_box(all.allows_bert());
            }
            Ok(Signal::Release(release)) => release.alternative_addresses().for_each(|address| {
                black_box(address);
            }),
            Ok(other) => {
                black_box(other);
            }
            Err(error) => {
                black_box((error.code(), error.option()));
            }
        }
    }
    black_box(decoder.pending());
}

#[inline(never)]
pub(crate) fn write<'b>(buffer: &'b mut [u8], value: &[u8]) -> Result<&'b [u8], WriteError> {
    black_box(tcp::write_csm(buffer, Csm::default())?);
    black_box(tcp::write_ping(buffer, value, black_box(true))?);
    black_box(tcp::write_pong(buffer, value, black_box(true))?);
    let header = Header { code: black_box(coap_codec::Code::GET), ..HEADER };
    let mut writer = MessageWriter::with_extended_token(buffer, header, value)?;
    writer.payload(value)?;
    writer.finish_tcp()
}

const HEADER: Header = Header {
    message_type: coap_codec::MessageType::Confirmable,
    code: coap_codec::Code::GET,
    message_id: coap_codec::MessageId(1),
};
