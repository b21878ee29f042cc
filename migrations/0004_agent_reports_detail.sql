-- More of what agents say of themselves.

-- Microseconds, at last_seen_us, since what it serves was known to be current; NULL when it serves nothing.
ALTER TABLE agent ADD COLUMN view_age_us INTEGER;
-- What it could not do, one sentence a line; empty when all is well.
ALTER TABLE agent ADD COLUMN problems TEXT NOT NULL DEFAULT '';

-- What the kernel runs on, by its header; empty when that is unknown.
ALTER TABLE agent_kernel ADD COLUMN architecture TEXT NOT NULL DEFAULT '';
-- Bytes.
ALTER TABLE agent_kernel ADD COLUMN kernel_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent_kernel ADD COLUMN initrd_size INTEGER NOT NULL DEFAULT 0;

-- When a name of a kernel began to stand for another version at an agent. The newest 1,000 are kept.
CREATE TABLE kernel_move (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us INTEGER NOT NULL,         -- Microseconds since 1970-01-01 00:00 UTC, by the server's clock.
  agent_id TEXT NOT NULL,
  distro TEXT NOT NULL,
  release TEXT NOT NULL,
  kernel TEXT NOT NULL,             -- "latest", "previous" or "default".
  version_before TEXT NOT NULL,
  version_after TEXT NOT NULL,
  hosts INTEGER NOT NULL            -- How many would boot it then.
) STRICT;
