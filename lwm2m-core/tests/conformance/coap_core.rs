//! The CoAP plugtests, CORE: the client as CoAP client and as CoAP server.
