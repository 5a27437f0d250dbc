//! DM terminal specification 7.3: Register.
