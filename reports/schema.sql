-- The result of one run of Brickyard: this is the contract of the file that `--db FILE` writes.
--
-- application_id is 1112693067 ('BRYK'), user_version the version of this page. A row is numbered
-- by `position`, from 0, in the order of the report. Times ending in _s are virtual seconds from
-- the run's start; -1 means never. Counts are devices unless the comment says otherwise. Ratios are
-- kept as two integers, never as a fraction. The campaign service has its own tables: camp_*.

PRAGMA application_id = 1112693067;
PRAGMA user_version = 2;

-- One row. `status` is unfinished from the file's creation until the transaction that stores all
-- the rest: a killed run never looks whole.
CREATE TABLE run (
    position                INTEGER PRIMARY KEY CHECK (position = 0),
    status                  TEXT NOT NULL DEFAULT 'unfinished'
                            CHECK (status IN ('unfinished', 'finished')),
    scenario                TEXT NOT NULL,
    summary                 TEXT NOT NULL DEFAULT '',
    scenario_hash           TEXT NOT NULL DEFAULT '', -- hex, of the scenario's content
    world                   TEXT NOT NULL DEFAULT '', -- virtual, loopback, process, board
    candidate               TEXT NOT NULL DEFAULT '', -- the version being rolled out
    seed                    TEXT NOT NULL,            -- decimal; text, as it has 64 bits unsigned
    digest                  TEXT NOT NULL DEFAULT '', -- hex, over all events
    start                   TEXT NOT NULL DEFAULT '', -- ISO 8601 of virtual second 0
    verdict                 TEXT NOT NULL DEFAULT 'unfinished'
                            CHECK (verdict IN ('pass', 'gate_stopped', 'unsafe', 'diverged',
                                               'unfinished')),
    exit_code               INTEGER NOT NULL DEFAULT 8 CHECK (exit_code BETWEEN 0 AND 8),
    explanation             TEXT NOT NULL DEFAULT '', -- one line: why this exit code
    devices                 INTEGER NOT NULL DEFAULT 0, -- the lab's included
    virtual_s               INTEGER NOT NULL DEFAULT 0, -- virtual seconds that the run covered
    wall_s                  REAL NOT NULL DEFAULT 0,    -- seconds of the wall clock
    jobs                    INTEGER NOT NULL DEFAULT 0, -- threads
    -- Every enrolled device is in exactly one outcome; the last attempt wins; bricked wins all.
    enrolled                INTEGER NOT NULL DEFAULT 0,
    not_enrolled            INTEGER NOT NULL DEFAULT 0,
    confirmed               INTEGER NOT NULL DEFAULT 0,
    rolled_back             INTEGER NOT NULL DEFAULT 0,
    rolled_back_by_campaign INTEGER NOT NULL DEFAULT 0, -- ordered, not failures
    refused                 INTEGER NOT NULL DEFAULT 0,
    download_failed         INTEGER NOT NULL DEFAULT 0,
    verify_failed           INTEGER NOT NULL DEFAULT 0,
    silent                  INTEGER NOT NULL DEFAULT 0, -- no outcome past the deadline
    pending                 INTEGER NOT NULL DEFAULT 0,
    bricked                 INTEGER NOT NULL DEFAULT 0, -- as the oracle read it from the flash
    not_bricked             INTEGER NOT NULL DEFAULT 0,
    brick_no_boot           INTEGER NOT NULL DEFAULT 0, -- no bootable slot
    brick_boot_loop         INTEGER NOT NULL DEFAULT 0, -- a boot loop that never ends
    brick_unreachable       INTEGER NOT NULL DEFAULT 0, -- boots, but can never be reached again
    brick_hardware          INTEGER NOT NULL DEFAULT 0, -- damage that no software survives
    presumed_bricked        INTEGER NOT NULL DEFAULT 0, -- by the service, from silence alone
    belief_wrong_at_end     INTEGER NOT NULL DEFAULT 0, -- the service believes what is not true
    belief_wrong_longest_s  INTEGER NOT NULL DEFAULT 0, -- longest time that a wrong belief lasted
    sha256_bytes            INTEGER NOT NULL DEFAULT 0, -- bytes hashed, counted in the crypto port
    ecdsa_verifies          INTEGER NOT NULL DEFAULT 0, -- signature checks, counted there too
    flash_programs          INTEGER NOT NULL DEFAULT 0, -- program operations
    flash_erases            INTEGER NOT NULL DEFAULT 0, -- sector erases
    wear_max                INTEGER NOT NULL DEFAULT 0, -- erases of the most worn sector
    power_cuts              INTEGER NOT NULL DEFAULT 0,
    memory_peak_bytes       INTEGER NOT NULL DEFAULT 0  -- of the simulator's process
) STRICT;

