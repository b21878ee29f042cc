-- What agents said of themselves last. It is no configuration: it makes no revision and has no history.

CREATE TABLE agent (
  id TEXT PRIMARY KEY,
  last_seen_us INTEGER NOT NULL,    -- Microseconds since 1970-01-01 00:00 UTC, by the server's clock.
  applied_number INTEGER NOT NULL,  -- The revision that it serves.
  applied_tag INTEGER NOT NULL,
  version TEXT NOT NULL,
  instance TEXT NOT NULL,           -- Tells two processes with one id apart.
  start_time_us INTEGER NOT NULL,   -- By the agent's clock.
  http_address TEXT NOT NULL,       -- Empty when it does not know.
  tftp_address TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which agents have reported a catalog, be it before their first status: one that is empty has no rows below.
CREATE TABLE agent_catalog (
  agent_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_release (
  agent_id TEXT NOT NULL REFERENCES agent_catalog (agent_id) ON DELETE CASCADE,
  distro TEXT NOT NULL,
  name TEXT NOT NULL,
  alias_of TEXT NOT NULL,           -- The release that this one is a link to; else empty.
  PRIMARY KEY (agent_id, distro, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_kernel (
  agent_id TEXT NOT NULL,
  distro TEXT NOT NULL,
  release TEXT NOT NULL,
  position INTEGER NOT NULL,        -- In the menu, from 0.
  name TEXT NOT NULL,
  version TEXT NOT NULL,
  kernel_path TEXT NOT NULL,        -- Below the release.
  initrd_path TEXT NOT NULL,
  PRIMARY KEY (agent_id, distro, release, position),
  FOREIGN KEY (agent_id, distro, release) REFERENCES agent_release (agent_id, distro, name)
    ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE agent_loader (
  agent_id TEXT NOT NULL REFERENCES agent_catalog (agent_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  PRIMARY KEY (agent_id, name)
) STRICT, WITHOUT ROWID;
