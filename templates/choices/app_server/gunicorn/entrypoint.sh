        export WEB_CONCURRENCY
