"""Job queues from PyPI that `figures_jobs.py` is compared with, each on its own terms over the same redis-server.

The job does nothing but say, where it is asked to, how long it waited. Settings are those with which each was fastest here
while it still gives a job of a worker that dies to another.
"""

import json
import os
import subprocess
import sys
import time

from peers import VENV, program
from processes import Failure, descendants, stop

PYPI = ["dramatiq[redis]==1.17.1", "arq==0.26.3", "celery[redis]==5.4.0", "rq==2.0.0", "kombu==5.4.2", "packaging==24.1"]

COMMON = '''
import os, time, redis
URL = os.environ["BENCH_REDIS"]
marks = redis.Redis.from_url(URL)

def note(sent, mark):
    if mark == "timed":
        marks.rpush("waits", time.time_ns() - sent)
'''

SOURCES = {
    "dramatiq": COMMON + '''
import dramatiq
from dramatiq.brokers.redis import RedisBroker
dramatiq.set_broker(RedisBroker(url=URL))

@dramatiq.actor(max_retries=3)
def job(sent, mark):
    note(sent, mark)

add = job.send
''',
    "celery": COMMON + '''
from celery import Celery
app = Celery("celery_jobs", broker=URL)
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=64, task_ignore_result=True)

@app.task(max_retries=3, acks_late=True)
def job(sent, mark):
    note(sent, mark)

add = job.delay
''',
    "rq": COMMON + '''
from rq import Queue, Retry
queue = Queue(connection=marks)

def job(sent, mark):
    note(sent, mark)

def add(sent, mark):
    queue.enqueue(job, sent, mark, retry=Retry(max=3))
''',
    "arq": COMMON + '''
import asyncio
from arq import create_pool
from arq.connections import RedisSettings

async def job(ctx, sent, mark):
    note(sent, mark)

class WorkerSettings:
    functions = [job]
    redis_settings = RedisSettings.from_dsn(URL)
    max_jobs = 100
    poll_delay = 0.01

loop = asyncio.new_event_loop()
pool = None

def add(sent, mark):
    global pool
    pool = pool or loop.run_until_complete(create_pool(RedisSettings.from_dsn(URL)))
    loop.run_until_complete(pool.enqueue_job("job", sent, mark))
''',
}

WORKERS = {
    "dramatiq": ["-m", "dramatiq", "dramatiq_jobs", "--processes", "2", "--threads", "8"],
    "celery": ["-m", "celery", "-A", "celery_jobs", "worker", "--pool", "threads", "--concurrency", "8", "-l", "ERROR"],
    "rq": ["-m", "rq.cli", "worker", "-w", "rq.worker.SimpleWorker", "--url", "{url}", "-q"],
    "arq": ["-m", "arq", "arq_jobs.WorkerSettings"],
}

# What is there as long as a job is not done, by its broker's own book.
LEFT = {
    "dramatiq": [("HLEN", "dramatiq:default.msgs")],
    "celery": [("LLEN", "celery"), ("HLEN", "unacked")],
    "rq": [("LLEN", "rq:queue:default"), ("ZCARD", "rq:wip:default")],
    "arq": [("ZCARD", "arq:queue")],
}

ADD = """
import sys, time
from {name}_jobs import add
count, mark, rate = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
start = time.monotonic()
for number in range(count):
    if rate:
        time.sleep(max(0, start + number / rate - time.monotonic()))
    add(time.time_ns(), mark)
"""


def install():
    if (VENV / "bin" / "dramatiq").exists() and (VENV / "bin" / "rq").exists():
        return
    print(f"installing {', '.join(PYPI)} into {VENV}", file=sys.stderr)
    try:
        if not (VENV / "bin" / "pip").exists():
            subprocess.run([program("python3"), "-m", "venv", VENV], check=True, capture_output=True, timeout=120)
        command = [VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PYPI]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Failure(f"the queues could not be installed from PyPI: {(error.stderr or str(error))[-300:]}") from None


class Queue:
    def __init__(self, name, home, url):
        self.name, self.home = name, home
        (home / f"{name}_jobs.py").write_text(SOURCES[name])
        self.environment = {**os.environ, "BENCH_REDIS": url, "PYTHONPATH": str(home)}
        self.worker = [VENV / "bin" / "python", *[word.format(url=url) for word in WORKERS[name]]]

    def add(self, count, mark="", rate=0):
        subprocess.run(
            [VENV / "bin" / "python", "-c", ADD.format(name=self.name), str(count), mark, str(rate)],
            env=self.environment, cwd=self.home, check=True, timeout=300,
        )

    def __enter__(self):
        log = open(self.home / f"{self.name}.log", "w")
        self.process = subprocess.Popen(self.worker, env=self.environment, cwd=self.home, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        left = descendants(self.process.pid)
        stop(self.process)
        for pid in left:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
