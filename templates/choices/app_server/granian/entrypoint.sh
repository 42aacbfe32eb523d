        # One process per processor, with many threads: a waiting request takes up one of them. The kernel gives each
        # process its share of the connections, whether or not it has a thread to spare: two processes would be half as safe.
        export GRANIAN_WORKERS="${WEB_CONCURRENCY:-$(cpus)}" GRANIAN_BLOCKING_THREADS=16
        export GRANIAN_INTERFACE=wsgi GRANIAN_HOST=0.0.0.0 GRANIAN_HTTP=1 GRANIAN_WEBSOCKETS=false
        # One request per connection: nginx never sends one down a connection that a stop is closing.
        export GRANIAN_HTTP1_KEEP_ALIVE=false GRANIAN_PROCESS_NAME=granian
        # A process is replaced when it ends, after six hours (against slow leaks), and when it does not stop.
        export GRANIAN_RESPAWN_FAILED_WORKERS=true GRANIAN_WORKERS_LIFETIME=6h GRANIAN_WORKERS_KILL_TIMEOUT=$STOP_TIMEOUT
