//! XB: what a bootstrap server may command, and what the client makes of it (OMA LwM2M 1.0, 5.2).
