"""Holds JSON to the types that the official SDKs publish, more strictly than the SDKs do themselves.

The SDKs' request types are TypedDicts, which Python never checks; their answer types are pydantic models, which let
unknown members pass. Here an unknown member, a missing one or a wrong type is a fault with its path.
"""

import functools
import types
import typing

import pydantic
import typing_extensions

UNIONS = (typing.Union, types.UnionType)
LISTS = (list, typing.List, typing.Iterable, typing.Sequence)
WRAPPERS = (typing.Required, typing.NotRequired, typing_extensions.Required, typing_extensions.NotRequired)


class Fault(Exception):
    """Something that the provider refuses."""


@functools.cache
def hints(kind):
    return typing_extensions.get_type_hints(kind, include_extras=True)


@functools.cache
def members(kind):
    """From the name on the wire to type and whether it is required."""
    found = {}
    for name, hint in hints(kind).items():
        required = name in kind.__required_keys__
        if typing.get_origin(hint) in WRAPPERS:
            required = typing.get_origin(hint) in WRAPPERS[::2]
            (hint,) = typing.get_args(hint)
        for note in getattr(hint, "__metadata__", ()):
            name = getattr(note, "alias", None) or name
        found[name] = (hint, required)
    return found


def faults(value, kind, path=""):
    """What is wrong with a JSON value; empty where nothing is."""
    origin = typing.get_origin(kind)
    if kind in (typing.Any, object):
        return []
    if origin is typing.Annotated or origin in WRAPPERS:
        return faults(value, typing.get_args(kind)[0], path)
    if hasattr(kind, "__value__"):
        return faults(value, kind.__value__, path)
    if origin in UNIONS:
        return union(value, typing.get_args(kind), path)
    if origin is typing.Literal or origin is typing_extensions.Literal:
        known = typing.get_args(kind)
        # 1 == True in Python, but not in JSON.
        right = any(type(value) is type(one) and value == one for one in known)
        return [] if right else [f"{path}: {value!r} is none of {known}"]
    if kind is None or kind is type(None):
        return [] if value is None else [f"{path}: must be null"]
    if typing_extensions.is_typeddict(kind):
        return typed(value, kind, path)
    if origin is dict or origin is typing.Mapping or getattr(origin, "__name__", "") == "Mapping":
        if not isinstance(value, dict):
            return [f"{path}: must be an object"]
        inner = typing.get_args(kind)[1]
        return [fault for name, item in value.items() for fault in faults(item, inner, f"{path}.{name}")]
    if is_list(kind, origin):
        if not isinstance(value, list):
            return [f"{path}: must be an array"]
        inner = typing.get_args(kind)[0]
        return [fault for index, item in enumerate(value) for fault in faults(item, inner, f"{path}[{index}]")]
    return scalar(value, kind, path)


def is_list(kind, origin):
    name = getattr(origin, "__name__", "")
    return origin in LISTS or name in ("Iterable", "Sequence", "SequenceNotStr")


def scalar(value, kind, path):
    if kind is float:
        right = isinstance(value, (int, float)) and not isinstance(value, bool)
    elif kind is int:
        right = isinstance(value, int) and not isinstance(value, bool)
    elif kind in (str, bool):
        right = isinstance(value, kind)
    else:
        # A Python object that the SDK would turn into JSON before it sends anything.
        right = False
    return [] if right else [f"{path}: {value!r} is no {getattr(kind, '__name__', kind)}"]


def typed(value, kind, path):
    if not isinstance(value, dict):
        return [f"{path}: must be an object"]
    known = members(kind)
    found = [f"{path}.{name}: unknown member" for name in value if name not in known]
    found += [f"{path}.{name}: missing" for name, (_, required) in known.items() if required and name not in value]
    for name, item in value.items():
        if name in known:
            found += faults(item, known[name][0], f"{path}.{name}")
    return found


def union(value, kinds, path):
    """The faults of the kind that is meant: by its `type` or `role`, else the one that comes closest."""
    best = None
    for kind in kinds:
        found = faults(value, kind, path)
        if not found:
            return []
        marks = (f"{path}: ", f"{path}.type: ", f"{path}.role: ")
        rank = (any(fault.startswith(marks) for fault in found), len(found))
        if best is None or rank < best[0]:
            best = (rank, found)
    return best[1]


def request(value, kind):
    """Refuses a request that is not of its type."""
    found = faults(value, kind)
    if found:
        raise Fault("; ".join(found[:5]))


@functools.cache
def adapter(kind):
    return pydantic.TypeAdapter(kind)


def answer(value, kind, also=()):
    """Hands back an answer that its type takes, without members that the type does not know but for those named."""
    made = adapter(kind).validate_python(value)
    stray = [name for name in strays(made) if name.rsplit(".")[-1] not in also]
    assert not stray, f"{kind} does not know {stray}"
    return value


def strays(model, path=""):
    if isinstance(model, pydantic.BaseModel):
        found = [f"{path}.{name}" for name in model.model_extra or {}]
        for name in type(model).model_fields:
            found += strays(getattr(model, name), f"{path}.{name}")
        return found
    if isinstance(model, (list, tuple)):
        return [fault for item in model for fault in strays(item, path)]
    return []
