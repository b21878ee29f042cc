-- The history of one host is asked for by any name or MAC that it ever had. The rows that hold now have an index already;
-- these are of those that have ended, so that a new host costs nothing more.
CREATE INDEX host_ended_name ON host (name) WHERE valid_to IS NOT NULL;
CREATE INDEX host_mac_ended ON host_mac (mac) WHERE valid_to IS NOT NULL;
