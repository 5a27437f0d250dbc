//! XF: the formats of values, as servers write and read them.
