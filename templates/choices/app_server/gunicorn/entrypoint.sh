        export WEB_CONCURRENCY="${WEB_CONCURRENCY:-$((2 * $(cpus)))}"
