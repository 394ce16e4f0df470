//! Clients and libraries that share no code with this project.

mod authenticator;
mod issued;
mod library;
mod made;
mod protos;
mod python;
