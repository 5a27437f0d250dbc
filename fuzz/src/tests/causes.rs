//! What broke other implementations of CoAP and LwM2M: each cause is a test with its name, and an input
//! under that name among the seeds of the target that it is for.
//!
//! Left out, since nothing here has a counterpart: OSCORE (CVE-2023-35862, CVE-2024-0962), name resolution
//! (CVE-2025-34468) and DTLS (CVE-2022-2576, CVE-2022-39368, CVE-2020-27222, CVE-2021-34433, CVE-2025-65499),
//! which are the runtime's, and XML read from a server (CVE-2023-41034), which nobody reads here.

use coap_codec::{Code, Message};
use lwm2m_core::{Client, Config, ConfigError, Credentials, Instant, Key};

use super::folder;

/// What must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comes {
    /// It is no message.
    Refused,
    /// It is a message.
    Read,
}

fn coap_check(input: &[u8]) -> Comes {
    super::super::coap_check(input);
    super::super::coap_message(input);
    if Message::parse(input).is_ok() { Comes::Read } else { Comes::Refused }
}

fn formats(input: &[u8]) -> Code {
    super::super::formats(input).expect("a request")
}

fn other(body: fn(&[u8])) -> impl Fn(&[u8]) {
    body
}

/// The input of a cause is a seed of its target. With `WRITE_SEEDS` it is written.
pub(super) fn is_seed(target: &str, name: &str, input: &[u8]) {
    let path = folder(target).join(name.replace('_', "-"));
    if std::env::var_os("WRITE_SEEDS").is_some() {
        std::fs::create_dir_all(folder(target)).expect("a folder");
        std::fs::write(&path, input).expect("a file");
    }
    assert_eq!(
        std::fs::read(&path).ok().as_deref(),
        Some(input),
        "{} is not what WRITE_SEEDS=1 writes",
        path.display()
    );
}

