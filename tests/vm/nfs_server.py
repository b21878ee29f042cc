"""An NFS server in user space: a kernel's own would be the whole machine's."""

import glob
import os
import shutil
import socket

import cluster

_PLUGINS = "/usr/lib/*/ganesha/libfsalvfs.so"


def missing():
    """Why there can be none here, or None."""
    for tool in ("ganesha.nfsd", "rpcbind"):
        if shutil.which(tool) is None:
            return f"there is no {tool} in PATH"
    if not glob.glob(_PLUGINS):
        return f"there is no {_PLUGINS}"
    if os.geteuid() != 0 or not _is_real_root():
        # It opens files by their handles, which a user namespace does not allow.
        return "nfs-ganesha needs root"
    return None


def _is_real_root():
    with open("/proc/self/uid_map", encoding="ascii") as uid_map:
        return uid_map.read().split() == ["0", "0", "4294967295"]


class NfsServer:
    """Exports one folder by NFSv3 to a subnet that is in the lab's own namespace."""

    def __init__(self, subnet, folder):
        self._subnet = subnet
        self._folder = folder

    def start(self):
        # NFSv3 asks rpcbind for the ports. Both keep their sockets in /run, which is the lab's own.
        self._subnet.start("rpcbind", ["rpcbind", "-f"])
        cluster.await_true("rpcbind", lambda: _accepts(self._subnet.address, 111))
        configuration = self._subnet.lab.path("ganesha.conf")
        with open(configuration, "w", encoding="ascii") as output:
            output.write(_CONFIGURATION.format(
                plugins=os.path.dirname(glob.glob(_PLUGINS)[0]), folder=self._folder,
                state=self._subnet.lab.path("ganesha")))
        self._subnet.start("ganesha", [
            "ganesha.nfsd", "-F", "-L", "STDOUT", "-f", configuration, "-p", "/run/ganesha.pid",
            "-N", "EVENT"])
        cluster.await_true("NFS server", lambda: _accepts(self._subnet.address, 2049))


def _accepts(address, port):
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True


# Hosts' initrds mount without locks (nolock): no NLM.
_CONFIGURATION = """
NFS_CORE_PARAM {{
    Plugins_Dir = "{plugins}";
    Protocols = 3;
    Enable_NLM = false;
    Enable_RQUOTA = false;
}}
NFS_KRB5 {{
    Active_krb5 = false;
}}
NFSV4 {{
    RecoveryRoot = "{state}";
}}
EXPORT {{
    Export_Id = 1;
    Path = "{folder}";
    Pseudo = "/";
    Protocols = 3;
    Transports = TCP, UDP;
    Access_Type = RW;
    Squash = No_Root_Squash;
    SecType = sys;
    FSAL {{ Name = VFS; }}
}}
"""
