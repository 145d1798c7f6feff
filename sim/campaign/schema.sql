-- The campaign service's own tables, in the database of the run. Times are microseconds since 1970, -1 never.
CREATE TABLE IF NOT EXISTS camp_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    campaign_id TEXT NOT NULL,
    devices INTEGER NOT NULL,
    state INTEGER NOT NULL,          -- enum camp_state
    phase INTEGER NOT NULL,          -- current one, -1 before the first tick
    now_us INTEGER NOT NULL,         -- tick of this row
    stopped_us INTEGER NOT NULL,
    rate_next_us INTEGER NOT NULL,   -- nominal time of the next enrolment under a rate
    send_number INTEGER NOT NULL,    -- highest number of a message ever used
    statuses INTEGER NOT NULL, telemetry INTEGER NOT NULL, pongs INTEGER NOT NULL,
    late INTEGER NOT NULL, alien INTEGER NOT NULL, dropped INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS camp_device (
    device INTEGER PRIMARY KEY,      -- place in the registry; no row: nothing happened yet
    phase INTEGER NOT NULL,
    position INTEGER NOT NULL,       -- in the order of its phase
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,            -- last one that counted, as on the wire
    outcome INTEGER NOT NULL,        -- enum rep_outcome
    flags INTEGER NOT NULL,          -- 1 presumed brick, 2 crashed, 4 deferred, 8 rollback ordered
    alerted INTEGER NOT NULL,        -- bits by kind of alert
    enrolled_us INTEGER NOT NULL, notified_us INTEGER NOT NULL, heard_us INTEGER NOT NULL,
    outcome_us INTEGER NOT NULL, confirmed_us INTEGER NOT NULL, approve_us INTEGER NOT NULL,
    version_us INTEGER NOT NULL,
    version TEXT NOT NULL,           -- that runs, as far as the device said
    reason TEXT NOT NULL,
    silent_us INTEGER NOT NULL       -- without an outcome by then it is silent
);
-- Telemetry before and after the update and answers to pings; README draws the bytes.
CREATE TABLE IF NOT EXISTS camp_measured (
    device INTEGER PRIMARY KEY,
    sums BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS camp_phase (
    phase INTEGER PRIMARY KEY,
    result INTEGER NOT NULL,         -- enum rep_phase_result
    started_us INTEGER NOT NULL, hold_from_us INTEGER NOT NULL, ended_us INTEGER NOT NULL,
    cohort INTEGER NOT NULL, confirmed INTEGER NOT NULL, rolled_back INTEGER NOT NULL,
    bricked INTEGER NOT NULL,
    paused_us INTEGER NOT NULL       -- of the hold, which does not count
);
CREATE TABLE IF NOT EXISTS camp_gate (
    phase INTEGER NOT NULL, gate INTEGER NOT NULL,
    state INTEGER NOT NULL,          -- enum rep_gate_state
    numerator INTEGER NOT NULL, denominator INTEGER NOT NULL,
    at_us INTEGER NOT NULL,          -- when the state was entered, or judged for good
    overruled INTEGER NOT NULL,      -- 1: resumed in spite of it, judged no more
    PRIMARY KEY (phase, gate)
);
CREATE TABLE IF NOT EXISTS camp_alert (
    alert INTEGER PRIMARY KEY,
    at_us INTEGER NOT NULL, kind INTEGER NOT NULL, level INTEGER NOT NULL,
    device INTEGER NOT NULL,         -- -1: the campaign
    cause TEXT NOT NULL
);
-- Messages that were decided and perhaps not sent yet; the row goes once it was taken.
CREATE TABLE IF NOT EXISTS camp_outgoing (
    number INTEGER PRIMARY KEY,      -- grows by one; names the command on the wire
    at_us INTEGER NOT NULL, device INTEGER NOT NULL,
    command INTEGER NOT NULL         -- enum camp_command, 0: the notification
);
