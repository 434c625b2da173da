"""A redis-server of the benchmark's own, and the little of its protocol that a producer needs."""

import socket
import subprocess

from peers import program
from processes import Failure, free_port, stop, until


class Redis:
    """One server on loopback without persistence, for all that are compared."""

    def __init__(self, home):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process = subprocess.Popen(
            [program("redis-server"), "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", str(home)],
            stdout=subprocess.DEVNULL,
        )
        until(self.answers, 10, "redis-server does not answer")

    def answers(self):
        try:
            return Client(self.port).ask("PING") == "PONG"
        except OSError:
            return False

    def stop(self):
        stop(self.process)


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.replies = self.socket.makefile("rb")

    def ask(self, *words):
        return self.ask_all([words])[0]

    def ask_all(self, commands):
        """The replies to commands that leave together."""
        self.socket.sendall(b"".join(map(encoded, commands)))
        return [self.reply() for _ in commands]

    def reply(self):
        line = self.replies.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Failure(f"redis refused: {rest.decode()}")
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest.decode()
        count = int(rest)
        if count < 0:
            return None
        if kind == b"*":
            return [self.reply() for _ in range(count)]
        return self.replies.read(count + 2)[:-2].decode()


def encoded(words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
