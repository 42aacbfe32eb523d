        export WEB_CONCURRENCY="${WEB_CONCURRENCY:-$((2 * $(cpus)))}"
        # Connections that may wait for a free thread: 1024, or fewer if an old kernel limits it.
        allowed=$(cat /proc/sys/net/core/somaxconn)
        UWSGI_LISTEN=$((allowed < 1024 ? allowed : 1024))
        export UWSGI_LISTEN
