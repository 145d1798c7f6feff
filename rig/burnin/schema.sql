-- A burn-in, in the same file as its result (reports/schema.sql). Each step is one transaction: a
-- cycle is there with all of its rows, or it is running. Times of day are ISO 8601, UTC.

CREATE TABLE burnin (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    format       INTEGER NOT NULL,  -- 2; 1 said nothing of faults and wiring
    bench        TEXT NOT NULL,     -- its name
    seed         TEXT NOT NULL,     -- decimal, 64 bits unsigned; cycle n has seed + n
    options      TEXT NOT NULL,     -- what else the scenarios were read with
    device_type  TEXT NOT NULL,
    candidate    TEXT NOT NULL,     -- version
    image_sha256 TEXT NOT NULL,     -- of the candidate's image, hex
    boards       INTEGER NOT NULL,
    wanted_ms    INTEGER NOT NULL,  -- of cycles that came to an end; 0: wanted_cycles counts
    wanted_cycles INTEGER NOT NULL, -- 0: wanted_ms counts
    begun        TEXT NOT NULL,
    wiring       TEXT NOT NULL      -- of the bench: boards, contacts, consoles, a line each
) STRICT;

CREATE TABLE burnin_scenario (
    position     INTEGER PRIMARY KEY, -- taken in turn
    path         TEXT NOT NULL,
    name         TEXT NOT NULL,
    hash         TEXT NOT NULL,       -- of its content
    candidate    TEXT NOT NULL,       -- the version it rolls out, and the image's SHA-256
    image_sha256 TEXT NOT NULL,
    is_candidate INTEGER NOT NULL CHECK (is_candidate IN (0, 1)) -- the burn-in's own image
) STRICT;

CREATE TABLE burnin_cycle (
    cycle        INTEGER PRIMARY KEY, -- from 1
    scenario     INTEGER NOT NULL REFERENCES burnin_scenario (position),
    seed         TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('running', 'passed', 'failed', 'infrastructure',
                                                'interrupted')),
    tries        INTEGER NOT NULL,    -- how often it was begun
    begun        TEXT NOT NULL,       -- the last time
    ended        TEXT NOT NULL,       -- '': not yet, or nobody saw it
    spent_ms     INTEGER NOT NULL,    -- of the try that came to an end
    exit_code    INTEGER NOT NULL,    -- as of `brickyard run`
    verdict      TEXT NOT NULL,
    what         TEXT NOT NULL,       -- was wrong, or why it is right
    cohort       INTEGER NOT NULL, confirmed INTEGER NOT NULL, rolled_back INTEGER NOT NULL,
    bricked      INTEGER NOT NULL,
    cuts         INTEGER NOT NULL,    -- power cuts
    power_cycles INTEGER NOT NULL,    -- off and on again, the factory's too
    transcripts  TEXT NOT NULL        -- folder of the consoles' transcripts
) STRICT;

-- Tries that were none: the infrastructure failed, or the burn-in was killed.
CREATE TABLE burnin_try (
    cycle INTEGER NOT NULL, try INTEGER NOT NULL,
    begun TEXT NOT NULL, ended TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('infrastructure', 'interrupted')),
    what  TEXT NOT NULL,
    PRIMARY KEY (cycle, try)
) STRICT;

-- The gates of a cycle's lab phase, as judged at its end.
CREATE TABLE burnin_gate (
    cycle INTEGER NOT NULL REFERENCES burnin_cycle (cycle), position INTEGER NOT NULL,
    metric TEXT NOT NULL, red_if TEXT NOT NULL,
    comparison TEXT NOT NULL, -- in words: denominator, treatment of silence
    numerator INTEGER NOT NULL, denominator INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('green', 'red', 'hold')),
    PRIMARY KEY (cycle, position)
) STRICT;

-- What was to be done to its boards, and was: kinds of faults that its scenario has, and aimed_cut.
CREATE TABLE burnin_fault (
    cycle INTEGER NOT NULL REFERENCES burnin_cycle (cycle), kind TEXT NOT NULL,
    scheduled INTEGER NOT NULL, armed INTEGER NOT NULL, fired INTEGER NOT NULL,
    PRIMARY KEY (cycle, kind)
) STRICT;

-- Its power cuts, as in the result's table cut.
CREATE TABLE burnin_cut (
    cycle INTEGER NOT NULL REFERENCES burnin_cycle (cycle), position INTEGER NOT NULL,
    state TEXT NOT NULL, region TEXT NOT NULL, form TEXT NOT NULL, cuts INTEGER NOT NULL,
    PRIMARY KEY (cycle, position)
) STRICT;

CREATE TABLE burnin_promise (
    cycle INTEGER NOT NULL REFERENCES burnin_cycle (cycle), name TEXT NOT NULL,
    broken INTEGER NOT NULL, first_what TEXT NOT NULL,
    PRIMARY KEY (cycle, name)
) STRICT;

CREATE TABLE burnin_board (
    cycle INTEGER NOT NULL REFERENCES burnin_cycle (cycle), number INTEGER NOT NULL,
    id TEXT NOT NULL,      -- of the device
    board TEXT NOT NULL,   -- of the bench
    outcome TEXT NOT NULL, -- as in the result's table device
    brick TEXT NOT NULL, reason TEXT NOT NULL, version TEXT NOT NULL,
    PRIMARY KEY (cycle, number)
) STRICT;

-- What was measured of a board; no row: it was not.
CREATE TABLE burnin_measurement (
    cycle INTEGER NOT NULL, number INTEGER NOT NULL,
    name TEXT NOT NULL, value INTEGER NOT NULL, unit TEXT NOT NULL,
    red_if TEXT NOT NULL,  -- '': no limit
    outcome TEXT NOT NULL CHECK (outcome IN ('pass', 'fail', 'none')),
    PRIMARY KEY (cycle, number, name),
    FOREIGN KEY (cycle, number) REFERENCES burnin_board (cycle, number)
) STRICT;
