"""How each kind of provider proves a key: where it stands, and that it is the right one."""

import datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from . import facts
from .shape import Fault


class UnknownKey(Exception):
    """The key is not, or no longer, valid."""


def check(kind, request, body):
    """Refuses a request with a wrong key, or with the right one in a wrong place."""
    for name, value in request.headers.items():
        # The caller's own credential has to stay in the gateway.
        if "gth_" in value:
            raise Fault(f"the virtual key came through in {name}")
    if "key=" in request.path:
        raise Fault("a key in the address")
    if kind == "bedrock":
        return check_signature(request, body)
    given = presented(kind, request.headers)
    if given == facts.REVOKED[kind] and request.command == "GET":
        return None
    if given != facts.KEYS[kind]:
        raise UnknownKey


def presented(kind, headers):
    # Anthropic takes the old place and, as its SDKs of today have it, a bearer.
    either = ("azure-v1", "anthropic")
    places = {"anthropic": "x-api-key", "gemini": "x-goog-api-key", "azure": "api-key", "azure-v1": "api-key"}
    place = places.get(kind, "authorization")
    for other in {"x-api-key", "x-goog-api-key", "api-key", "authorization"} - {place}:
        # Never both at once.
        if headers.get(other) and not (kind in either and other == "authorization" and not headers.get(place)):
            raise Fault(f"a credential in {other}, which is not {kind}'s place")
    given = headers.get(place) or ""
    if kind in either and not given:
        place, given = "authorization", headers.get("authorization") or ""
    return given.removeprefix("Bearer ") if place == "authorization" else given


def check_signature(request, body):
    """Signs the request once more with the key that it names, as botocore does, and compares."""
    head = request.headers.get("authorization") or ""
    if not head.startswith("AWS4-HMAC-SHA256 "):
        raise Fault("no signature of version 4")
    fields = dict(field.strip().split("=", 1) for field in head.removeprefix("AWS4-HMAC-SHA256 ").split(","))
    access, day, region, service, end = fields["Credential"].split("/")
    if (region, service, end) != (facts.REGION, "bedrock", "aws4_request"):
        raise Fault(f"the signature is for {region}/{service}/{end}")
    good, revoked = facts.KEYS["bedrock"].split(":"), facts.REVOKED["bedrock"].split(":")
    if access == revoked[0]:
        raise UnknownKey
    if access != good[0]:
        raise Fault(f"access key {access}")
    stamp = request.headers["x-amz-date"]
    check_time(stamp, day)
    names = fields["SignedHeaders"].split(";")
    if not {"host", "x-amz-date"} <= set(names):
        raise Fault(f"signed headers {names}")
    headers = {name: request.headers[name] for name in names}
    signed = AWSRequest(request.command, f"http://{request.headers['host']}{request.path}", headers=headers, data=body)
    signed.context["timestamp"] = stamp
    auth = SigV4Auth(Credentials(*good), service, region)
    wanted = auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)
    if wanted != fields["Signature"]:
        raise Fault("the signature does not match: " + auth.canonical_request(signed))


def check_time(stamp, day):
    made = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    if abs(datetime.datetime.now(datetime.timezone.utc) - made) > datetime.timedelta(minutes=5) or stamp[:8] != day:
        raise Fault(f"signed at {stamp}")
