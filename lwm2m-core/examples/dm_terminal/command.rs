//! The commands on standard input: what a line may say, and what is said about one that may not.

use lwm2m_core::CommandError;

use crate::decode::printable;

/// How a list of the commands reads.
pub(crate) const COMMANDS: &str = "flight on, flight off, network off, network on, rebind, set /3/0/9 42, update, quit";

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    FlightOn,
    FlightOff,
    NetworkOff,
    NetworkOn,
    /// The device gets another address.
    Rebind,
    /// A value changes: the whole line, as the record wants it.
    Set(&'a str),
    Update,
    Quit,
}

impl<'a> Command<'a> {
    /// Reads a line; nothing when it is empty. The complaint names the command.
    pub(crate) fn parse(line: &'a str) -> Result<Option<Self>, String> {
        let line = line.trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        Ok(Some(match words[..] {
            [] => return Ok(None),
            ["flight", "on"] => Self::FlightOn,
            ["flight", "off"] => Self::FlightOff,
            ["network", "off"] => Self::NetworkOff,
            ["network", "on"] => Self::NetworkOn,
            ["rebind"] => Self::Rebind,
            ["set", ..] => Self::Set(line),
            ["update"] => Self::Update,
            ["quit"] => Self::Quit,
            [name @ ("flight" | "network"), ..] => return Err(format!("{name}: 'on' or 'off' is wanted after it")),
            [name @ ("rebind" | "update" | "quit"), ..] => return Err(format!("{name}: nothing may stand after it")),
            _ => {
                let start: String = line.chars().take(40).collect();
                let line = printable(start.as_bytes());
                return Err(format!("{line}: there is no such command ({COMMANDS})"));
            }
        }))
    }
}

/// Why the client did not do what it was told to, with the command's name before it.
pub(crate) fn refusal(name: &str, server: u16, error: CommandError) -> String {
    match error {
        CommandError::NotRegistered => format!("{name}: not registered with server {server}"),
        CommandError::UnknownServer => format!("{name}: there is no server {server}"),
        error => format!("{name}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_read() {
        for (line, command) in [
            ("flight on", Command::FlightOn),
            ("flight  off\r", Command::FlightOff),
            ("network off", Command::NetworkOff),
            (" network\ton ", Command::NetworkOn),
            ("rebind", Command::Rebind),
            (" set /3/0/15 Asia/Hong  Kong", Command::Set("set /3/0/15 Asia/Hong  Kong")),
            ("set", Command::Set("set")),
            ("update", Command::Update),
            ("quit", Command::Quit),
        ] {
            assert_eq!(Command::parse(line), Ok(Some(command)));
        }
        assert_eq!(Command::parse(" \r"), Ok(None));
    }

    #[test]
    fn the_list_holds_commands_only() {
        for command in COMMANDS.split(", ") {
            assert!(matches!(Command::parse(command), Ok(Some(_))), "{command}");
        }
    }

    #[test]
    fn a_complaint_names_the_command() {
        for (line, complaint) in [
            ("flight", "flight: 'on' or 'off' is wanted after it"),
            ("network up", "network: 'on' or 'off' is wanted after it"),
            ("rebind 5683", "rebind: nothing may stand after it"),
            ("update 1", "update: nothing may stand after it"),
        ] {
            assert_eq!(Command::parse(line), Err(complaint.into()));
        }
        let unknown = |line| Command::parse(line).err().unwrap_or_default();
        assert_eq!(unknown("settle"), format!("settle: there is no such command ({COMMANDS})"));
        assert!(unknown("\x1b[2J").starts_with("\\u{1b}[2J: "));
        assert!(unknown(&"x".repeat(4_000)).len() < 200);
    }

    #[test]
    fn a_refusal_names_the_command_and_the_server() {
        for (error, words) in [
            (CommandError::NotRegistered, "update: not registered with server 7"),
            (CommandError::UnknownServer, "update: there is no server 7"),
            (CommandError::StaleTicket, "update: the ticket is stale"),
        ] {
            assert_eq!(refusal("update", 7, error), words);
        }
    }
}
