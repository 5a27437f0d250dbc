//! Messages at the edges of the format, one for each way to be wrong and for each that looks wrong
//! and is not.

/// Hands all of them to a macro: a name, the datagram in parts, and either why it must be refused or
/// the number and length of each option that must be read.
macro_rules! edge_cases {
    ($each:ident) => {
        $each! {
            no_bytes: [[]] => Err(ParseErrorKind::TooShort);
            three_bytes: [[0x40, 1, 0]] => Err(ParseErrorKind::TooShort);
            version_0: [[0x00, 1, 0, 1]] => Err(ParseErrorKind::Version);
            version_2: [[0x80, 1, 0, 1]] => Err(ParseErrorKind::Version);
            version_3: [[0xc0, 1, 0, 1]] => Err(ParseErrorKind::Version);
            token_length_9: [[0x49, 1, 0, 1], [1; 9]] => Err(ParseErrorKind::TokenLength);
            token_length_13_as_rfc_8974_has_it: [[0x4d, 1, 0, 1, 1], [1; 14]]
                => Err(ParseErrorKind::TokenLength);
            token_length_14_as_rfc_8974_has_it: [[0x4e, 1, 0, 1, 0, 1], [1; 270]]
                => Err(ParseErrorKind::TokenLength);
            token_length_15: [[0x4f, 1, 0, 1], [1; 15]] => Err(ParseErrorKind::TokenLength);
            token_of_8_with_2_bytes: [[0x48, 1, 0, 1], [1; 2]] => Err(ParseErrorKind::TokenTruncated);
            token_and_no_byte_of_it: [[0x41, 1, 0, 1]] => Err(ParseErrorKind::TokenTruncated);
            empty_with_a_token: [[0x41, 0, 0, 1, 9]] => Err(ParseErrorKind::EmptyWithContent);
            empty_with_a_token_that_is_not_there: [[0x41, 0, 0, 1]]
                => Err(ParseErrorKind::EmptyWithContent);
            empty_with_an_option: [[0x40, 0, 0, 1, 0xb1, b'a']] => Err(ParseErrorKind::EmptyWithContent);
            empty_with_a_payload: [[0x40, 0, 0, 1, 0xff, b'a']] => Err(ParseErrorKind::EmptyWithContent);
            empty_with_a_stray_byte: [[0x40, 0, 0, 1, 0]] => Err(ParseErrorKind::EmptyWithContent);
            delta_13_without_its_byte: [[0x40, 1, 0, 1], [0xd0]] => Err(ParseErrorKind::ExtensionTruncated);
            delta_14_with_one_byte: [[0x40, 1, 0, 1], [0xe0, 0]] => Err(ParseErrorKind::ExtensionTruncated);
            length_13_without_its_byte: [[0x40, 1, 0, 1], [0x0d]] => Err(ParseErrorKind::ExtensionTruncated);
            length_14_with_one_byte: [[0x40, 1, 0, 1], [0x0e, 0]] => Err(ParseErrorKind::ExtensionTruncated);
            value_shorter_than_its_length: [[0x40, 1, 0, 1], [0xb5], *b"tes"] => Err(ParseErrorKind::ValueTruncated);
            length_65804_with_one_byte: [[0x40, 1, 0, 1], [0xbe, 0xff, 0xff, 1]]
                => Err(ParseErrorKind::ValueTruncated);
            delta_15: [[0x40, 1, 0, 1], [0xf1, 0, 0, 0]] => Err(ParseErrorKind::ReservedNibble);
            length_15: [[0x40, 1, 0, 1], [0x1f], [0; 20]] => Err(ParseErrorKind::ReservedNibble);
            marker_alone: [[0x40, 1, 0, 1], [0xff]] => Err(ParseErrorKind::EmptyPayload);
            marker_alone_after_an_option: [[0x40, 1, 0, 1], [0xb1, b'a', 0xff]] => Err(ParseErrorKind::EmptyPayload);
            number_65804_at_once: [[0x40, 1, 0, 1], [0xe0, 0xff, 0xff]] => Err(ParseErrorKind::OptionNumber);
            number_65535_plus_1: [[0x40, 1, 0, 1], [0xe0, 0xfe, 0xf2, 0x10]] => Err(ParseErrorKind::OptionNumber);
            number_above_before_a_payload: [[0x40, 1, 0, 1], [0xe0, 0xff, 0xff, 0xff, 1]]
                => Err(ParseErrorKind::OptionNumber);

            number_65535: [[0x40, 1, 0, 1], [0xe0, 0xfe, 0xf2]] => Ok(&[(65535, 0)]);
            number_0: [[0x40, 1, 0, 1], [0x00]] => Ok(&[(0, 0)]);
            proxy_uri_of_260_bytes: [[0x40, 1, 0, 1], [0xdd, 22, 247], [b'u'; 260]] => Ok(&[(35, 260)]);
            proxy_uri_of_269_bytes: [[0x40, 1, 0, 1], [0xde, 22, 0, 0], [b'u'; 269]] => Ok(&[(35, 269)]);
            proxy_uri_of_1034_bytes: [[0x40, 1, 0, 1], [0xde, 22, 0x02, 0xfd], [b'u'; 1034]] => Ok(&[(35, 1034)]);
            delta_300_and_length_20: [[0x40, 1, 0, 1], [0xed, 0, 31, 7], [0; 20]] => Ok(&[(300, 20)]);
            content_format_twice: [[0x40, 1, 0, 1], [0xc0, 0x01, 40]] => Ok(&[(12, 0), (12, 1)]);
            accept_twice: [[0x40, 1, 0, 1], [0xd1, 4, 0, 0x01, 40]] => Ok(&[(17, 1), (17, 1)]);
            unknown_critical_13: [[0x40, 1, 0, 1], [0xd0, 0]] => Ok(&[(13, 0)]);
            unknown_elective_2: [[0x40, 1, 0, 1], [0x20]] => Ok(&[(2, 0)]);
            content_format_with_a_leading_zero: [[0x40, 1, 0, 1], [0xc2, 0, 40]] => Ok(&[(12, 2)]);
            content_format_of_3_bytes: [[0x40, 1, 0, 1], [0xc3, 0, 0, 40]] => Ok(&[(12, 3)]);
            uri_path_of_no_bytes: [[0x40, 1, 0, 1], [0xb0]] => Ok(&[(11, 0)]);
            uri_path_that_is_not_utf_8: [[0x40, 1, 0, 1], [0xb2, 0xc3, 0x28]] => Ok(&[(11, 2)]);
            forty_uri_paths: [[0x40, 1, 0, 1], [0xb1, b'a'], [1, b'b'].repeat(39)] => Ok(&[(11, 1); 40]);
            unknown_method_0_31: [[0x40, 0x1f, 0, 1]] => Ok(&[]);
            unknown_response_4_30: [[0x60, 0x9e, 0, 1]] => Ok(&[]);
            code_class_1: [[0x40, 0x20, 0, 1]] => Ok(&[]);
            empty_non: [[0x50, 0, 0, 1]] => Ok(&[]);
            reset_with_a_code_and_a_payload: [[0x70, 0x45, 0, 1, 0xff, b'x']] => Ok(&[]);
        }
    };
}
