-- What the server needs to render what an agent would, and who used up which next-boot assignment.

-- The agent's own rootfs folder; empty when it has not said.
ALTER TABLE agent ADD COLUMN rootfs_folder TEXT NOT NULL DEFAULT '';
-- The address that its scripts name; empty: the one at which they are asked for.
ALTER TABLE agent ADD COLUMN advertise TEXT NOT NULL DEFAULT '';

-- Next-boot assignments that hosts have used, as agents reported it, so that a second use at another agent is noticed. It is
-- no configuration: it makes no revision. The newest 10,000 are kept.
CREATE TABLE next_boot_use (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  host_id INTEGER NOT NULL,
  token INTEGER NOT NULL,           -- next_boot.token.
  agent_id TEXT NOT NULL,
  time_us INTEGER NOT NULL,         -- Microseconds since 1970-01-01 00:00 UTC, by the agent's clock.
  distro TEXT NOT NULL,             -- What it was; empty if that was no longer known when it was reported.
  UNIQUE (host_id, token, agent_id)
) STRICT;
