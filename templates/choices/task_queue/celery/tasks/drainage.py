"""The nightly import of what the stations measured.

It may run twice, or end in the middle and start again: the database knows a reading by its station and time, and
takes the newest value for it.
"""

import logging
from functools import partial
from typing import Any

import httpx
from celery import shared_task
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction

from .current import forget
from .models import Reading, Station

logger = logging.getLogger(__name__)

# Seconds.
TIMEOUT = httpx.Timeout(10, connect=2)
# What tells one reading from another.
KEY = ["station", "measured_at"]


@shared_task(autoretry_for=(httpx.HTTPError, OperationalError), **settings.TASK_RETRY)
def import_readings() -> None:
    """Ask READINGS_URL for a list of readings, and save them."""
    if not settings.READINGS_URL:
        logger.info("READINGS_URL is not set: there is nothing to import")
        return
    with httpx.Client(timeout=TIMEOUT) as client:
        rows = client.get(settings.READINGS_URL).raise_for_status().json()
    readings = parse(rows)
    save(readings)
    logger.info("%d of %d readings are imported", len(readings), len(rows))


def parse(rows: list[dict[str, Any]]) -> list[Reading]:
    """Return the readings that rows describe, each once; rows that describe none are only logged.

    A row has a district's code, a kind, the name of a station, a time and a value.
    """
    stations = {
        (station.district.code, station.kind, station.name): station
        for station in Station.objects.select_related("district")
    }
    found: dict[tuple[object, object], Reading] = {}
    for row in rows:
        try:
            station = stations[row["district"], row["kind"], row["station"]]
            # As text: Django gives a number that JSON has, such as 0.4, more digits than it has.
            value = str(row["value"])
            reading = Reading(station=station, measured_at=row["measured_at"], value=value)
            reading.clean_fields(exclude=["station"])
        except (KeyError, TypeError, ValidationError) as error:
            logger.warning("A row is not a reading: %r", error)
        else:
            found[station.pk, reading.measured_at] = reading
    return [*found.values()]


def save(readings: list[Reading]) -> None:
    """Save readings; those that are there already get the new values."""
    # Some databases find the constraint by themselves, and refuse to be told.
    key = KEY if connection.features.supports_update_conflicts_with_target else None
    Reading.objects.bulk_create(
        readings, batch_size=500, update_conflicts=True, update_fields=["value"], unique_fields=key
    )
    for district_id in {reading.station.district_id for reading in readings}:
        transaction.on_commit(partial(forget, district_id))