macro_rules! causes {
    ($($(#[doc = $why:literal])+ $name:ident: $target:ident, $body:expr, [$($part:expr),*] => $comes:expr;)*) => {$(
        $(#[doc = $why])+
        #[test]
        fn $name() {
            let parts: &[&[u8]] = &[$(&$part),*];
            let input = parts.concat();
            is_seed(stringify!($target), stringify!($name), &input);
            assert_eq!($body(&input), $comes);
        }
    )*};
}

const HEAD: [u8; 4] = [0x40, 1, 0, 1];

causes! {
    /// CVE-2019-9004, Wakaama: the way out of a message that cannot be read leaked.
    cve_2019_9004_last_option_cut_short: coap_check, coap_check,
        [[0x44, 0x02, 0xe6, 0xe2, 0xe2, 0xe6, 0x81, 0x67, 0xb2, 0x72, 0x64, 0x11]] => Comes::Refused;
    /// CVE-2021-41040, Wakaama: lengths of token and options were not held against the datagram.
    cve_2021_41040_token_longer_than_the_datagram: coap_check, coap_check, [[0x48, 1, 0, 1], [7; 3]] => Comes::Refused;
    /// The same for an option.
    cve_2021_41040_option_longer_than_the_datagram: coap_check, coap_check, [HEAD, [0xbc], *b"rd"] => Comes::Refused;
    /// Wakaama #275, TizenRT #803: a datagram shorter than a header.
    wakaama_275_three_bytes: coap_check, coap_check, [[0x40, 1, 0]] => Comes::Refused;
    /// The same: repeated options were merged in place, past their end.
    wakaama_275_options_to_be_merged: coap_check, coap_check, [HEAD, [0xb1, b'a'], [0x01, b'b'].repeat(60)] => Comes::Read;
    /// TizenRT #1918: a number of an option was an index without a bound.
    tizenrt_1918_option_65535: coap_check, coap_check, [HEAD, [0xe0, 0xfe, 0xf2]] => Comes::Read;
    /// Wakaama #467: the longest of lengths was read otherwise in an optimised build.
    wakaama_467_length_of_65804: coap_check, coap_check, [HEAD, [0xbe, 0xff, 0xff, 1, 2, 3]] => Comes::Refused;
    /// CVE-2020-10063, Zephyr: the sum of deltas overflowed.
    cve_2020_10063_deltas_above_65535: coap_check, coap_check, [HEAD, [0xe0, 0xfe, 0xf2, 0x10]] => Comes::Refused;
    /// CVE-2020-12883, Mbed: bytes of an extension behind the end.
    cve_2020_12883_delta_without_its_bytes: coap_check, coap_check, [HEAD, [0xe0, 0]] => Comes::Refused;
    /// The same of a length.
    cve_2020_12883_length_without_its_bytes: coap_check, coap_check, [HEAD, [0xbe, 0]] => Comes::Refused;
    /// CVE-2020-12884 and -12885, Mbed: repeated options were read too far, and without an end.
    cve_2020_12885_options_of_no_bytes: coap_check, coap_check, [HEAD, [0xd0, 2], [0].repeat(200)] => Comes::Read;
    /// CVE-2020-12886, Mbed: the length of the token was not held against the datagram.
    cve_2020_12886_token_and_nothing_else: coap_check, coap_check, [[0x44, 1, 0, 1]] => Comes::Refused;
    /// CVE-2020-12887, Mbed: the number of an option wrapped, and was one that had been before.
    cve_2020_12887_number_that_wraps: coap_check, coap_check,
        [HEAD, [0xb1, b'a'], [0xe0, 0xfe, 0xe8], [0xc1, b'a']] => Comes::Refused;
    /// CVE-2019-17212, Mbed: the walk over options went past the end.
    cve_2019_17212_option_without_value: coap_check, coap_check, [HEAD, [0xb3]] => Comes::Refused;
    /// GHSA-p9hp-2jxm-6rqp, RIOT: the length of a long token was read before it was there.
    ghsa_p9hp_2jxm_6rqp_no_byte_of_the_token_length: coap_check, coap_check, [[0x4d, 1, 0, 1]] => Comes::Refused;
    /// The same with one of two bytes.
    ghsa_p9hp_2jxm_6rqp_one_byte_of_the_token_length: coap_check, coap_check, [[0x4e, 1, 0, 1, 0]] => Comes::Refused;
    /// CVE-2026-27703, RIOT: a long token was written into a short answer.
    cve_2026_27703_token_of_300_bytes: coap_check, coap_check, [[0x4e, 1, 0, 1, 0, 31], [5].repeat(300)] => Comes::Refused;
    /// CVE-2024-32017, RIOT: what was to be forwarded was copied into buffers that were too short.
    cve_2024_32017_proxy_uri_of_1034_bytes: coap_check, coap_check,
        [HEAD, [0xde, 22, 0x02, 0xfd], [b'u'].repeat(1_034)] => Comes::Read;
    /// CVE-2024-31030, FreeCoAP: a message without what was looked for in it.
    cve_2024_31030_empty_with_a_payload: coap_check, coap_check, [[0x40, 0, 0, 1, 0xff, b'x']] => Comes::Refused;
    /// The same over TCP: a frame of nothing, and one whose token is missing.
    ghsa_p9hp_2jxm_6rqp_frame_without_its_token: coap_tcp, other(super::super::coap_tcp), [[0, 0x08, 1, 0x00, 0x01, 0x0d, 0xe1]] => ();
    /// CVE-2019-17211, Mbed: lengths of what was to be written added up to less than they were.
    cve_2019_17211_more_than_65535_bytes: coap_write, other(super::super::coap_write),
        [[0x40, 1, 255, 4, 12, 1, 248, 4, 11, 2, 248, 2, 3, 240]] => ();
    /// microcoap #48: the bound of a buffer was looked at before what was written, not for it.
    microcoap_48_option_that_does_not_fit: coap_write, other(super::super::coap_write),
        [[0x40, 1, 20, 4, 11, 1, 15, 4, 11, 1, 14, 4, 12, 1, 1, 2, 1, 200]] => ();
    /// CVE-2024-31031, libcoap: what was written and taken back added up to more than there was.
    cve_2024_31031_begun_anew_and_again: coap_write, other(super::super::coap_write),
        [[0x40, 1, 60, 4, 11, 1, 40, 0, 0x45, 4, 11, 1, 40, 2, 1, 30, 0, 0, 1, 1]] => ();

    /// Zephyr #112021: an element that is longer than the payload made a negative length.
    zephyr_112021_element_longer_than_the_payload: formats, formats, [[1, 2], [0xc8, 0, 200, 1]] => Code::BAD_REQUEST;
    /// The same with the longest of lengths.
    zephyr_112021_element_of_16_mebibytes: formats, formats, [[1, 2], [0xd8, 0, 0xff, 0xff, 0xff, 1]] => Code::BAD_REQUEST;
    /// Zephyr #12312: an id that needs two bytes and has one.
    zephyr_12312_id_cut_short: formats, formats, [[1, 2], [0xe1, 0]] => Code::BAD_REQUEST;
    /// Contiki-NG #3165: an element of no bytes was read for ever.
    contiki_3165_instance_of_no_bytes: formats, formats, [[0, 2], [0x00, 1, 0x00, 1, 0x00, 1]] => Code::BAD_REQUEST;
    /// The same inside a multiple resource.
    contiki_3165_multiple_resource_of_no_bytes: formats, formats, [[1, 2], [0x80, 11]] => Code::CHANGED;
    /// Contiki-NG #3166: an Integer of no bytes.
    contiki_3166_integer_of_no_bytes: formats, formats, [[1, 2], [0xc0, 1]] => Code::BAD_REQUEST;
    /// A Float of three.
    contiki_3166_float_of_three_bytes: formats, formats, [[1, 2], [0xc3, 3, 1, 2, 3]] => Code::BAD_REQUEST;
    /// JSON without a name.
    contiki_3166_entry_without_a_name: formats, formats, [[1, 3], *br#"{"e":[{"v":1}]}"#] => Code::BAD_REQUEST;
    /// A payload of more than 255 bytes.
    contiki_3166_text_of_300_bytes: formats, formats, [[1, 2], [0xd0, 0, 1, 44], [b'x'].repeat(300)] => Code::CHANGED;
    /// Zephyr #113443: a text without its end.
    zephyr_113443_text_without_its_end: formats, formats, [[1, 3], *br#"{"e":[{"n":"0","sv":"abc"#] => Code::BAD_REQUEST;
    /// CVE-2018-12680, CoAPthon: a payload that is no text.
    cve_2018_12680_text_that_is_no_utf_8: formats, formats, [[3, 0], [0xc3, 0x28, 0xff]] => Code::BAD_REQUEST;

    /// Zephyr #58600: an instance that is not there was an index; then, one that no table has.
    zephyr_58600_instances_that_are_not_there: client, super::super::client,
        [[11, 0, 0x09, 0, 0], [15, 0, 9, 0x40, 1, 0, 7, 0xb1, b'1', 0x05, b'6', b'5'], [11, 0, 0, 0, 0]] => true;
    /// Contiki-NG #3166: a block that is shorter than it says, and more to come.
    contiki_3166_short_block_with_more: client, super::super::client, [[11, 0, 0x1a, 9, 2, 0x0e, 0x0e], [11, 0, 0, 0, 0]] => true;
    /// Anjay: an observation that is cancelled while its notification waits to be acknowledged.
    anjay_cancelled_while_a_notification_is_in_flight: client, super::super::client,
        [[11, 0, 0x01, 2, 0], [0x37, 0, 11, 0, 0x01, 0x22, 0], [0, 200, 10, 0, 0, 255]] => true;
    /// Wakaama PR #791: a request that comes again, after all that followed it.
    wakaama_791_execute_again_and_again: client, super::super::client,
        [[11, 0, 0x24, 0, 0, 13, 0, 13, 200, 13, 0, 0, 255, 13, 0]] => true;
    /// Answers to what was never asked, by each type.
    answers_to_nothing: client, super::super::client,
        [[15, 0, 4, 0x60, 0x45, 0xff, 0xff, 15, 0, 4, 0x70, 0, 0xff, 0xff, 15, 0, 4, 0x40, 0x45, 0, 9], [11, 0, 0, 0, 0]] => true;
}

/// Wakaama #91: a name that was longer than its buffer.
#[test]
fn wakaama_91_endpoint_name_longer_than_an_option() {
    let new = |length: usize| {
        let config = Config::new(&"n".repeat(length), Key::from_seed(1));
        Client::new(config.server(1, "coap://dm.example", Credentials::NoSec, 60), Instant::ZERO).map(drop)
    };
    assert_eq!((new(252), new(253)), (Ok(()), Err(ConfigError::EndpointName)));
}
