"""Every duration that the service works by, in one table.

`docs/reference/timing.md` lists them; the comment above each constant is its row there.
Settings may only change the durations that the settings table names.
"""

from datetime import timedelta

# --- Orders ---------------------------------------------------------------------------
# First back-off after a transient failure; each further failure doubles the ceiling.
ORDER_BACKOFF_FIRST = timedelta(seconds=5)
# Longest back-off of a failing order.
ORDER_BACKOFF_MAX = timedelta(minutes=5)
# When a result that is not ready is queried again: then hourly until the deadline.
NOT_READY_SCHEDULE = tuple(timedelta(seconds=each) for each in (5, 15, 60, 300, 3600))
# When late photos are queried again: the first three within the attempt, then minutely.
PHOTO_SCHEDULE = tuple(timedelta(seconds=each) for each in (1, 2, 4, 15, 30, 60))
# How long an order waits for a face's video alone before it is collected without it.
FACE_VIDEO_PATIENCE = timedelta(minutes=10)
# How long past its deadline an order may go on failing before it is parked.
PARK_GRACE = timedelta(minutes=15)
# How long an order waits for credentials to be accepted before it is parked.
CREDENTIALS_PATIENCE = timedelta(minutes=15)
# First back-off after refused credentials.
CREDENTIALS_BACKOFF_FIRST = timedelta(seconds=10)
# Longest back-off after refused credentials.
CREDENTIALS_BACKOFF_MAX = timedelta(seconds=60)
# A message for an order that is not ready counts again after this long.
RENOTIFY_AFTER = timedelta(seconds=60)
# An order counts as due this long before its due time, because clocks differ.
DUE_TOLERANCE = timedelta(seconds=1)
# When an evidence folder is searched for orphans: later than any attempt still writes.
ORPHAN_CHECK_AFTER = timedelta(minutes=20)
# A work lease outlasts the invocation that holds it by this long.
WORK_LEASE_GRACE_SECONDS = 2.0
# Orders that wait for an open circuit breaker spread over this long after it closes.
BREAKER_SPREAD_SECONDS = 5.0

# --- Circuit breaker ------------------------------------------------------------------
# First time that the breaker stays open; each further opening doubles the ceiling.
BREAKER_OPEN_FIRST = timedelta(seconds=5)
# Longest time that the breaker stays open by itself.
BREAKER_OPEN_MAX = timedelta(minutes=5)
# Shortest open time after a code that asks for minutes (1007/47912).
BREAKER_OPEN_SLOW_CODE = timedelta(minutes=1)
# Longest `Retry-After` that is honoured.
RETRY_AFTER_MAX = timedelta(minutes=5)
# How old a worker's copy of the breaker may be.
BREAKER_CACHE_SECONDS = 2.0
# Lease of the one trial call that may close the breaker.
BREAKER_TRIAL_SECONDS = 15.0
# How long an order waits while another worker makes the trial call.
BREAKER_TRIAL_WAIT = timedelta(seconds=2)
# How long a thread waits to record a call's result while another thread records one.
BREAKER_RECORD_WAIT_SECONDS = 5.0

# --- Ticket ---------------------------------------------------------------------------
# Age at which a pair is stale: whoever gets the lease refreshes it.
TICKET_STALE_AFTER = timedelta(minutes=19)
# A pair is expired this long before its lifetime ends.
TICKET_EXPIRY_MARGIN = timedelta(seconds=60)
# Longest lifetime that is believed (1007/37304).
TICKET_LIFETIME_MAX = timedelta(hours=2)
# How long a reader caches a ticket.
TICKET_CACHE_SECONDS = 15.0
# How long a reader waits for another worker's refresh.
TICKET_WAIT_SECONDS = 5.0
# Mean interval at which a waiting reader looks again.
TICKET_POLL_SECONDS = 0.2
# Deadline of one token or ticket call.
REFRESH_CALL_SECONDS = 4.0
# Lease of one refresh.
REFRESH_LEASE_SECONDS = 15.0
# At most one forced refresh in this long.
FORCED_REFRESH_INTERVAL_SECONDS = 60.0
# Time that must be left to begin a refresh.
REFRESH_MIN_SECONDS = 4.5
# Time that the token call leaves for the ticket call.
REFRESH_TICKET_RESERVE_SECONDS = 2.0
# First back-off of the fleet after a failed refresh.
REFRESH_BACKOFF_FIRST = timedelta(seconds=2)
# Longest back-off of the fleet after failed refreshes.
REFRESH_BACKOFF_MAX = timedelta(seconds=60)
# How long a failed refresh lengthens the back-off.
REFRESH_FAILURE_MEMORY_SECONDS = 120.0
# How long one worker remembers that the fleet backs off.
REFRESH_BACKOFF_CACHE_SECONDS = 1.0

# --- Invocation -----------------------------------------------------------------------
# Nothing starts with less than this left.
START_MIN_SECONDS = 2.0
# An upstream call, or a delivery of the sweep, ends this long before the invocation.
CALL_RESERVE_SECONDS = 1.0
# Records that have not finished this long before the end are given up.
BATCH_RESERVE_SECONDS = 0.7
# The parts of a sweep end this long before their results are needed.
SWEEP_PART_RESERVE_SECONDS = 0.5
# A handler responds this long before the platform's limit, whatever still runs.
RESPONSE_RESERVE_SECONDS = 0.6
# A handler and a batch run at least this long.
RUN_MIN_SECONDS = 0.1
# Time limit where the platform names none: with its grace a lease of a minute.
UNKNOWN_LIMIT_SECONDS = 58.0
# Longest time limit that both clouds know.
INVOCATION_MAX_SECONDS = 900.0
# Time kept for writing what is left of a CKafka batch to its rows.
KEEP_BATCH_SECONDS = 0.5
# The same, for each record.
KEEP_RECORD_SECONDS = 0.001

