//! An answer and the database agree, whatever the database does in the middle of a call.

mod acts;
mod every_statement;
