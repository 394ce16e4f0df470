//! Clients that share no code with this project.

mod python;
