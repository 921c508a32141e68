-- A fact to be told, in the transaction that makes it true. `ids` are texts, and name nobody.
CREATE TYPE outbox_fact AS (
    topic text,
    about text,
    ids jsonb
);
