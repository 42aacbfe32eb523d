# Tasks: config/celery.py

# Without one on a developer's machine, the error of whatever sends a task says what to set.
CELERY_BROKER_URL = url(
    "CELERY_BROKER_URL",
    "redis://set-CELERY_BROKER_URL.invalid" if DEBUG else None,
    broker,
    "redis://:password@broker:6379/0",
)["url"]
# A worker acknowledges a task when it is done. If the worker dies before, the task comes back when the visibility
# time-out is over: that is longer than a task can wait for its next attempt, wait for a process, and run. Seconds.
TASK_TIME_LIMIT = number("TASK_TIME_LIMIT", 300, least=2)
CELERY_TASK_TIME_LIMIT = TASK_TIME_LIMIT
# First, the task gets an exception, SoftTimeLimitExceeded, and the time to clean up.
CELERY_TASK_SOFT_TIME_LIMIT = TASK_TIME_LIMIT * 0.9
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3 * TASK_TIME_LIMIT,
    "unacked_restore_throttle": 1,
    # Whoever sends a task gets an error soon if the broker is gone. Workers go on trying.
    "max_retries": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A stop waits this long for tasks, and gives the others back to the queue.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_CONCURRENCY = number("WORKER_CONCURRENCY", 2, least=1)
# Whatever leaks ends with its process.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
# Nothing asks for results: what a task does is in the database. Kept, they would fill the broker.
CELERY_TASK_IGNORE_RESULT = True
# Short tasks do not wait behind long ones once these have workers of their own: `worker --queues slow`.
CELERY_TASK_QUEUES = [Queue("default"), Queue("slow")]
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_ROUTES = {
    "{{ cookiecutter.project_slug }}.core.tasks.clear_sessions": {"queue": "slow"},
{% if cookiecutter.sample_app %}
    "{{ cookiecutter.project_slug }}.drainage.tasks.import_readings": {"queue": "slow"},
{% endif %}
}
# For `@shared_task(autoretry_for=..., **settings.TASK_RETRY)`: later each time, and not all at once.
TASK_RETRY: dict[str, Any] = {
    "max_retries": 8,
    "retry_backoff": 2,
    "retry_backoff_max": TASK_TIME_LIMIT,
    "retry_jitter": True,
}
# In the code and not in the database (django-celery-beat): it is reviewed, tested and rolled back with the tasks.
CELERY_BEAT_SCHEDULE = {
    "clear-sessions": {
        "task": "{{ cookiecutter.project_slug }}.core.tasks.clear_sessions",
        "schedule": crontab(hour="4", minute="17"),
        "options": {"expires": 3600},
    },
{% if cookiecutter.sample_app %}
    "import-readings": {
        "task": "{{ cookiecutter.project_slug }}.drainage.tasks.import_readings",
        "schedule": crontab(hour="1", minute="30"),
        "options": {"expires": 3600},
    },
{% endif %}
}
CELERY_BEAT_SCHEDULER = "config.celery:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 20
CELERY_TIMEZONE = TIME_ZONE
{% if cookiecutter.sample_app %}
# Where the nightly import of readings asks.
READINGS_URL = setting("READINGS_URL", "")
{% endif %}
