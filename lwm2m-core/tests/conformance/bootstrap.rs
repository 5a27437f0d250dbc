//! DM terminal specification 7.2: Bootstrap.
