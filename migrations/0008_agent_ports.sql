-- Where an agent listens: scripts name its ports, and one that listens on every address reports no endpoint.
-- 0: it has not said.
ALTER TABLE agent ADD COLUMN http_port INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent ADD COLUMN tftp_port INTEGER NOT NULL DEFAULT 0;
