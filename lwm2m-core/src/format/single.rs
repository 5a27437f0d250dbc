//! Formats with room for one value: plain text, and opaque bytes (OMA LwM2M 1.0, 6.4.1, 6.4.2).

use super::base64;
use super::output::Output;
use super::{Encode, FAILED, NOT_ACCEPTABLE, text};
use crate::base::features::TEXT;
use crate::base::path::Leaf;
use crate::base::value::{Sink, Stop, Value};

/// Writes one value. Anything more cannot be had in this format, and the peer is told so.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    output: Output<'b>,
    form: Form,
    written: bool,
}

/// How the value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Opaque,
}

impl<'b> Writer<'b> {
    pub(super) const fn new(form: Form, output: Output<'b>) -> Self {
        Self { output, form, written: false }
    }

    pub(super) fn finish(self) -> Result<usize, Stop> {
        // No value is not an empty value.
        if self.written { Ok(self.output.used()) } else { Err(FAILED) }
    }

    /// Notes that a value comes: there may be no second one.
    fn begin(&mut self) -> Result<(), Stop> {
        if core::mem::replace(&mut self.written, true) { Err(NOT_ACCEPTABLE) } else { Ok(()) }
    }
}

impl Sink for Writer<'_> {
    fn value(&mut self, _: Leaf, value: Value<'_>) -> Result<(), Stop> {
        self.begin()?;
        match (self.form, value) {
            (Form::Text, value) => text::write(&mut self.output, value),
            (Form::Opaque, Value::Opaque(bytes)) => self.output.put(bytes),
            (Form::Opaque, _) => Err(NOT_ACCEPTABLE),
        }
    }

    fn opaque(&mut self, _: Leaf, len: usize, fill: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.begin()?;
        match self.form {
            Form::Text if !TEXT => Err(NOT_ACCEPTABLE),
            Form::Text => base64::encode_from(&mut self.output, len, fill),
            Form::Opaque => self.output.put_filled(len, fill),
        }
    }
}

impl Encode for Writer<'_> {
    fn open_instance(&mut self, _: u16) -> Result<(), Stop> {
        Err(NOT_ACCEPTABLE)
    }

    fn open_multiple(&mut self, _: u16) -> Result<(), Stop> {
        Err(NOT_ACCEPTABLE)
    }

    fn close(&mut self) -> Result<(), Stop> {
        Err(FAILED)
    }
}

#[cfg(test)]
#[cfg(feature = "text")]
mod tests {
    use super::*;

    const AT: Leaf = Leaf::new(5, 0, 0);

    /// What `write` made of a buffer: its text, or why not.
    #[track_caller]
    fn check(form: Form, write: impl FnOnce(&mut Writer<'_>) -> Result<(), Stop>, result: Result<&[u8], Stop>) {
        let mut room = [0; 128];
        let mut writer = Writer::new(form, Output::new(&mut room));
        let length = write(&mut writer).and_then(|()| writer.finish());
        assert_eq!(length.map(|length| &room[..length]), result);
    }

    #[test]
    fn one_value_is_written_in_the_form_that_was_asked_for() {
        check(Form::Text, |writer| writer.value(AT, Value::Int(-5)), Ok(b"-5"));
        check(Form::Text, |writer| writer.value(AT.at(3), Value::Opaque(&[1, 2])), Ok(b"AQI="));
        check(Form::Opaque, |writer| writer.value(AT, Value::Opaque(&[1, 2])), Ok(&[1, 2]));
        check(Form::Opaque, |writer| writer.value(AT, Value::Opaque(&[])), Ok(b""));
        check(Form::Opaque, |writer| writer.value(AT, Value::Str("text")), Err(NOT_ACCEPTABLE));
        check(Form::Text, |writer| writer.value(AT, Value::Float(f64::NAN)), Err(FAILED));
    }

    #[test]
    fn bytes_that_are_made_on_the_way_are_the_same() {
        let mut fill = |offset: usize, window: &mut [u8]| {
            for (place, number) in window.iter_mut().zip(offset as u8..) {
                *place = number;
            }
        };
        check(Form::Opaque, |writer| writer.opaque(AT, 4, &mut fill), Ok(&[0, 1, 2, 3]));
        check(Form::Text, |writer| writer.opaque(AT, 4, &mut fill), Ok(b"AAECAw=="));
        check(Form::Opaque, |writer| writer.opaque(AT, 129, &mut fill), Err(FAILED));
        check(Form::Text, |writer| writer.opaque(AT, 97, &mut fill), Err(FAILED));
    }

    #[test]
    fn there_is_exactly_one_value_and_no_structure() {
        for form in [Form::Text, Form::Opaque] {
            let value = Value::Opaque(b"a");
            check(form, |_| Ok(()), Err(FAILED));
            check(form, |writer| writer.value(AT, value).and_then(|()| writer.value(AT, value)), Err(NOT_ACCEPTABLE));
            check(
                form,
                |writer| writer.value(AT, value).and_then(|()| writer.opaque(AT, 0, &mut |_, _| ())),
                Err(NOT_ACCEPTABLE),
            );
            check(form, |writer| writer.open_instance(0), Err(NOT_ACCEPTABLE));
            check(form, |writer| writer.open_multiple(0), Err(NOT_ACCEPTABLE));
            check(form, |writer| writer.close(), Err(FAILED));
        }
    }
}
