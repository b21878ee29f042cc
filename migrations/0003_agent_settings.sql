-- What holds for the hosts of one agent and wins over the settings of the whole server; its variables are in `variable`,
-- with the scope 'agent'. A new row whenever one of them or of its variables changes. No row: nothing of its own. NULL: the
-- server's.
CREATE TABLE agent_setting (
  agent_id TEXT NOT NULL,
  default_distro TEXT,
  rootfs_path_prefix TEXT,
  valid_from INTEGER NOT NULL REFERENCES revision (number),
  valid_to INTEGER REFERENCES revision (number) CHECK (valid_to > valid_from),
  PRIMARY KEY (agent_id, valid_from)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agent_setting_current ON agent_setting (agent_id) WHERE valid_to IS NULL;
CREATE INDEX agent_setting_valid_from ON agent_setting (valid_from);
CREATE INDEX agent_setting_valid_to ON agent_setting (valid_to) WHERE valid_to IS NOT NULL;
