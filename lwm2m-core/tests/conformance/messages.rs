//! XC: messages, their repetitions, and what is no message.
