mod content;
mod outbox;
mod server;
mod templates;
mod trouble;
