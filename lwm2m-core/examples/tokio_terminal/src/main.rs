//! The DM terminal on tokio: see README.md.

mod args;
mod dtls;
mod path;
mod terminal;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use lwm2m_core::objects::Device;
use lwm2m_core::{Config, Event, Key, Path};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::StreamExt;
use tracing::{Level, info, warn};

use crate::args::{Args, Request};
use crate::terminal::Handle;

/// Battery Level (/3/0/9).
const BATTERY: Path = Path::resource(3, 0, 9);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match args::request(std::env::args_os().skip(1)) {
        Ok(Request::Print(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Run(args)) => args,
        Err(complaint) => {
            eprintln!("tokio-terminal: {complaint}");
            return ExitCode::from(2);
        }
    };
    let level = if args.verbose { Level::TRACE } else { Level::INFO };
    // Colours are for people: in a pipe there are none.
    let colours = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(colours).init();
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("tokio-terminal: {complaint}");
            ExitCode::FAILURE
        }
    }
}

/// Lives until Ctrl-C, SIGTERM or `quit`. One that never was registered has failed.
async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut key = [0; 16];
    getrandom::fill(&mut key).map_err(|error| format!("no entropy: {error}"))?;
    let mut config = Config::dm(args.name.as_name(), Key(key));
    config.default_lifetime = args.lifetime;
    config = match &args.bootstrap {
        Some(uri) => config.bootstrap_server(uri, args.credentials),
        None => config.server(1, &args.server, args.credentials, args.lifetime),
    };
    let mut device = Device::new("Example Works", "TM-1");
    device.battery_level = Some(80);
    let (terminal, mut events) = terminal::spawn(config, device)?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let (mut terminate, mut reads) = (signal(SignalKind::terminate())?, true);
    let mut registered = false;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    registered |= matches!(event, Event::Registered { .. });
                    tell(event);
                }
                None => break,
            },
            line = lines.next_line(), if reads => match line? {
                Some(line) if line.trim() == "quit" => break,
                Some(line) => command(&terminal, line.trim()),
                None => reads = false,
            },
            _ = tokio::signal::ctrl_c() => break,
            _ = terminate.recv() => break,
        }
    }
    let ends = terminal.shutdown();
    let (mut news, ()) = (Vec::new(), ends.await);
    while let Some(event) = events.next().await {
        news.push(event);
    }
    registered |= news.iter().any(|event| matches!(event, Event::Registered { .. }));
    news.into_iter().for_each(tell);
    if registered { Ok(()) } else { Err("it never was registered".into()) }
}

fn tell(event: Event) {
    match event {
        Event::BootstrapFailed { reason }
        | Event::RegistrationFailed { reason, .. }
        | Event::UpdateFailed { reason, .. } => warn!(?event, "{reason}"),
        _ => info!("{event:?}"),
    }
}

/// A line of standard input. What takes time is not waited for: news tell how it goes.
fn command(terminal: &Handle<Device>, line: &str) {
    let (terminal, words) = (terminal.clone(), line.to_string());
    tokio::spawn(async move {
        match words.split_whitespace().collect::<Vec<_>>()[..] {
            ["flight", "on"] => {
                terminal.flight_mode(true).await;
                info!("the radio may be switched off");
            }
            ["flight", "off"] => terminal.flight_mode(false).await,
            ["rebind"] => terminal.address_changed().await,
            ["battery", level] => match level.parse() {
                Ok(level) => terminal.set(BATTERY, move |device| device.battery_level = Some(level)).await,
                Err(_) => warn!("'{level}' is no level"),
            },
            _ => warn!("{words}: there is no such command (flight on, flight off, rebind, battery LEVEL, quit)"),
        }
    });
}
