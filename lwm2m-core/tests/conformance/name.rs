//! DM terminal specification 7.1: the endpoint name, as it is sent.
