#!/usr/bin/python3
"""Declares an installer of a kernel and its initrds, and has hosts boot it once, as one change.

    install_once.py [--server HOST:PORT] NAME --kernel FILE [--initrd FILE]... [--arguments TEMPLATE] HOST...

Ends with 1, and has changed nothing, when the server refused or did not answer. Needs what assign_rack.py needs: see docs/automation.md.
"""

import argparse
import getpass
import sys
import uuid

import grpc
from autopxe.v1 import configuration_pb2, configuration_pb2_grpc


def build_request(name, kernel, hosts):
    """One batch: the declaration, then each host's next boot."""
    request = configuration_pb2.ApplyRequest(
        options=configuration_pb2.RequestOptions(request_id=str(uuid.uuid4()), user=getpass.getuser()))
    request.mutations.add(declare_distro=configuration_pb2.DeclaredDistro(name=name, kernel=kernel))
    for host in hosts:
        request.mutations.add(assign=configuration_pb2.Mutation.Assign(host=host, distro=name, next_boot=True))
    return request


def main():
    parser = argparse.ArgumentParser(description="Declares an installer and has hosts boot it once, as one change.")
    parser.add_argument("--server", default="127.0.0.1:7766", help="host:port of autopxe-server (%(default)s)")
    parser.add_argument("--kernel", required=True, help="a path below the agents' folder of files, or a URL")
    parser.add_argument("--initrd", action="append", default=[], help="the same; several in their order")
    parser.add_argument("--arguments", default="", help="the template of its command line")
    parser.add_argument("name")
    parser.add_argument("host", nargs="+")
    arguments = parser.parse_args()
    kernel = configuration_pb2.DeclaredDistro.Kernel(
        file=arguments.kernel, initrds=arguments.initrd, arguments=arguments.arguments)
    with grpc.insecure_channel(arguments.server) as channel:
        configuration = configuration_pb2_grpc.ConfigurationServiceStub(channel)
        try:
            response = configuration.Apply(build_request(arguments.name, kernel, arguments.host), timeout=30)
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}", file=sys.stderr)
            return 1
    for warning in response.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{len(arguments.host)} hosts boot {arguments.name} once, since revision {response.revision.id.number}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
