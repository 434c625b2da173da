"""The echo of 300 bytes, in rounds that take turns, so that a slow minute of the machine meets everybody."""

import sys

import peers
from host import Host, manifest
from load import SCRIPT, body_of, check, wrk
from processes import Failure, memory
from report import figure, median

NGINX, UWSGI = peers.Nginx.name, peers.NginxUWSGI.name
RAW, TYPED = "swiftlet, raw bytes", "swiftlet, typed JSON"
NOHOP, NOHOP_TYPED = "NIO without a hop, raw bytes", "NIO without a hop, typed JSON"


class View:
    """A server under a name and a path of its own; one host serves two functions."""

    def __init__(self, server, name, path):
        self.server, self.name, self.path, self.port = server, name, path, server.port
        self.pids, self.words = server.pids, server.words


def start_all(home, options, body, running):
    """The servers that can be had; what cannot is said. Each is checked before it is measured."""
    makers = [
        lambda: [peers.Nginx(home / "nginx", body)],
        lambda: [peers.NoHop(home / "nohop", options.build, NOHOP, "/echo")],
        lambda: [peers.NoHop(home / "nohop-typed", options.build, NOHOP_TYPED, "/typed")],
        lambda: views(Host(home / "host", options.build, {
            "echo": manifest("/echo"), "typed-echo": manifest("/typed"),
        })),
        lambda: [peers.NginxUWSGI(home / "uwsgi", body)],
        lambda: [peers.NginxPHP(home / "php", body)],
        lambda: [peers.Gunicorn(home / "gunicorn", body)],
        lambda: [peers.FunctionsFramework(home / "framework", body)],
    ]
    for make in makers if options.peers else makers[:4]:
        try:
            made = make()
            running += [getattr(server, "server", server) for server in made[:1]]
            for server in made:
                check(server, body)
                yield server
        except Failure as failure:
            print(f"left out: {failure}", file=sys.stderr)


def views(host):
    return [View(host, RAW, "/echo"), View(host, TYPED, "/typed")]


def measure(home, options):
    """Rows for the table, and the figures that have aims."""
    body = body_of(options.size)
    script = home / "post.lua"
    script.write_text(SCRIPT % body.decode())
    running, results = [], {}
    try:
        servers = list(start_all(home, options, body, running))
        for server in servers:
            wrk(server, max(options.connections), 1, script)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            for connections in options.connections:
                for server in servers:
                    row = wrk(server, connections, options.seconds, script) | memory(server.pids())
                    results.setdefault((server.name, connections), []).append(row)
    finally:
        for server in reversed(running):
            server.stop()
    rows = []
    for connections in options.connections:
        floor = results.get((NGINX, connections))
        for server in servers:
            rounds = results[server.name, connections]
            row = {key: median(rounds, key) for key in rounds[0]}
            ratio = row["cpu"] / median(floor, "cpu") if floor and median(floor, "cpu") else None
            rows.append({"server": server.name, "connections": connections, "ratio": ratio} | row)
    return rows, aims(rows), results


def aims(rows):
    def value(server, connections, key):
        return next((row[key] for row in rows if row["server"] == server and row["connections"] == connections), None)

    def ratio(server, to, connections, key):
        above, below = value(server, connections, key), value(to, connections, key)
        return above / below if above and below else None

    return [
        figure("CPU a request, raw bytes, 64 connections, to nginx", ratio(RAW, NGINX, 64, "cpu"), "×", 3),
        figure("the same, wanted further", ratio(RAW, NGINX, 64, "cpu"), "×", 2.2),
        figure("CPU a request, typed JSON, 64 connections, to nginx", ratio(TYPED, NGINX, 64, "cpu"), "×", 4.5),
        figure("the same, wanted further", ratio(TYPED, NGINX, 64, "cpu"), "×", 3.3),
        figure("CPU a request, typed JSON, 64 connections, to nginx + uWSGI", ratio(TYPED, UWSGI, 64, "cpu"), "×", 0.35),
        figure("p50 at 1 connection, raw bytes, to NIO without a hop", ratio(RAW, NOHOP, 1, "p50"), "×", 1.5),
        figure("p50 at 1 connection, typed JSON, to NIO without a hop", ratio(TYPED, NOHOP_TYPED, 1, "p50"), "×", 1.5),
    ]
