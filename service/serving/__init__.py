"""The WSGI server: a listening socket, worker processes, and clients that are not waited for for ever."""

from service.serving.server import serve

__all__ = ["serve"]
