//! DM terminal specification 6: the interface between terminal and platform.
