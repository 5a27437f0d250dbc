//! XD: device management under attack.
