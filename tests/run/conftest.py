"""The fixtures of these tests and of their neighbours'."""

from fixtures import *  # noqa: F403
