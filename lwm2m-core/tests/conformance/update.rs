//! DM terminal specification 7.4: Update.
