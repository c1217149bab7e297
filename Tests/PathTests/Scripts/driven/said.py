"""What the callers have in common."""

import dataclasses


@dataclasses.dataclass
class Said:
    """An answer as the SDK understood it, in the caller's own terms where those matter."""

    text: str
    # Triples of id, name and arguments.
    calls: list
    thoughts: list
    stop: str
    # As the format counts: see `usage` of each caller.
    usage: tuple
    headers: dict
    # What the caller hands back to go on.
    native: object
    refusal: str | None = None
    # Every delta of text, where it came as a stream.
    deltas: list = dataclasses.field(default_factory=list)


def prompt(play, more=""):
    """The user's text: the first line says what the played model shall do."""
    return f"PLAY {play}\n{more or 'Please.'}"
