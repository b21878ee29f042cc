-- Distros made of given files or URLs, and the files that agents have for them.

-- A new row whenever anything of one changes. Either `kernel` with the columns that belong to it, or `chain`. The initrds are lines in the order in which the kernel gets
-- them: they are only ever read all at once, and no file's path or URL holds a line's end.
CREATE TABLE declared_distro (
  name TEXT NOT NULL,
  kernel TEXT,
  initrds TEXT CHECK ((initrds IS NULL) = (kernel IS NULL)),
  arguments TEXT CHECK ((arguments IS NULL) = (kernel IS NULL)),
  chain TEXT CHECK ((chain IS NULL) <> (kernel IS NULL)),
  architecture TEXT NOT NULL,     -- Empty: for every host.
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (name, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX declared_distro_current ON declared_distro (name) WHERE valid_to IS NULL;
CREATE INDEX declared_distro_valid_from ON declared_distro (valid_from);
CREATE INDEX declared_distro_valid_to ON declared_distro (valid_to) WHERE valid_to IS NOT NULL;

-- The files of the agents' folders of files.
CREATE TABLE agent_file (
  agent_id TEXT NOT NULL REFERENCES agent_catalog (agent_id) ON DELETE CASCADE,
  path TEXT NOT NULL,             -- Below the folder.
  size INTEGER NOT NULL,          -- Bytes.
  PRIMARY KEY (agent_id, path)
) STRICT, WITHOUT ROWID;
