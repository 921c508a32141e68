"""Every key that we lock, or keep beside the tables, with its reason.

Add a line here for each new lock: two of them must not share a key by accident. docs/concurrency.md
has the order in which a transaction takes its locks, and shows what happens without each.
"""

# -- advisory locks of PostgreSQL, by two numbers
# One expansion of a doctor at a time: an older one must not bring back what an admin took away.
# The second number is made of the doctor's id.
EXPANSION_OF_A_DOCTOR = 1_201
# Beat and somebody at a terminal must not make the same month of appointments.
MONTHS_OF_APPOINTMENTS = (1_202, 0)
# Held by a relay that sleeps, and shared by everybody who is about to publish: the trigger
# outbox_wake_the_relay names it too.
RELAY_ASLEEP = (1_203, 0)
# Two looks over the waitlist would both read every grid, and the second would offer nothing.
LOOK_OVER_WAITLIST = (1_203, 1)
# Of the processes that can tell open pages what has changed, one reads the audit trail.
ANNOUNCER = (1_203, 2)
# Of two counts of the same days, the older one must not write last.
COUNTS_OF_DAYS = (1_204, 0)

# -- advisory locks of PostgreSQL, by a hashed text
# One sealer of the audit at a time: seals are a chain.
AUDIT_SEALS = "audit-seals"
# With the patient's id. Two confirmations of a patient must count each other's visit; the function
# bookings_confirm takes it too.
VISITS_OF = "visits-of:"
# With the patient's id. Joining counts the entries of a patient, offers and leaving change them.
WAITLIST_OF = "waitlist-of:"
# The functions bookings_hold and bookings_confirm take five more, by themselves: the holder's key
# and the address's digest (both count live holds), "visits-a-day:" with the doctor's id (counts the
# visits of a day, for doctors who take only so many), the Idempotency-Key with its user (see
# docbook.http.idempotency_key), and "guesses-of:" with a mailbox's digest, for exact counts. Among
# many calls they wait for none: a call whose locks are taken is made alone.

# -- Redis
# With the slot's id. The lock of a live hold: nobody else asks the database for that slot.
LOCK_OF_SLOT = "lock:slot:"
# With the slot's id. Somebody is asking the database for that slot; for two seconds at most.
CLAIM_OF_SLOT = "claim:slot:"
# With a policy and a digest. A count of docbook.http.rate_policies; docbook.redis adds its prefix.
LIMIT = "rl:"
# How often each slot was refused, until a task counts it; and what the task is counting.
REFUSED_TIMES = "refused:times"
REFUSED_TIMES_IN_COUNTING = "refused:times:counting"
# What each page of results asks for, kept for a minute or less.
SEARCH_CHOICES = "cache:search:choices"
SEARCH_SPECIALTIES = "cache:search:summaries"
# The channels "slots:<doctorId>" carry the changes of a doctor's days: see docbook.events.channels.
# Until when everything was in order.
LAST_LOOK_AT_INVARIANTS = "invariants:last-look"
# The entry of the waitlist that was looked at last, (joined at, id); none if the whole line was.
PLACE_IN_WAITLIST = "waitlist:place"
