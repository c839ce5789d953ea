"""What makes each resource type by its service's own API."""

from engine.makers import compute, content, data, identity, messages, network

__all__ = ["compute", "content", "data", "identity", "messages", "network"]
