"""One POST to an address that somebody else chose: never into our own network, never further than asked.

The name is resolved here and the connection goes to the very address that was checked, so that a name that resolves
differently the second time gains nothing. There are no redirects, no proxies, no cookies; what comes back is read only
as far as its status line.
"""

import asyncio
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PATIENCE = 15.0
_CONNECT = 5.0
_LONGEST_LINE = 8 * 2**10
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?\r?\n")


class Forbidden(Exception):
    """This address is none to send anything to."""


class NotSent(Exception):
    """It did not arrive, or nobody said that it did."""


@dataclass(frozen=True)
class Target:
    """Where a URL leads. Raises ValueError with the rule for what is none."""

    secure: bool
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> "Target":
        if len(url) > 2000 or not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError("must be at most 2000 plain characters without spaces")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must begin with https:// or http:// and name a host")
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not hold a user or password")
        if parts.fragment:
            raise ValueError("must not have a fragment (#)")
        try:
            port = parts.port
        except ValueError:
            raise ValueError("must have a port from 0 to 65535, or none") from None
        secure = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(secure, parts.hostname, port or (443 if secure else 80), path)

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


def permitted(address: Address, networks: Sequence[Network]) -> bool:
    """Public, or in a network that the operators name. An IPv4 address in the clothes of IPv6 is the IPv4 address."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in IPv6Network("64:ff9b::/96"):
            inner = IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return permitted(inner, networks)
    if any(address in network for network in networks if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast


async def post(
    target: Target, body: bytes, headers: Mapping[str, str], networks: Sequence[Network], patience: float = PATIENCE
) -> int:
    """The status of the answer."""
    try:
        async with asyncio.timeout(patience):
            address = await _resolved(target, networks)
            return await _exchange(target, address, body, headers)
    except TimeoutError:
        raise NotSent("no answer in time") from None
    except ssl.SSLError as error:
        raise NotSent(f"no secure connection: {error.reason or 'refused'}") from error
    except OSError as error:
        raise NotSent(f"no connection: {error.strerror or type(error).__name__}") from error


async def _resolved(target: Target, networks: Sequence[Network]) -> str:
    """One address that may be sent to; a name that also leads elsewhere is not trusted at all."""
    found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=1)
    addresses = [str(where[0]) for *_, where in found]
    if not addresses:
        raise NotSent("the name is not known")
    for text in addresses:
        if not permitted(ip_address(text.partition("%")[0]), networks):
            raise Forbidden(f"{target.host} leads to an address that nothing is sent to")
    return addresses[0]


async def _exchange(target: Target, address: str, body: bytes, headers: Mapping[str, str]) -> int:
    async with asyncio.timeout(_CONNECT):
        reader, writer = await asyncio.open_connection(
            address,
            target.port,
            limit=_LONGEST_LINE,
            ssl=ssl.create_default_context() if target.secure else None,
            server_hostname=target.host if target.secure else None,
        )
    try:
        lines = {"Host": target.authority, "Content-Length": str(len(body)), "Connection": "close", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body)
        await writer.drain()
        try:
            line = await reader.readline()
        except ValueError:
            line = b""
        if (status := _STATUS.fullmatch(line)) is None:
            raise NotSent("the answer is no HTTP")
        return int(status[1])
    finally:
        writer.close()
