//! The optional features: serde and arbitrary.
#![cfg(any(feature = "serde", feature = "arbitrary"))]

#[cfg(feature = "serde")]
mod with_serde {
    use coap_codec::{Code, ContentFormat, Message, MessageId, MessageType, OptionNumber, Token};
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
}

#[cfg(feature = "arbitrary")]
mod with_arbitrary {
    use arbitrary::{Arbitrary, Unstructured};
    use coap_codec::{BlockValue, Header, OptionNumber, Token};

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
}