# --- HTTP API -------------------------------------------------------------------------
# Longest time that a call to collect works before it answers 202.
COLLECT_CALL_SECONDS = 20.0
# How long a photo's link works.
PHOTO_LINK_SECONDS = 300
# `Retry-After` of a 503.
UNAVAILABLE_RETRY_AFTER_SECONDS = 5
# How far a signed request's time may be off.
SIGNATURE_TOLERANCE_SECONDS = 300
# How long the API keys are cached.
API_KEYS_CACHE_SECONDS = 60.0

# --- HTTP client ----------------------------------------------------------------------
# Resolving a name and connecting, for all addresses together.
CONNECT_SECONDS = 2.0
# Share of it that one address gets at least.
CONNECT_SHARE_MIN_SECONDS = 1.0
# How much later than its deadline a read may end.
READ_TOLERANCE_SECONDS = 0.1
# Time of an invocation that adapters leave to its response.
ADAPTER_RESERVE_SECONDS = 0.5

# --- Webhooks -------------------------------------------------------------------------
# Deadline of one delivery.
WEBHOOK_SECONDS = 10.0
# Time of an invocation that collects in which deliveries may be under way.
WEBHOOK_INVOCATION_SECONDS = 3.0
# Least time for a delivery to be tried.
WEBHOOK_MIN_SECONDS = 0.5
# When a delivery that failed is tried again: then each 12 hours.
WEBHOOK_SCHEDULE = tuple(
    timedelta(seconds=each) for each in (5, 60, 300, 1800, 7200, 18000, 36000, 43200)
)
# How often it is tried after 12 more hours, before it is given up: for three days.
WEBHOOK_LATE_TRIES = 6
# Part of a delay by which it is drawn shorter or longer.
WEBHOOK_JITTER = 0.1
# Longest `Retry-After` of a receiver that is honoured.
WEBHOOK_RETRY_AFTER_MAX = timedelta(hours=12)
# How long the rest of a receiver's response is read, so that it can end it.
WEBHOOK_DRAIN_SECONDS = 0.5
# Longest delay for which the queue reminds of a delivery; later ones are the sweep's.
WEBHOOK_REMINDER_MAX = timedelta(minutes=15)
# How long the webhook secret is cached.
WEBHOOK_SECRET_CACHE_SECONDS = 60.0

# --- AWS ------------------------------------------------------------------------------
# Deadline of one attempt at an AWS JSON API, from name resolution to the last byte.
AWS_CALL_SECONDS = 3.0
# Time that must be left to begin an attempt.
AWS_CALL_MIN_SECONDS = 0.5
# Longest pauses before the second and the third attempt.
AWS_PAUSES_SECONDS = (1.0, 2.0)
# Longest delay of an SQS message; what is due later is left to the sweep.
SQS_DELAY_MAX = timedelta(seconds=900)
# First pause before keys that DynamoDB left out are read again.
DYNAMODB_BATCH_PAUSE_SECONDS = 0.05
# How far a worker's view of DynamoDB's clock may be off.
DYNAMODB_CLOCK_MARGIN = timedelta(seconds=3)
# Resolution of a `Date` header.
DYNAMODB_DATE_RESOLUTION = timedelta(seconds=1)
# For this long after a response the clock counts as just set.
DYNAMODB_CLOCK_FRESH = timedelta(seconds=2)

# --- Object storage -------------------------------------------------------------------
# Connecting to a bucket.
S3_CONNECT_SECONDS = 1
# Deadline of one request to a bucket.
S3_CALL_SECONDS = 5
# Time of an invocation that requests to a bucket leave.
S3_RESERVE_SECONDS = 1

# --- Tencent Cloud --------------------------------------------------------------------
# Deadline of one attempt at a Tencent Cloud API.
TENCENT_CALL_SECONDS = 3.0
# Time that must be left to begin an attempt.
TENCENT_CALL_MIN_SECONDS = 0.5
# Pause before the second attempt.
TENCENT_PAUSE_SECONDS = 0.2

# --- Redis ----------------------------------------------------------------------------
# Connecting to a node.
REDIS_CONNECT_SECONDS = 1.0
# Deadline of one command.
REDIS_READ_SECONDS = 2.0
# Deadline of a command when the invocation is nearly over.
REDIS_READ_MIN_SECONDS = 0.1
# Pause before the second attempt; twice that before the third.
REDIS_PAUSE_SECONDS = 0.05

# --- Local files ----------------------------------------------------------------------
# Waiting for a folder's lock.
FOLDER_LOCK_SECONDS = 10.0
# Interval at which a file lock is tried again.
LOCK_POLL_SECONDS = 0.01
# Waiting for the event file's lock.
EVENT_FILE_LOCK_SECONDS = 2.0
# Waiting for SQLite's lock.
SQLITE_BUSY_SECONDS = 2.0

# --- Retention ------------------------------------------------------------------------
# How long the count of unprocessable messages is kept.
POISON_RETENTION = timedelta(days=90)
