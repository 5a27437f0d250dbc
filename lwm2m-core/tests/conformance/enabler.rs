//! OMA enabler tests for LwM2M 1.0.
