"""The servers that Swiftlet is compared with. What is not installed is said, and left out.

All answer a POST with the body that came: `return 200` and the server without a hop as raw bytes, the others by reading
it as JSON and writing it again, which is the least that a function does with its event.
"""

import os
import shutil
import subprocess
import sys

from processes import PROJECT, Failure, Server, until

VENV = PROJECT / ".venv" / "bench"
PYPI = ["gunicorn==23.0.0", "functions-framework==3.8.2"]

WSGI = """
import json

def application(environ, start_response):
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    reply = json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(reply)))])
    return [reply]
"""

CLOUD_FUNCTION = """
import json

def echo(request):
    body = json.dumps(request.get_json(), separators=(",", ":"), ensure_ascii=False)
    return body, 200, {"Content-Type": "application/json"}
"""

PHP = """<?php
header('Content-Type: application/json');
echo json_encode(json_decode(file_get_contents('php://input')), JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
"""


def program(*names):
    """The first of the programs that is installed."""
    for name in names:
        if found := shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin"):
            return found
    raise Failure(f"{names[0]} is not installed; run deploy/install-packages bench")


def from_pypi(name):
    """A program from PyPI, in an environment of the project's own."""
    if not (VENV / "bin" / name).exists():
        print(f"installing {', '.join(PYPI)} into {VENV}", file=sys.stderr)
        try:
            subprocess.run([program("python3"), "-m", "venv", VENV], check=True, capture_output=True, timeout=120)
            subprocess.run(
                [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI],
                check=True, capture_output=True, text=True, timeout=180,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise Failure(f"{name} could not be installed from PyPI: {(error.stderr or str(error))[-300:]}") from None
    return VENV / "bin" / name


class Nginx(Server):
    """One worker process of Debian's nginx: by itself, or in front of another server."""

    name = "nginx `return 200`"
    location = ""

    def __init__(self, home, body):
        super().__init__(home)
        self.body = body
        self.start_behind()
        self.start_nginx()
        self.wait_until_ready()

    def start_behind(self):
        self.location = f"default_type application/json; return 200 '{self.body.decode()}';"

    def wait_for(self, socket):
        until((self.home / socket).exists, 15, f"{self.name}: there is no {socket} after 15 s")

    def start_nginx(self):
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        config = self.home / "nginx.conf"
        config.write_text(
            f"{'user root;' if os.getuid() == 0 else ''}\n"
            f"daemon off; worker_processes 1; pid {self.home}/pid; error_log {self.home}/error.log;\n"
            "events { worker_connections 1024; }\n"
            "http {\n    access_log off; keepalive_requests 100000000; keepalive_timeout 600s;\n"
            + "".join(f"    {kind}_temp_path {self.home}/{kind};\n" for kind in kinds)
            + f"    server {{ listen 127.0.0.1:{self.port}; location / {{ {self.location} }} }}\n}}\n"
        )
        self.start(program("nginx"), "-p", self.home, "-c", config, "-e", self.home / "error.log")


class NginxPHP(Nginx):
    """Two php-fpm processes, as a host of two processors would have."""

    name = "nginx + php-fpm"

    def start_behind(self):
        fpm = program("php-fpm", "php-fpm8.2")
        (self.home / "echo.php").write_text(PHP)
        config = self.home / "fpm.conf"
        who = "user = root\ngroup = root\n" if os.getuid() == 0 else ""
        config.write_text(
            f"[global]\nerror_log = {self.home}/fpm.log\ndaemonize = no\n[www]\n{who}listen = {self.home}/fpm.sock\n"
            "pm = static\npm.max_children = 2\nlisten.backlog = 512\n"
        )
        root = ["-R"] if os.getuid() == 0 else []
        self.start(fpm, "-n", "-d", "zend_extension=opcache", "-d", "opcache.enable=1", "-y", config, *root)
        self.wait_for("fpm.sock")
        self.location = (
            f"fastcgi_pass unix:{self.home}/fpm.sock; fastcgi_param SCRIPT_FILENAME {self.home}/echo.php;"
            "fastcgi_param REQUEST_METHOD $request_method; fastcgi_param CONTENT_TYPE $content_type;"
            "fastcgi_param CONTENT_LENGTH $content_length;"
        )


class NginxUWSGI(Nginx):
    """Two uWSGI processes with Debian's Python."""

    name = "nginx + uWSGI"

    def start_behind(self):
        (self.home / "echo.py").write_text(WSGI)
        self.start(
            program("uwsgi", "uwsgi-core"), "--plugin", "python3", "--socket", self.home / "uwsgi.sock", "--listen", "100",
            "--master", "--processes", "2", "--wsgi-file", self.home / "echo.py", "--disable-logging", "--die-on-term",
        )
        self.wait_for("uwsgi.sock")
        self.location = f"include /etc/nginx/uwsgi_params; uwsgi_pass unix:{self.home}/uwsgi.sock;"


class Gunicorn(Server):
    """Two processes of four threads, which keep connections."""

    name = "gunicorn"

    def __init__(self, home, body):
        super().__init__(home)
        (home / "echo.py").write_text(WSGI)
        self.start(
            from_pypi("gunicorn"), "--workers", "2", "--threads", "4", "--worker-class", "gthread", "--keep-alive", "60",
            "--bind", f"127.0.0.1:{self.port}", "--log-level", "error", "echo:application",
        )
        self.wait_until_ready()


class FunctionsFramework(Server):
    """Google's, as it runs in production: one process of gunicorn."""

    name = "functions-framework"

    def __init__(self, home, body):
        super().__init__(home)
        (home / "main.py").write_text(CLOUD_FUNCTION)
        self.start(
            from_pypi("functions-framework"), "--target", "echo", "--source", home / "main.py", "--host", "127.0.0.1",
            "--port", self.port,
        )
        self.wait_until_ready(30)


class NoHop(Server):
    """NIO's HTTP server with its default pipeline, which answers in the process that reads the request."""

    def __init__(self, home, build, name, path):
        super().__init__(home)
        self.name = name
        self.path = path
        if not os.access(build / "nohop", os.X_OK):
            raise Failure(f"there is no nohop in {build}; run make bench")
        self.start(build / "nohop", self.port)
        self.wait_until_ready()
