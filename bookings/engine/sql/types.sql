-- What goes into the engine and comes out of it. A call is an object of JSON with these names.

CREATE TYPE bookings_hold_call AS (
    number integer,            -- its place among the calls
    hold_id uuid,
    slot_id bigint,            -- the first of the visit
    visit_type_id bigint,
    patient_id bigint,         -- of a signed-in patient,
    guest_key uuid,            -- or of a guest's browser
    holder_key text,
    actor_kind text,
    address bigint,            -- a digest of the client's address; NULL for one that is not counted
    seconds double precision,  -- how long the time is held
    most_of_holder integer,
    most_of_address integer,
    most_visits integer,
    replaces uuid,             -- the visit that moves
    waitlist_entry_id uuid,    -- of an offer
    with_code boolean,         -- who comes is known, and a code goes out at once
    reason text,
    phone text,
    request_id text,
    key text,                  -- the Idempotency-Key, with what a retry is recognised by
    route text,
    fingerprint text,
    status smallint            -- of the answer
);

-- The other visits of a patient, around a time.
CREATE TYPE bookings_other_visits AS (
    busy_id uuid,                  -- one that overlaps the time
    busy_from timestamptz,
    ahead bigint                   -- how many are still to come
);

-- The live holds of a patient or guest, and of their address. Offers do not count.
CREATE TYPE bookings_live_holds AS (
    holds bigint,
    new_visits bigint,             -- without those that move a visit
    same_id uuid,                  -- the same time for the same visit, asked for once more
    near_from timestamptz,         -- a time of the same doctor that overlaps
    of_address bigint,
    address_until timestamptz
);

-- What a hold is judged by, read at one moment. A row that does not exist is NULL.
CREATE TYPE bookings_hold_facts AS (
    call bookings_hold_call,
    at_ timestamptz,
    recorded http_idempotencyrecord,
    first_hold bookings_hold,      -- that the first request with the key has made
    patient accounts_user,
    visit_type doctors_visittype,  -- as it is offered, or as it was agreed with the visit that moves
    doctor doctors_doctor,
    slot doctors_slot,
    clinic doctors_clinic,
    moved bookings_hold,           -- the hold of the visit that moves
    pause bookings_bookingpause,
    slot_ids bigint[],
    ends_at timestamptz,
    others bookings_other_visits,
    live bookings_live_holds
);

CREATE TYPE bookings_judged_hold AS (
    facts bookings_hold_facts,
    refusal text                   -- the code of the first rule that refuses; NULL if none does
);

-- What a call could lock of the slots that it wants.
CREATE TYPE bookings_claim AS (
    hold_id uuid,
    slots bigint,
    lapsed_holds uuid[],           -- that had them
    comes_second boolean           -- another of the calls was first to ask for one of them
);

CREATE TYPE bookings_hold_answer AS (
    number integer,                -- of the call
    outcome text,                  -- held, replay, wait, or the code of a refusal
    amount integer,                -- the limit that was reached
    other_id uuid,                 -- the visit or the hold that is in the way
    other_starts_at timestamptz,
    until timestamptz,             -- the end of a pause, or of the first hold of the address
    message text,                  -- why booking pauses
    recorded http_idempotencyrecord,
    hold bookings_hold             -- as it was written
);

CREATE TYPE bookings_confirm_call AS (
    number integer,            -- its place among the calls; two may be about one hold
    hold_id uuid,
    patient_id bigint,
    guest_key uuid,
    account_id bigint,             -- of a guest whose address is proved
    matching smallint[],           -- the resends whose code was entered
    most_attempts integer,
    most_visits integer,
    request_id text,
    own_target text,               -- what a wrong code counts against; NULL for the mailbox
    guessers text[],
    most_guesses integer[],
    is_long boolean
);

CREATE TYPE bookings_confirm_facts AS (
    call bookings_confirm_call,
    at_ timestamptz,
    hold bookings_hold,
    old bookings_hold,             -- the hold of the visit that moves
    moved bookings_appointment,    -- the visit that moves
    patient_id bigint,             -- whose visit it becomes
    caller_is_active boolean,
    patient_is_active boolean,
    doctor doctors_doctor,
    is_offered boolean,
    has_its_slots boolean,
    guesses_wait integer,          -- seconds until another code is looked at
    others bookings_other_visits
);

CREATE TYPE bookings_judged_confirmation AS (
    facts bookings_confirm_facts,
    refusal text
);

CREATE TYPE bookings_confirm_answer AS (
    number integer,                -- of the call
    outcome text,                  -- confirmed, account-needed, wait, or the code of a refusal
    amount integer,                -- codes left, seconds to wait, or the limit that was reached
    other_id uuid,                 -- the visit that was moved, or that keeps the patient busy
    other_starts_at timestamptz,
    status text,                   -- of the visit that should have moved
    has_ended boolean,             -- nobody is confirming it any more
    hold bookings_hold,
    visit bookings_appointment,
    doctor doctors_doctor
);
