        # Two processes a processor, with eight threads each: a request that waits takes one of them.
        export GRANIAN_WORKERS="$WEB_CONCURRENCY" GRANIAN_BLOCKING_THREADS=8
        export GRANIAN_INTERFACE=wsgi GRANIAN_HOST=0.0.0.0 GRANIAN_HTTP=1 GRANIAN_WEBSOCKETS=false
        # One request a connection: nginx never sends one down a connection that a stop is closing.
        export GRANIAN_HTTP1_KEEP_ALIVE=false GRANIAN_PROCESS_NAME=granian
        # A process that ends is replaced: by itself, after six hours against slow leaks, and when it does not stop.
        export GRANIAN_RESPAWN_FAILED_WORKERS=true GRANIAN_WORKERS_LIFETIME=6h GRANIAN_WORKERS_KILL_TIMEOUT=35
