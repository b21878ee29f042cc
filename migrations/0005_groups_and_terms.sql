-- Labels, notes, locks, terms and groups.

-- A remark for people.
ALTER TABLE host ADD COLUMN note TEXT NOT NULL DEFAULT '';
-- 1: what it boots is changed by force only.
ALTER TABLE host ADD COLUMN locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1));

-- What selectors look at.
CREATE TABLE host_label (
  host_id INTEGER NOT NULL REFERENCES host_identity (id),
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (host_id, key, valid_from)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_label_valid_to ON host_label (valid_to) WHERE valid_to IS NOT NULL;

-- The distro that a host boots instead of the standing one until a time.
CREATE TABLE timed_assignment (
  host_id INTEGER NOT NULL REFERENCES host_identity (id),
  distro TEXT NOT NULL,
  until_us INTEGER NOT NULL,      -- Microseconds since 1970-01-01 00:00 UTC.
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (host_id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE INDEX timed_assignment_valid_to ON timed_assignment (valid_to) WHERE valid_to IS NOT NULL;

-- The distro that a host boots once. `token` is the revision that made it, which a row that begins later may repeat.
CREATE TABLE next_boot (
  host_id INTEGER NOT NULL REFERENCES host_identity (id),
  distro TEXT NOT NULL,
  token INTEGER NOT NULL,
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (host_id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE INDEX next_boot_valid_to ON next_boot (valid_to) WHERE valid_to IS NOT NULL;

-- What holds for the hosts whose labels a selector matches; its variables are in `variable`, with the scope 'group'. A new
-- row whenever one of them or of its variables changes.
CREATE TABLE host_group (
  name TEXT NOT NULL,
  selector TEXT NOT NULL,
  priority INTEGER NOT NULL,
  distro TEXT,                    -- NULL: it says nothing of that.
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (name, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX host_group_current ON host_group (name) WHERE valid_to IS NULL;
CREATE INDEX host_group_valid_from ON host_group (valid_from);
CREATE INDEX host_group_valid_to ON host_group (valid_to) WHERE valid_to IS NOT NULL;