-- The phases of the campaign. Cohorts are cumulative.
CREATE TABLE phase (
    position         INTEGER PRIMARY KEY,
    name             TEXT NOT NULL,
    result           TEXT NOT NULL CHECK (result IN ('not_reached', 'passed', 'stopped')),
    started_s        INTEGER NOT NULL,
    hold_from_s      INTEGER NOT NULL, -- when enough of the cohort had an outcome
    ended_s          INTEGER NOT NULL,
    cohort           INTEGER NOT NULL,
    confirmed        INTEGER NOT NULL,
    rolled_back      INTEGER NOT NULL,
    presumed_bricked INTEGER NOT NULL  -- by the service; run.bricked has what is true
) STRICT;

-- The gates of a phase, as last judged. numerator / denominator is what was compared.
CREATE TABLE gate (
    phase       INTEGER NOT NULL REFERENCES phase (position),
    position    INTEGER NOT NULL,
    metric      TEXT NOT NULL,
    red_if      TEXT NOT NULL,    -- the limit as written: '< 95%'
    comparison  TEXT NOT NULL,    -- in words: denominator, treatment of silence
    numerator   INTEGER NOT NULL, -- devices, intervals or answers
    denominator INTEGER NOT NULL,
    min_sample  INTEGER NOT NULL, -- below it the gate stays on hold
    state       TEXT NOT NULL CHECK (state IN ('hold', 'green', 'red')),
    at_s        INTEGER NOT NULL,
    PRIMARY KEY (phase, position)
) STRICT;

CREATE TABLE alert (
    position INTEGER PRIMARY KEY,
    at_s     INTEGER NOT NULL,
    level    TEXT NOT NULL CHECK (level IN ('operations', 'on_call', 'engineering_lead')),
    cause    TEXT NOT NULL,
    device   TEXT NOT NULL -- '' where it concerns no single device
) STRICT;

-- The faults of the scenario. An armed fault that never fired fails the run.
CREATE TABLE fault (
    position  INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL,
    number    INTEGER NOT NULL, -- place in the scenario
    scheduled INTEGER NOT NULL, -- times
    armed     INTEGER NOT NULL, -- times that its device got so far
    fired     INTEGER NOT NULL  -- times that the event log shows the effect
) STRICT;

-- The seven promises that the oracle checks from outside.
CREATE TABLE promise (
    position    INTEGER PRIMARY KEY,
    name        TEXT NOT NULL,
    broken      INTEGER NOT NULL, -- times
    first_token TEXT NOT NULL,    -- replays the first breach; '' where there is none
    first_what  TEXT NOT NULL     -- that breach in words; with broken 0: why nothing was checked
) STRICT;

-- Where the power was cut: agent state x flash region x torn form.
CREATE TABLE cut (
    position INTEGER PRIMARY KEY,
    state    TEXT NOT NULL,
    region   TEXT NOT NULL,
    form     TEXT NOT NULL,
    cuts     INTEGER NOT NULL
) STRICT;

-- Confirmed devices before and after the update, in the observation week, as fractions in `unit`.
CREATE TABLE observation (
    position    INTEGER PRIMARY KEY,
    metric      TEXT NOT NULL,
    before_num  INTEGER NOT NULL,
    before_den  INTEGER NOT NULL, -- 0: no data
    after_num   INTEGER NOT NULL,
    after_den   INTEGER NOT NULL,
    before_lower_bound INTEGER NOT NULL CHECK (before_lower_bound IN (0, 1)), -- it is at least this
    lower_bound INTEGER NOT NULL CHECK (lower_bound IN (0, 1)), -- the same of the value after
    unit        TEXT NOT NULL
) STRICT;

-- What is to be known of the world that the run was in: shortened times, servers, the machine.
CREATE TABLE fact (
    position INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    value    TEXT NOT NULL
) STRICT;

CREATE TABLE device (
    position    INTEGER PRIMARY KEY,
    id          TEXT NOT NULL,
    number      INTEGER NOT NULL, -- index in the fleet
    fleet_group TEXT NOT NULL,
    site        TEXT NOT NULL,
    version     TEXT NOT NULL,    -- that boots at the end; '' none
    outcome     TEXT NOT NULL,    -- the outcomes of table run; none: not enrolled
    brick       TEXT NOT NULL CHECK (brick IN ('none', 'no_boot', 'boot_loop', 'unreachable',
                                               'hardware')),
    reason      TEXT NOT NULL,    -- of the last status
    phase       INTEGER NOT NULL, -- position of the phase; -1 none
    enrolled_s  INTEGER NOT NULL,
    outcome_s   INTEGER NOT NULL,
    boots       INTEGER NOT NULL, -- times
    cuts        INTEGER NOT NULL, -- power cuts that it suffered
    believed    TEXT NOT NULL,    -- version that the service believes
    token       TEXT NOT NULL     -- `brickyard replay TOKEN`; '' where nothing went wrong
) STRICT;
CREATE INDEX device_outcome ON device (outcome);
