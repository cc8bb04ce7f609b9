"""The head of a Ray cluster, asked before Ray connects: Ray itself tries for long, and then does not say why not."""

import json
import logging
import os
import socket
from typing import Any
from urllib.parse import urlsplit

from sakuga.errors import SakugaError

_CONNECT_S = 10
_MODE = "RAY_AUTH_MODE"
_COPY = "copy ~/.ray/auth_token from the head's machine to this one"


def check_head(address: str) -> str:
    """Return the address to give to Ray, when the head that an address means lets this machine in.

    Where the head asks for a token, the one of this machine is used (RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or
    ~/.ray/auth_token). Raises SakugaError where nobody answers, the token is missing or refused, or versions differ.
    """
    if address.startswith("ray://"):
        _check_answers(address, urlsplit(address).netloc, 10001)
        _use_token()
        return address
    place = _found() if address == "auto" else address
    _check_answers(address, place, 6379)
    metadata = _metadata(address, place)
    try:
        from ray._private.utils import check_version_info

        check_version_info(metadata, "here")
    except RuntimeError as error:
        import platform

        import ray

        there = f"Ray {metadata['ray_version']} with Python {metadata['python_version']}"
        here = f"Ray {ray.__version__} with Python {platform.python_version()}"
        raise SakugaError(f"at {address} is {there}, and here is {here}: install the same on all machines") from error
    return place


def unbegun(error: Exception) -> SakugaError:
    """What is said where Ray does not begin on this machine: it gives itself half a minute."""
    reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return SakugaError(f"Ray does not begin on this machine ({reason}): try again when it is less busy")


def refused(address: str) -> SakugaError:
    """What is said where a head that listens does not take us, and does not tell why."""
    if address.startswith("ray://"):
        return SakugaError(f"the Ray at {address} does not let us in: {_COPY}, or check the address")
    return SakugaError(f"no Ray answers at {address}: begin one (ray start --head) or check the address")


def _metadata(address: str, place: str) -> dict[str, Any]:
    """What the head tells of its versions."""
    from ray._raylet import GcsClient
    from ray.exceptions import AuthenticationError, RayError

    for _ in range(2):
        try:
            found = GcsClient(place).internal_kv_get(b"CLUSTER_METADATA", b"cluster", timeout=_CONNECT_S)
            return dict(json.loads(found))
        except AuthenticationError as error:
            if os.environ.get(_MODE, "token").lower() != "token":
                reason = f"asks for a token, and {_MODE}={os.environ[_MODE]} sends none: unset it"
            elif _MODE in os.environ:
                reason = f"refuses the token of this machine: {_COPY}"
            elif _use_token():
                continue
            else:
                reason = f"asks for a token, and this machine has none: {_COPY}"
            raise SakugaError(f"the Ray at {address} {reason}") from error
        except (RayError, TypeError, ValueError) as error:  # something listens that is no Ray, or a very different one
            raise refused(address) from error
    raise AssertionError  # the second round returns or raises


def _use_token() -> bool:
    """Have Ray send the token of this machine, if there is one and nothing else is asked for; return whether it does.

    To an address that is given Ray sends none by itself.
    """
    from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
    from ray.exceptions import RayError

    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        return bool(maybe_enable_token_auth_if_token_available(warn_if_disabled=False))
    except (RayError, RuntimeError) as error:
        raise SakugaError("the token of Ray cannot be read: check RAY_AUTH_TOKEN_PATH") from error


def _found() -> str:
    """The HOST:PORT of the head that `auto` means: RAY_ADDRESS, or one of this machine."""
    from ray._private.services import canonicalize_bootstrap_address_or_die

    try:
        return str(canonicalize_bootstrap_address_or_die("auto"))
    except ConnectionError as error:
        raise SakugaError("no Ray runs on this machine: begin one (ray start --head) or give its HOST:PORT") from error


def _check_answers(address: str, place: str, port: int) -> None:
    """Raise SakugaError where nothing listens at HOST:PORT: Ray itself would try for ever."""
    try:
        parts = urlsplit(f"//{place}")
        socket.create_connection((parts.hostname or "", parts.port or port), _CONNECT_S).close()
    except (OSError, ValueError) as error:
        raise SakugaError(f"no Ray answers at {address} ({error}): begin one (ray start --head) or check it") from error
