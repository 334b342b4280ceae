-- A change that is an event of the machine: each is a transaction that is on disk when it is answered.
wrk.method = "PUT"
wrk.body = '{"state":"ready"}'
