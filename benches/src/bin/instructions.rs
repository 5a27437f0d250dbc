//! One operation of one codec on one message, or one of the client, a number of times: to be run
//! under a counter of instructions. `tools/instructions.py` does that and makes tables.
//!
//! ```text
//! instructions                                        what there is: contenders, messages, operations
//! instructions CONTENDER OPERATION MESSAGE TIMES      runs a codec
//! instructions OPERATION TIMES                        runs the client
//! ```

use core::hint::black_box;
use std::env;
use std::process::ExitCode;

use benches::client::{Desk, Operation};
use benches::contenders::{CONTENDERS, Contender};
use benches::messages::{BUFFER_LEN, SAMPLES, Sample};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => list(),
        [contender, operation, message, times] => {
            let contender = CONTENDERS.iter().find(|candidate| candidate.name == contender);
            let sample = SAMPLES.iter().find(|candidate| candidate.name == message);
            let (Some(contender), Some(sample), Ok(times)) = (contender, sample, times.parse()) else {
                return ExitCode::from(2);
            };
            return run(contender, operation, sample, times);
        }
        [operation, times] => {
            let operation = Operation::ALL.into_iter().find(|candidate| candidate.name() == operation);
            let (Some(operation), Ok(times)) = (operation, times.parse::<u32>()) else {
                return ExitCode::from(2);
            };
            let mut desk = Desk::new(operation);
            for _ in 0..times {
                desk.run(operation);
            }
        }
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

fn list() {
    for contender in CONTENDERS {
        println!("contender\t{}", contender.name);
    }
    for sample in &SAMPLES {
        println!("message\t{}\t{}\t{}", sample.name, sample.len, sample.title);
    }
    for operation in Operation::ALL {
        println!("operation\t{}", operation.name());
    }
}

fn run(contender: &Contender, operation: &str, sample: &Sample, times: u32) -> ExitCode {
    let datagram = &*sample.datagram();
    let buffer = &mut [0; BUFFER_LEN][..];
    match operation {
        "parse" => {
            let parse = black_box(contender.parse);
            for _ in 0..times {
                black_box(parse(black_box(datagram)));
            }
        }
        "look up" => {
            let look_up = black_box(contender.look_up);
            for _ in 0..times {
                black_box(look_up(black_box(datagram)));
            }
        }
        "build" => {
            let build = black_box(contender.build);
            for _ in 0..times {
                black_box(build(black_box(&sample.parts), black_box(&mut *buffer)));
            }
        }
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}
