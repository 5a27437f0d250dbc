//! Messages made of bytes: every step writes a part, or asks for one that cannot be, in a buffer of
//! any size. A list of parts beside it says what the message must be.

use coap_codec::tcp::Decoder;
use coap_codec::{Code, Header, MessageId, MessageType, MessageView, MessageWriter, OptionNumber, WriteError};

/// What the message should be by now.
struct Parts {
    code: Code,
    token: Vec<u8>,
    options: Vec<(u16, Vec<u8>)>,
    payload: Vec<u8>,
}

impl Parts {
    fn is(&self, header: Header, datagram: &[u8]) {
        let (read, view) = MessageView::parse_with_extended_token(datagram).expect("what is written is a message");
        assert_eq!(read, Header { code: self.code, ..header });
        assert_eq!(view.token(), self.token);
        self.is_body(&view);
    }

    fn is_body(&self, view: &MessageView<'_>) {
        assert!(view.options().map(|option| (option.number.0, option.value.to_vec())).eq(self.options.clone()));
        assert_eq!(view.payload(), self.payload);
    }

    /// Behind those of the same number.
    fn add(&mut self, number: u16, value: Vec<u8>) {
        let place = self.options.partition_point(|(other, _)| *other <= number);
        self.options.insert(place, (number, value));
    }

    fn drop_body(&mut self) {
        self.options.clear();
        self.payload.clear();
    }
}

/// Reads bytes until there are none.
struct Steps<'a>(&'a [u8]);

impl Steps<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// Most are small, some lie beside a border of the encoding.
    fn length(&mut self) -> Option<usize> {
        Some(match self.byte()? {
            byte @ 0..=223 => byte.into(),
            byte @ 224..=239 => usize::from(byte - 224) + 262,
            byte @ 240..=247 => usize::from(byte - 240) + 1030,
            byte => usize::from(byte - 248) + 65800,
        })
    }

    fn number(&mut self) -> Option<u16> {
        Some(match self.byte()? {
            byte @ 0..=191 => byte.into(),
            high => (u16::from_be_bytes([high - 192, self.byte()?]) << 2) | u16::from(high & 3),
        })
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        Some(vec![self.byte()?; self.length()?])
    }
}

/// What parts are written parses to these parts, whatever was refused in between.
pub fn coap_write(data: &[u8]) {
    run(&mut Steps(data));
}

fn run(steps: &mut Steps<'_>) -> Option<()> {
    let first = steps.byte()?;
    let types =
        [MessageType::Confirmable, MessageType::NonConfirmable, MessageType::Acknowledgement, MessageType::Reset];
    let header = Header {
        message_type: types[usize::from(first & 3)],
        code: Code::from_byte(steps.byte()?),
        message_id: MessageId(u16::from(first) << 7),
    };
    let room = steps.length()?;
    let token = if first & 4 == 0 { vec![first; usize::from(first >> 4)] } else { steps.value()? };
    let mut buffer = vec![0xee; room];
    let mut writer = match MessageWriter::with_extended_token(&mut buffer, header, &token) {
        Ok(writer) => writer,
        Err(error) => {
            let expected = match error {
                WriteError::EmptyMessage => header.code.is_empty() && !token.is_empty(),
                WriteError::TokenTooLong => token.len() > 65804,
                WriteError::NoSpace { needed } => needed > room,
                _ => false,
            };
            assert!(expected, "{error}");
            return None;
        }
    };
    let mut parts = Parts { code: header.code, token, options: Vec::new(), payload: Vec::new() };
    while step(steps, &mut writer, &mut parts, room).is_some() {
        parts.is(header, writer.as_bytes());
    }
    let mut frame = match writer.finish_tcp() {
        Ok(frame) => frame,
        Err(error) => {
            assert!(matches!(error, WriteError::NoSpace { needed } if needed > room), "{error}");
            return None;
        }
    };
    let mut memory = vec![0; frame.len()];
    let mut decoder = Decoder::new(&mut memory).with_extended_tokens();
    let message = decoder.decode(&mut frame).expect("a frame").expect("all of it");
    assert_eq!((message.code(), message.token()), (parts.code, &*parts.token));
    parts.is_body(&message);
    Some(())
}

/// One part; `None` when there are no more steps.
fn step(steps: &mut Steps<'_>, writer: &mut MessageWriter<'_>, parts: &mut Parts, room: usize) -> Option<()> {
    let before = writer.as_bytes().to_vec();
    let outcome = match steps.byte()? % 16 {
        0 => {
            let code = Code::from_byte(steps.byte()?);
            writer.restart(code);
            parts.drop_body();
            parts.code = code;
            if code.is_empty() {
                parts.token.clear();
            }
            return Some(());
        }
        1 => {
            let code = Code::from_byte(steps.byte()?);
            writer.set_code(code);
            parts.code = code;
            if code.is_empty() {
                parts.token.clear();
                parts.drop_body();
            }
            return Some(());
        }
        2 => {
            let payload = steps.value()?;
            let outcome = writer.payload(&payload);
            if outcome.is_ok() && !payload.is_empty() {
                parts.payload = payload;
            }
            outcome
        }
        3 => {
            let payload = steps.value()?;
            let outcome = writer.payload_with(|room| {
                if let Some(room) = room.get_mut(..payload.len()) {
                    room.copy_from_slice(&payload);
                }
                Ok::<_, WriteError>(payload.len())
            });
            if outcome.is_ok() && !payload.is_empty() {
                parts.payload = payload;
            }
            outcome
        }
        _ => {
            let (number, value) = (steps.number()?, steps.value()?);
            let outcome = writer.option(OptionNumber(number), &value);
            if outcome.is_ok() {
                parts.add(number, value);
            }
            outcome
        }
    };
    if let Err(error) = outcome {
        assert_eq!(writer.as_bytes(), before, "{error}");
        match error {
            WriteError::NoSpace { needed } => assert!(needed > room),
            WriteError::EmptyMessage => assert!(parts.code.is_empty()),
            WriteError::PayloadWritten => assert!(!parts.payload.is_empty()),
            WriteError::ValueTooLong => {}
            error => panic!("{error}"),
        }
    }
    Some(())
}
