"""The settings of webhooks: whether there are any, and where they may go."""

from retake.variables import NETWORK, concern, listed, matching, setting


@concern
class Webhooks:
    """What is sent to the `callbackUrl` of jobs."""

    secret: str | None = setting(
        "RETAKE_WEBHOOK_SECRET",
        matching(
            r"whsec_([A-Za-z0-9+/]{4}){8,24}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?",
            "whsec_ and 24 to 74 random bytes in base64",
        ),
        optional=True,
        explain="What messages are signed with; receivers check by it. Without it no job may name a `callbackUrl`.",
        secret=True,
    )
    networks: tuple[str, ...] = setting(
        "RETAKE_WEBHOOK_NETWORKS",
        listed(NETWORK),
        default="",
        explain="Networks that messages may be sent to though they are not public.",
    )
