mod purge;
