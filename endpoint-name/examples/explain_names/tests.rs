//! The program from its arguments to its output.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};

use crate::args::{self, Options, Request};
use crate::{Outcome, run};

fn options(arguments: &[&str]) -> Options {
    match args::parse(arguments.iter().map(OsString::from)).unwrap() {
        Request::Explain(options) => options,
        Request::Print(text) => panic!("{text}"),
    }
}

#[track_caller]
fn explain(arguments: &[&str], input: &[u8]) -> (Outcome, String) {
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let outcome = run(&options(arguments), input, &mut out, &mut complaints).unwrap();
    assert_eq!(complaints.is_empty(), outcome != Outcome::Unread);
    (outcome, String::from_utf8(out).unwrap())
}

#[test]
fn good_names() {
    let (outcome, text) = explain(&[], b"490154203237518;;;1.0\r\n\n;;860000000000001;1.0");
    assert_eq!(outcome, Outcome::Good);
    assert_eq!(
        text,
        "stdin:1: good\n    490154203237518;;;1.0\n\
         stdin:3: good\n    ;;860000000000001;1.0\n\
         2 names: 2 good, 0 refused\n"
    );
}

#[test]
fn a_lint_is_no_refusal() {
    let (outcome, text) = explain(&["--quiet"], b"490154203237519;;;1.0\n490154203237518;;;1.0");
    assert_eq!(outcome, Outcome::Good);
    let caret = "                  ^ warning: the last digit of the IMEI is 9, but the check digit of the others is 8";
    assert_eq!(text, format!("stdin:1: good\n    490154203237519;;;1.0\n{caret}\n"));
}

#[test]
fn a_caret_below_the_byte() {
    for (name, line) in [
        ("49;46x;;1.0", "         ^ invalid character 'x' in IMSI at byte 5"),
        // A wide character takes two columns, an escaped one as many as its escape.
        ("49;46；x;;1.0", "         ^ invalid character '；' in IMSI at byte 5"),
        ("a；\t;;;", "    ^ invalid character 'a' in IMEI at byte 0"),
        ("49；46", "          ^ too few separators (0 of 3 semicolons) at byte 7"),
        ("\t49", "        ^ too few separators (0 of 3 semicolons) at byte 3"),
        ("urn:imei:1", "              ^ expected a digit at byte 10 of a urn:imei name"),
    ] {
        let (outcome, text) = explain(&["--quiet"], name.as_bytes());
        assert_eq!((outcome, text.lines().nth(2)), (Outcome::Refused, Some(line)), "{name}");
    }
}

#[test]
fn each_leniency_has_its_option() {
    for (name, options, canonical) in [
        ("49;;;01.0", "--leading-zeros", ", as 49;;;1.0"),
        ("49;;;", "--missing-version", ""),
        (";;A0000012345678F;1.0", "--alphanumeric-cmei", ""),
        (";;A0000012345678F;1.00", "--leading-zeros --alphanumeric-cmei", ", as ;;A0000012345678F;1.0"),
    ] {
        let (outcome, text) = explain(&[], name.as_bytes());
        assert_eq!(outcome, Outcome::Refused);
        assert!(text.contains(&format!("    would be good with {options}{canonical}\n")), "{text}");
        for arguments in [options.split(' ').collect(), vec!["--lenient"]] {
            let (outcome, text) = explain(&arguments, name.as_bytes());
            assert_eq!(outcome, Outcome::Good);
            assert!(text.contains(&format!("    good with {options}{canonical}\n")), "{text}");
        }
    }
}

#[test]
fn what_a_name_is_instead() {
    for (name, remark) in [
        ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "a urn:uuid name, which is not one of the DM specification"),
        ("urn:nai:x", "another URN, which is not a name of the DM specification"),
        ("49；；；１.0", "perhaps this was meant: 49;;;1.0"),
        ("49%3b%3B;1.0", "perhaps this was meant: 49;;;1.0"),
    ] {
        let (outcome, text) = explain(&["-q"], name.as_bytes());
        assert_eq!(outcome, Outcome::Refused);
        assert_eq!(text.lines().last().map(str::trim_start), Some(remark));
    }
}

#[test]
fn json() {
    let input = b"490154203237519;;;1.0\n49;;;01.0\nurn:imei:1\n\xFF\n";
    let (outcome, text) = explain(&["--json"], input);
    assert_eq!(outcome, Outcome::Refused);
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["parts"]["imei"], "490154203237519");
    assert_eq!(
        (&lines[0]["lints"][0]["kind"], &lines[0]["lints"][0]["position"]),
        (&"ImeiCheckDigit".into(), &14.into())
    );
    assert_eq!((&lines[1]["error"]["kind"], &lines[1]["needs"][0]), (&"LeadingZero".into(), &"--leading-zeros".into()));
    assert_eq!((&lines[2]["form"], &lines[2]["error"]["position"]), (&"urn:imei".into(), &10.into()));
    assert_eq!(lines[3]["error"]["kind"], "NotUtf8");
}

#[test]
fn what_is_no_name_at_all() {
    let (outcome, text) = explain(&["-q"], b"49\xFF;;;1.0");
    assert_eq!((outcome, text.lines().nth(2)), (Outcome::Refused, Some("      ^ not UTF-8 at byte 2")));
    let (outcome, text) = explain(&["-q"], &b"1".repeat(1 << 20));
    assert_eq!(outcome, Outcome::Refused);
    assert!(text.len() < 300 && text.contains("... (1048576 bytes)"), "{text}");
    assert_eq!(explain(&[], b""), (Outcome::Good, "0 names: 0 good, 0 refused\n".into()));
}

#[test]
fn a_file_that_is_not_there_does_not_stop_the_others() {
    let (outcome, text) = explain(&["no such file", "-"], b"49;;;1.0");
    assert_eq!(outcome, Outcome::Unread);
    assert!(text.contains("stdin:1: good"));
}

#[test]
fn the_command_line() {
    let parse = |argument: &str| args::parse([OsString::from(argument)].into_iter());
    assert_eq!(parse("--nope").unwrap_err(), "--nope: there is no such option; --help lists them");
    assert!(matches!(parse("--help"), Ok(Request::Print(text)) if text.contains("Exit code 0")));
    assert_eq!(options(&["--", "--json"]).paths, ["--json"]);
    assert_eq!(options(&["--json"]).paths, ["-"]);
}

#[test]
fn a_broken_pipe_is_told_to_the_caller() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for arguments in [&["--json"][..], &[]] {
        let outcome = run(&options(arguments), &b"49;;;1.0"[..], Closed, io::sink());
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}
