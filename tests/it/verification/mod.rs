mod causes;
mod feed;
mod from_feed;
mod introspect;
mod keys;
mod offline;
mod watch;
