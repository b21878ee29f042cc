"""autopxe-server as a process, and what its clients call."""

import importlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import grpc

sys.path.insert(0, str(pathlib.Path(os.path.realpath(__file__)).parents[1] / "lib"))
from daemon import PATIENCE, Daemon  # noqa: E402  (found through the path above)


def load_messages(proto):
    """Makes the messages' modules of the folder with `proto` ready to be imported as autopxe.v1.*_pb2."""
    folder = os.path.dirname(os.path.abspath(proto))
    root = os.path.dirname(os.path.dirname(folder))
    made = tempfile.mkdtemp(prefix="autopxe-protos-", dir=os.environ.get("TEST_TMPDIR"))
    protos = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".proto")]
    subprocess.run(["protoc", f"--proto_path={root}", f"--python_out={made}", *protos], check=True)
    sys.path.insert(0, made)
    return (importlib.import_module(f"autopxe.v1.{name}_pb2") for name in ("configuration", "agent"))


class Program(Daemon):
    """A server on a database. A context: its end is a SIGKILL."""

    def __init__(self, server, database):
        super().__init__(server, "--listen", "127.0.0.1:0", "--database", database, protocols=["grpc"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.stop()

    def connect(self):
        """A connection of its own."""
        return grpc.insecure_channel(self.address["grpc"], options=[("grpc.use_local_subchannel_pool", 1)])


def call(channel, method, request, response):
    """A method of autopxe.v1, as "ConfigurationService/ListHosts"; fails with grpc.RpcError."""
    return channel.unary_unary("/autopxe.v1." + method, request_serializer=type(request).SerializeToString,
                               response_deserializer=response.FromString)(request, timeout=PATIENCE)


def list_hosts(channel, configuration):
    """All hosts, by name."""
    hosts = {}
    request = configuration.ListHostsRequest(page_size=1000)
    while True:
        page = call(channel, "ConfigurationService/ListHosts", request, configuration.ListHostsResponse)
        hosts.update((host.name, host) for host in page.hosts)
        if not page.next_page_token:
            return hosts
        request.page_token = page.next_page_token


def mac(number):
    digits = f"5254{number:08x}"
    return ":".join(digits[i:i + 2] for i in range(0, 12, 2))
