//! Where the client's random numbers come from.

use std::fs::File;
use std::io::Read;

use lwm2m_core::Key;

/// Gives a key to each client: the terminal has a new one after a restart.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys {
    /// The same ones every time.
    Seeded(u64),
    /// Ones that nobody can guess.
    FromSystem,
}

impl Keys {
    pub(crate) fn next(&mut self) -> Result<Key, String> {
        match self {
            Self::Seeded(seed) => {
                let key = Key::from_seed(*seed);
                *seed = seed.wrapping_add(1);
                Ok(key)
            }
            Self::FromSystem => {
                let mut bytes = [0; 16];
                let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
                read.map_err(|error| format!("no random numbers from the system: {error}"))?;
                Ok(Key(bytes))
            }
        }
    }
}
