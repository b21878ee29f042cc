"""What of .proto files other programs depend on, as text: one line for each element.

Lines of one element begin alike, so that a change of it shows as one line in place of another:

    message autopxe.v1.Agent
    field autopxe.v1.Agent.reasons = 9 repeated string
    enum autopxe.v1.AgentState
    value autopxe.v1.AgentState.AGENT_STATE_AWAY = 3
    service autopxe.v1.AgentService
    method autopxe.v1.AgentService.ListAgents = autopxe.v1.ListAgentsRequest -> autopxe.v1.ListAgentsResponse
"""

import pathlib
import subprocess
import tempfile

from google.protobuf import descriptor_pb2

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {number: name[len("TYPE_"):].lower() for name, number in _Field.Type.items()}


def of_folder(proto):
    """The surface of every file below autopxe/ in the folder `proto`, sorted. Raises CalledProcessError where protoc does."""
    files = sorted(str(path.relative_to(proto)) for path in pathlib.Path(proto).glob("autopxe/**/*.proto"))
    with tempfile.NamedTemporaryFile() as output:
        subprocess.run(["/usr/bin/protoc", f"-I{proto}", "-I/usr/include", f"--descriptor_set_out={output.name}", *files],
                       check=True, capture_output=True, text=True)
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(output.read())
    lines = []
    for file in descriptors.file:
        scope = file.package
        for message in file.message_type:
            lines += _message(scope, message)
        for enum in file.enum_type:
            lines += _enum(scope, enum)
        for service in file.service:
            lines += _service(scope, service)
    return sorted(lines)


def element(line):
    """What a line is about: its kind and name."""
    return " ".join(line.split()[:2])


def _message(scope, message):
    name = f"{scope}.{message.name}"
    yield f"message {name}"
    maps = {f".{name}.{nested.name}": nested for nested in message.nested_type if nested.options.map_entry}
    for field in message.field:
        yield f"field {name}.{field.name} = {field.number} {_type(field, maps)}{_oneof(message, field)}"
    for nested in message.nested_type:
        if not nested.options.map_entry:
            yield from _message(name, nested)
    for enum in message.enum_type:
        yield from _enum(name, enum)


def _type(field, maps):
    entry = maps.get(field.type_name)
    if entry is not None:
        key, value = entry.field
        return f"map<{_type(key, {})}, {_type(value, {})}>"
    name = field.type_name.lstrip(".") or _TYPES[field.type]
    if field.label == _Field.LABEL_REPEATED:
        return "repeated " + name
    return "optional " + name if field.proto3_optional else name


def _oneof(message, field):
    # protoc makes a oneof of its own for each "optional".
    if field.proto3_optional or not field.HasField("oneof_index"):
        return ""
    return " in oneof " + message.oneof_decl[field.oneof_index].name


def _enum(scope, enum):
    name = f"{scope}.{enum.name}"
    yield f"enum {name}"
    for value in enum.value:
        yield f"value {name}.{value.name} = {value.number}"


def _service(scope, service):
    name = f"{scope}.{service.name}"
    yield f"service {name}"
    for method in service.method:
        yield (f"method {name}.{method.name} = {_stream(method.client_streaming)}{method.input_type.lstrip('.')} -> "
               f"{_stream(method.server_streaming)}{method.output_type.lstrip('.')}")


def _stream(streaming):
    return "stream " if streaming else ""
