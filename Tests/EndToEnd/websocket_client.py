#!/usr/bin/python3
"""What a WebSocket client sees of a host of the fixtures, by a client library that is not ours.

    websocket_client.py GATEWAY SCENARIO

GATEWAY is such as 127.0.0.1:8080. Ends with 0 where all is as it should be. But for `chat` the host's functions are those
of Tests/Fixtures, with the manifests of FixtureProject.
"""

import asyncio
import contextlib
import json
import sys
import urllib.request

import websockets

GATEWAY = sys.argv[1]


def connect(path="/socket/red", **settings):
    return websockets.connect(f"ws://{GATEWAY}{path}", max_size=None, **settings)


async def ask(client, text):
    await client.send(text)
    return await asyncio.wait_for(client.recv(), 20)


async def closing(client):
    """The code and the reason with which the connection ends."""
    try:
        while True:
            await asyncio.wait_for(client.recv(), 20)
    except websockets.ConnectionClosed:
        return client.close_code, client.close_reason


async def refusal(path="/socket/red", **settings):
    try:
        async with connect(path, **settings):
            raise AssertionError("let in")
    except websockets.InvalidStatusCode as error:
        return error


async def push(body):
    def post():
        request = urllib.request.Request(f"http://{GATEWAY}/push", json.dumps(body).encode(), {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
    return await asyncio.get_running_loop().run_in_executor(None, post)


async def messages():
    async with connect() as client:
        assert client.response_headers["set-cookie"] == "seen=1"
        assert "sec-websocket-extensions" not in client.response_headers
        assert await ask(client, "Grüß Gott") == "Grüß Gott"
        assert await ask(client, b"\x00\xff") == b"\x00\xff"
        assert await ask(client, "") == ""
        assert await ask(client, "room") == "red"
        assert await ask(client, "x" * 60000) == "x" * 60000
        assert await ask(client, "binary") == b"\x00\xff\x00"
        await client.send(["in ", "three ", "fragments"])
        assert await client.recv() == "in three fragments"
        await asyncio.wait_for(await client.ping("sign of life"), 20)


async def streams():
    async with connect() as client:
        await client.send("stream 50")
        assert [await client.recv() for _ in range(50)] == [str(number) for number in range(50)]
        assert await ask(client, "big 400000") == "A" * 400000
        pids = {await ask(client, "pid") for _ in range(10)}
        assert len(pids) == 1, pids


async def order():
    async with connect() as client:
        for number in range(300):
            await client.send(f"message {number}")
        assert [await client.recv() for _ in range(300)] == [f"message {number}" for number in range(300)]


async def pushes():
    async with connect() as one, connect() as two:
        first = await ask(one, "id")
        second = await ask(two, "id")
        assert first != second
        assert await push({"to": first, "text": "for you"}) == (200, "1")
        assert await one.recv() == "for you"
        status, _ = await push({"text": "for all"})
        assert status == 200
        assert (await one.recv(), await two.recv()) == ("for all", "for all")
    for _ in range(200):
        status, text = await push({"to": first, "text": "anybody there?"})
        if status == 410:
            break
        await asyncio.sleep(0.05)
    assert (status, json.loads(text)["error"]["code"]) == (410, "connection_gone"), text


async def refusals():
    error = await refusal("/socket/red?token=wrong")
    assert error.status_code == 401, error
    error = await refusal(origin="https://evil.example")
    assert error.status_code == 403, error
    async with connect(origin=f"http://{GATEWAY}"):
        pass
    async with connect(origin="https://app.example"):
        pass
    error = await refusal("/nowhere")
    assert error.status_code == 404, error
    error = await refusal("/push")
    assert error.status_code == 405, error
    try:
        urllib.request.urlopen(f"http://{GATEWAY}/socket/red", timeout=20)
        raise AssertionError("a plain GET is answered")
    except urllib.error.HTTPError as error:
        assert error.code == 426
        assert error.headers["sec-websocket-version"] == "13"
        assert error.headers["upgrade"] == "websocket"


async def subprotocols():
    async with connect(subprotocols=["chat", "chat.v2"]) as client:
        assert client.subprotocol == "chat.v2"
        assert await ask(client, "protocol") == "chat.v2"
    async with connect(subprotocols=["other"]) as client:
        assert client.subprotocol is None


async def closings():
    async with connect() as client:
        await client.send("close 4001")
        assert await closing(client) == (4001, "as you wish")
    async with connect() as client:
        await client.send("x" * 70000)
        assert (await closing(client))[0] == 1009
    async with connect() as client:
        client.transport.write(b"\x81\x82\x00\x00\x00\x00\xc0\xaf")
        assert (await closing(client))[0] == 1007
    async with connect() as client:
        client.transport.write(b"\x81\x01A")
        assert (await closing(client))[0] == 1002
    async with connect("/socket-idle") as client:
        assert await closing(client) == (1001, "idle")


async def users():
    """25 users on workers of 10: three workers, and each user's messages go to one of them."""
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect()) for _ in range(25)]
        pids, before = [], None
        # Until the workers are there, some are served where there is room.
        while pids != before or len(set(pids)) < 3:
            before, pids = pids, [await ask(client, "pid") for client in clients]
            await asyncio.sleep(0.05)
        for _ in range(3):
            assert [await ask(client, "pid") for client in clients] == pids
        assert sorted(pids.count(pid) for pid in set(pids)) == [5, 10, 10], pids


async def stopping():
    """Stays until the host stops."""
    async with connect() as client:
        assert await closing(client) == (1001, "the host is stopping")


async def failures():
    async with connect() as client:
        error = json.loads(await ask(client, "fail"))["error"]
        assert (error["code"], len(error["invocation"])) == ("not_today", 24), error
        before = await ask(client, "pid")
        error = json.loads(await ask(client, "crash"))["error"]
        assert error["code"] == "worker_lost", error
        # The next message goes to another worker.
        assert await ask(client, "still here?") == "still here?"
        assert await ask(client, "pid") != before


async def flood():
    """A client that sends and does not read: it is slowed, the host's memory stays, and others are served."""
    async with connect() as client, connect() as other:
        async def send():
            for _ in range(4000):
                await client.send("y" * 30000)
        sending = asyncio.create_task(send())
        client.transport.pause_reading()
        for _ in range(20):
            assert await ask(other, "and I?") == "and I?"
            await asyncio.sleep(0.02)
        assert not sending.done(), "120 MB were taken from a client that reads nothing"
        sending.cancel()
        client.transport.abort()


async def chat():
    """The chat bot, of a host of the project's own functions."""
    async with connect("/v1/chat/ws") as client:
        for question in ("Hello, who are you?", "And what is a lighthouse?"):
            await client.send(json.dumps({"messages": [{"role": "user", "content": question}]}))
            texts = []
            while (message := await asyncio.wait_for(client.recv(), 20)) != "[DONE]":
                chunk = json.loads(message)
                assert chunk["object"] == "chat.completion.chunk", chunk
                texts.append(chunk["choices"][0]["delta"].get("content", ""))
            assert len(texts) > 3, "the answer came whole"
            assert len("".join(texts)) > 5, texts
        error = json.loads(await ask(client, "not JSON"))["error"]
        assert error["code"] == "bad_json", error


asyncio.run(asyncio.wait_for(globals()[sys.argv[2]](), 50))
