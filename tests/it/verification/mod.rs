mod causes;
mod feed;
mod introspect;
mod watch;
