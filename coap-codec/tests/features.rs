//! The optional features: serde and arbitrary.
#![cfg(any(feature = "serde", feature = "arbitrary"))]

#[cfg(feature = "serde")]
mod with_serde {
    use coap_codec::{Code, ContentFormat, Message, MessageId, MessageType, OptionNumber, Token};
    use serde::de::value::{BytesDeserializer, Error, SeqDeserializer, U8Deserializer};
    use serde::de::{Deserialize, Deserializer, Visitor};
    use serde_json::{from_str, json, to_value};

    #[test]
    fn a_message_is_written_as_what_it_holds() {
        let message = Message::parse(b"\x41\x02\x20\x01\xb1\xb2rd\xd1\x0e\x07\xffhi").unwrap();
        let expected = json!({
            "type": "CON",
            "code": "0.02",
            "message_id": 8193,
            "token": "b1",
            "options": [
                { "number": 11, "name": "Uri-Path", "value": "7264" },
                { "number": 38, "name": null, "value": "07" },
            ],
            "payload": "6869",
        });
        assert_eq!(to_value(message).unwrap(), expected);
        let mut view = expected;
        view.as_object_mut().unwrap().retain(|key, _| key != "type" && key != "message_id");
        assert_eq!(to_value(message.view()).unwrap(), view);
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        for byte in 0..=255 {
            let code = Code::from_byte(byte);
            let written = serde_json::to_string(&code).unwrap();
            assert_eq!(written, format!("\"{code}\""));
            assert_eq!(from_str::<Code>(&written).unwrap(), code);
        }
        for length in 0..=8 {
            let token = Token::new(&[0xab; 8][..length]).unwrap();
            assert_eq!(from_str::<Token>(&serde_json::to_string(&token).unwrap()).unwrap(), token);
        }
        for name in ["\"CON\"", "\"NON\"", "\"ACK\"", "\"RST\""] {
            assert_eq!(serde_json::to_string(&from_str::<MessageType>(name).unwrap()).unwrap(), name);
        }
        assert_eq!(from_str::<MessageId>("65535").unwrap(), MessageId(65535));
        assert_eq!(from_str::<OptionNumber>("11").unwrap(), OptionNumber::URI_PATH);
        assert_eq!(from_str::<ContentFormat>("40").unwrap(), ContentFormat::LINK_FORMAT);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["\"8.00\"", "\"2.32\"", "\"2.5\"", "\"205\"", "\"2.+5\"", "\"\"", "69"] {
            assert!(from_str::<Code>(text).is_err(), "{text}");
        }
        for text in ["\"a\"", "\"0g\"", "\"001122334455667788\"", "\"+1\"", "\"é\"", "1"] {
            assert!(from_str::<Token>(text).is_err(), "{text}");
        }
        assert!(from_str::<MessageType>("\"con\"").is_err());
        assert!(from_str::<MessageId>("65536").is_err());
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        for (error, expected) in [
            (from_str::<Code>("\"2.5\"").unwrap_err(), "a code such as 2.05"),
            (from_str::<MessageType>("\"con\"").unwrap_err(), "CON, NON, ACK or RST"),
            (from_str::<Token>("1").unwrap_err(), "up to 8 bytes in hex digits"),
        ] {
            assert!(error.to_string().contains(&format!("expected {expected}")), "{error}");
        }
    }

    /// A format for machines, which hands over this value.
    struct Machine<D>(D);

    impl<'de, D: Deserializer<'de>> Deserializer<'de> for Machine<D> {
        type Error = D::Error;

        fn is_human_readable(&self) -> bool {
            false
        }

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_any(visitor)
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    type Read<T> = Result<T, Error>;

    #[test]
    fn for_machines_values_are_what_the_message_has() {
        let byte = |byte: u8| Machine(U8Deserializer::new(byte));
        assert_eq!(Read::Ok(Code::CONTENT), Code::deserialize(byte(0x45)));
        assert_eq!(Read::Ok(MessageType::Reset), MessageType::deserialize(byte(3)));
        let refused: Read<MessageType> = MessageType::deserialize(byte(4));
        assert_eq!(refused.unwrap_err().to_string(), "invalid value: integer `4`, expected 0 to 3");
        for length in 0..=8 {
            let token = Token::new(&b"12345678"[..length]).unwrap();
            assert_eq!(Read::Ok(token), Token::deserialize(Machine(BytesDeserializer::new(token.as_bytes()))));
            // Some formats have no bytes but lists of numbers.
            let list = token.as_bytes().iter().copied();
            assert_eq!(Read::Ok(token), Token::deserialize(Machine(SeqDeserializer::new(list))));
        }
        let refused: Read<Token> = Token::deserialize(Machine(BytesDeserializer::new(&[0; 9])));
        assert!(refused.is_err());
        let refused: Read<Token> = Token::deserialize(Machine(SeqDeserializer::new([0_u8; 9].into_iter())));
        assert_eq!(refused.unwrap_err().to_string(), "invalid length 8, expected up to 8 bytes");
    }
}

#[cfg(feature = "arbitrary")]
mod with_arbitrary {
    use arbitrary::{Arbitrary, Unstructured};
    use coap_codec::{BlockValue, Code, Header, MessageId, NoResponse, OptionNumber, Token};

    #[test]
    fn any_bytes_make_values() {
        let bytes: Vec<u8> = (0..2000_u32).map(|at| (at * 7 % 251) as u8).collect();
        let mut source = Unstructured::new(&bytes);
        let (mut lengths, mut registered) = ([false; 9], 0);
        while source.len() > 40 {
            lengths[Token::arbitrary(&mut source).unwrap().len()] = true;
            let block = BlockValue::arbitrary(&mut source).unwrap();
            assert!(!block.is_bert());
            let header = Header::arbitrary(&mut source).unwrap();
            assert_eq!(Header::parse(&header.to_bytes()).unwrap().0, header);
            registered += usize::from(OptionNumber::arbitrary(&mut source).unwrap().definition().is_some());
        }
        assert!(lengths.iter().filter(|seen| **seen).count() > 5);
        assert!(registered > 10);
    }

    #[test]
    fn a_number_may_be_any() {
        let source = || Unstructured::new(&[0x5a, 0xa5]);
        assert_eq!(Code::arbitrary(&mut source()).unwrap(), Code::from_byte(0x5a));
        assert_eq!(MessageId::arbitrary(&mut source()).unwrap(), MessageId(0xa55a));
        assert_eq!(NoResponse::arbitrary(&mut source()).unwrap(), NoResponse(0x5a));
    }
}
