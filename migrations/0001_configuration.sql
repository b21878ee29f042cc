-- What hosts boot. The tables are their own history: a row holds from the revision valid_from until just before the
-- revision valid_to; the current row of a thing has no valid_to. Nothing is ever updated but a NULL valid_to. So the
-- configuration at a revision, what a revision changed, and the way back are queries.

-- One row for each accepted request that changed something. Numbers have no gap and no repeat.
CREATE TABLE revision (
  number INTEGER PRIMARY KEY CHECK (number > 0),
  tag INTEGER NOT NULL,           -- 64 random bits: tells apart two revisions of one number after a restore.
  time_us INTEGER NOT NULL,       -- Microseconds since 1970-01-01 00:00 UTC, by the server's clock.
  user TEXT NOT NULL,             -- What the caller claimed; may be empty.
  origin TEXT NOT NULL,           -- The peer's address; may be empty.
  request_id TEXT UNIQUE,         -- NULL when the caller chose none.
  request_digest TEXT NOT NULL    -- Identifies the request's content, to refuse its id for another one.
) STRICT;

-- One row. Changes up to this revision can't be told any more, because rows that ended by then may have been deleted.
CREATE TABLE history (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  trimmed_to INTEGER NOT NULL
) STRICT;
INSERT INTO history (only, trimmed_to) VALUES (1, 0);

-- Who hosts are, whatever they are called. AUTOINCREMENT: an id is never used again, even when its row is gone.
CREATE TABLE host_identity (
  id INTEGER PRIMARY KEY AUTOINCREMENT
) STRICT;

-- A host has a new row whenever anything of it changes, its MACs and its assignment included: valid_from of its current
-- row is its etag.
CREATE TABLE host (
  id INTEGER NOT NULL REFERENCES host_identity (id),
  name TEXT NOT NULL,
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX host_current ON host (id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX host_current_name ON host (name) WHERE valid_to IS NULL;
CREATE INDEX host_valid_from ON host (valid_from);
CREATE INDEX host_valid_to ON host (valid_to) WHERE valid_to IS NOT NULL;

-- The MAC addresses by which a host is known, as "52:54:00:12:34:56".
CREATE TABLE host_mac (
  host_id INTEGER NOT NULL REFERENCES host_identity (id),
  mac TEXT NOT NULL CHECK (length(mac) = 17),
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (host_id, mac, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX host_mac_current ON host_mac (mac) WHERE valid_to IS NULL;
CREATE INDEX host_mac_valid_to ON host_mac (valid_to) WHERE valid_to IS NOT NULL;

-- The distro that a host boots until something else is assigned.
CREATE TABLE assignment (
  host_id INTEGER NOT NULL REFERENCES host_identity (id),
  distro TEXT NOT NULL,
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (host_id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX assignment_current ON assignment (host_id) WHERE valid_to IS NULL;
CREATE INDEX assignment_valid_to ON assignment (valid_to) WHERE valid_to IS NOT NULL;

-- Named templates of kernel command lines.
CREATE TABLE profile (
  name TEXT NOT NULL,
  command_line TEXT NOT NULL,
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (name, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX profile_current ON profile (name) WHERE valid_to IS NULL;
CREATE INDEX profile_valid_from ON profile (valid_from);
CREATE INDEX profile_valid_to ON profile (valid_to) WHERE valid_to IS NOT NULL;

-- The settings, all in one row; a new row whenever one of them or a global variable changes. No row: all at their
-- defaults. NULL: at its default.
CREATE TABLE setting (
  default_distro TEXT,
  unknown_hosts TEXT,
  menu_timeout_s INTEGER NOT NULL CHECK (menu_timeout_s > 0),
  rootfs_path_prefix TEXT,
  valid_from INTEGER PRIMARY KEY REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from)
) STRICT;
CREATE UNIQUE INDEX setting_current ON setting ((1)) WHERE valid_to IS NULL;
CREATE INDEX setting_valid_to ON setting (valid_to) WHERE valid_to IS NOT NULL;

-- Values that templates use, by where they hold. scope_key: an agent's id, a group's name or a host's id; empty for
-- 'global'.
CREATE TABLE variable (
  scope TEXT NOT NULL CHECK (scope IN ('global', 'agent', 'group', 'host')),
  scope_key TEXT NOT NULL CHECK ((scope = 'global') = (scope_key = '')),
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (scope, scope_key, name, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX variable_current ON variable (scope, scope_key, name) WHERE valid_to IS NULL;
CREATE INDEX variable_valid_to ON variable (valid_to) WHERE valid_to IS NOT NULL;
