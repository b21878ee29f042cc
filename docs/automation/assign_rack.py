#!/usr/bin/python3
"""Assigns a distro to a rack of hosts in one request, waits until the agents serve it, and reads it back.

    assign_rack.py [--server HOST:PORT] [--agent ID]... [--timeout SECONDS] DISTRO HOST...

HOST is a name or a MAC; one "-" in its place reads them from standard input, one a line. Prints one line for each host. Ends with 0 when every
host is assigned and served, 1 when the server refused, 2 for wrong usage, 3 when the server or an agent did not answer in time.

Needs Debian's python3-grpcio and python3-protobuf, and the stubs of the protos in PYTHONPATH: see docs/automation.md.
"""

import argparse
import getpass
import sys
import time
import uuid

import grpc
from autopxe.v1 import agent_pb2, agent_pb2_grpc, configuration_pb2, configuration_pb2_grpc, error_pb2

REFUSED = 1
UNREACHABLE = 3

# The server may be starting, or its connection cut: worth another try. With the same request id it is applied once, whatever got lost.
TRY_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class Failure(Exception):
    """Why it ends early: lines for people, and the exit code."""

    def __init__(self, code, *lines):
        super().__init__("\n".join(lines))
        self.code = code


class Deadline:
    """Until when all must be done."""

    def __init__(self, seconds):
        self._end = time.monotonic() + seconds

    def left(self):
        """Seconds; 0 when it is over."""
        return max(0.0, self._end - time.monotonic())


def error_details(error):
    """The ErrorDetails that a refusal carries: what is wrong, mutation by mutation."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for packed in error_pb2.StatusDetails.FromString(value).details:
                yield error_pb2.ErrorDetail.FromString(packed.value)


def refusal(error, hosts):
    """A Failure that says which hosts are at fault, and what was probably meant."""
    lines = []
    for detail in error_details(error):
        host = f"{hosts[detail.mutation]}: " if 0 <= detail.mutation < len(hosts) else ""
        meant = f" Did you mean {' or '.join(detail.suggestions)}?" if detail.suggestions else ""
        lines.append(f"{host}{error_pb2.Reason.Name(detail.reason)}: {detail.message}{meant}")
    return Failure(REFUSED, *(lines or [f"{error.code().name}: {error.details()}"]))


def call(method, request, deadline):
    """One call, tried again while the server is away and there is time."""
    said = False
    while True:
        try:
            return method(request, timeout=min(10.0, deadline.left()))
        except grpc.RpcError as error:
            if error.code() not in TRY_AGAIN:
                raise
            if deadline.left() < 1:
                raise Failure(UNREACHABLE, f"the server does not answer: {error.details()}") from None
            if not said:
                print(f"waiting for the server: {error.details()}", file=sys.stderr, flush=True)
                said = True
        time.sleep(0.5)


def assign(configuration, hosts, distro, deadline):
    """Assigns all hosts or none. Returns the server's response."""
    request = configuration_pb2.AssignHostsRequest(
        hosts=hosts, distro=distro,
        options=configuration_pb2.RequestOptions(request_id=str(uuid.uuid4()), user=getpass.getuser()))
    try:
        return call(configuration.AssignHosts, request, deadline)
    except grpc.RpcError as error:
        raise refusal(error, hosts) from None


def list_agents(agents, deadline):
    """Every agent, page by page."""
    request = agent_pb2.ListAgentsRequest(page_size=1000)
    while True:
        page = call(agents.ListAgents, request, deadline)
        yield from page.agents
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def serves(agent, revision):
    """Whether an agent's hosts boot what was configured at a revision. A lag of -1: what it has is none of this server's."""
    return agent.lag >= 0 and agent.status.applied.number >= revision


def wait_until_served(agents, wanted, revision, deadline):
    """Waits for the agents in `wanted`; for all that are connected if it is empty. One that is away catches up when it comes back."""
    while True:
        known = {agent.id: agent for agent in list_agents(agents, deadline)}
        awaited = wanted or [name for name, agent in known.items() if agent.connected]
        behind = [name for name in awaited if name not in known or not serves(known[name], revision)]
        if not behind:
            away = sorted(name for name, agent in known.items() if name not in awaited)
            return awaited, away
        if deadline.left() < 1:
            raise Failure(UNREACHABLE, *(
                f"agent {name} serves revision {known[name].status.applied.number}, not yet {revision}"
                if name in known else f"agent {name} was never heard of" for name in behind))
        time.sleep(0.2)


def read_back(configuration, hosts, distro, deadline):
    """What the server has for each host now."""
    for name in hosts:
        try:
            host = call(configuration.GetHost, configuration_pb2.GetHostRequest(host=name), deadline)
        except grpc.RpcError as error:
            raise Failure(REFUSED, f"{name}: {error.details()}") from None
        if host.distro != distro:
            raise Failure(REFUSED, f"{name}: somebody else has assigned {host.distro or 'nothing'} since")
        yield host


def main():
    parser = argparse.ArgumentParser(description="Assigns a distro to a rack of hosts and waits until the agents serve it.")
    parser.add_argument("--server", default="127.0.0.1:7766", help="host:port of autopxe-server (%(default)s)")
    parser.add_argument("--agent", action="append", default=[], help="an agent that must serve it; default: all that are connected")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds for all of it (%(default)s)")
    parser.add_argument("distro")
    parser.add_argument("host", nargs="+")
    arguments = parser.parse_args()
    hosts = arguments.host if arguments.host != ["-"] else sys.stdin.read().split()
    if not hosts:
        parser.error("standard input names no host")
    deadline = Deadline(arguments.timeout)
    with grpc.insecure_channel(arguments.server) as channel:
        configuration = configuration_pb2_grpc.ConfigurationServiceStub(channel)
        agents = agent_pb2_grpc.AgentServiceStub(channel)
        response = assign(configuration, hosts, arguments.distro, deadline)
        for warning in response.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        revision = response.revision.id.number
        serving, away = wait_until_served(agents, arguments.agent, revision, deadline)
        for name in away:
            print(f"warning: agent {name} was not waited for", file=sys.stderr)
        for host in read_back(configuration, hosts, arguments.distro, deadline):
            print(f"{host.name} boots {host.distro} since revision {host.etag}, served by {', '.join(serving) or 'no agent'}")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(failure, file=sys.stderr)
        sys.exit(failure.code)
    except grpc.RpcError as failed:
        print(f"{failed.code().name}: {failed.details()}", file=sys.stderr)
        sys.exit(REFUSED)
