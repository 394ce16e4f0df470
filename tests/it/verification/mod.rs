mod causes;
mod feed;
mod introspect;
mod keys;
mod offline;
mod watch;
