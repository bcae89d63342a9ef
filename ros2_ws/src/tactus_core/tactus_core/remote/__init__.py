"""Policies that run elsewhere: openpi's protocol, msgpack over WebSocket, from both sides."""
